"""A handshake that somebody decides about: it takes a place meanwhile, and its client may leave."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sio.engineio import EngineIOServer, Policy
from sio.engineio.transports.decision import decide
from sio.exceptions import ClientGone
from tests.unit.engineio.clients import turns, warnings


class Patient(Policy):
    """Lets a question go on for five seconds after its client left."""

    ask_patience = 5.0


class Question:
    """A question that takes so many seconds, and then ends as it is to."""

    def __init__(self, seconds: float, error: Exception | None = None, *, is_stubborn: bool = False) -> None:
        self._seconds = seconds
        self._error = error
        self._is_stubborn = is_stubborn
        self.end = ""

    async def __call__(self) -> None:
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.end = "cancelled"
            if not self._is_stubborn:
                raise
            await asyncio.sleep(20)
        else:
            self.end = "done"
        if self._error is not None:
            raise self._error


class Client:
    """The client of a handshake: its messages come after so many seconds each."""

    def __init__(self, *messages: tuple[float, str]) -> None:
        self._messages = list(messages)

    async def receive(self) -> Any:
        if not self._messages:
            await asyncio.Event().wait()
        seconds, kind = self._messages.pop(0)
        await asyncio.sleep(seconds)
        return {"type": kind}


@pytest.fixture
async def server() -> EngineIOServer:
    return EngineIOServer(policy=Patient())


@pytest.fixture
async def problems() -> AsyncIterator[list[Any]]:
    """What the loop is left to complain of: exceptions that nobody took."""
    found: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
    yield found
    gc.collect()
    assert found == []


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_answer_is_waited_for_as_long_as_the_client_stays(server: EngineIOServer, problems: Any) -> None:
    question = Question(100)
    await decide(question(), Client().receive, server)
    assert (question.end, now(), server.admission.undecided) == ("done", 100, 0)


async def test_refusal_is_raised(server: EngineIOServer, problems: Any) -> None:
    with pytest.raises(LookupError):
        await decide(Question(1, LookupError())(), Client().receive, server)
    assert server.admission.undecided == 0


async def test_handshake_takes_a_place_until_it_is_decided(server: EngineIOServer, problems: Any) -> None:
    tasks = [asyncio.ensure_future(decide(Question(seconds)(), Client().receive, server)) for seconds in (1, 2)]
    await turns()
    counts = [server.admission.undecided]
    for task in tasks:
        await task
        counts.append(server.admission.undecided)
    assert counts == [2, 1, 0]


async def test_other_messages_are_no_departure(server: EngineIOServer, problems: Any) -> None:
    question = Question(10)
    await decide(question(), Client((1, "http.request"), (1, "http.invented")).receive, server)
    assert question.end == "done"


@pytest.mark.parametrize("message", ["http.disconnect", "websocket.disconnect"])
@pytest.mark.parametrize(("seconds", "end", "ended_at"), [(4, "done", 4), (6.5, "done", 6.5), (8, "cancelled", 7)])
async def test_question_may_go_on_for_a_while_after_its_client_left(
    server: EngineIOServer,
    problems: Any,
    caplog: pytest.LogCaptureFixture,
    message: str,
    seconds: float,
    end: str,
    ended_at: float,
) -> None:
    question = Question(seconds)
    with pytest.raises(ClientGone):
        await decide(question(), Client((2, message)).receive, server)
    assert now() == ended_at
    await turns()
    assert (question.end, server.admission.undecided) == (end, 0)
    assert warnings(caplog) == [
        "Cancelled SIO_ALLOW_REQUEST: its client left SIO_CONNECT_HOOK_TIMEOUT_MS ago" for _ in range(end != "done")
    ]


async def test_error_after_the_client_left_is_nobodys(server: EngineIOServer, problems: Any) -> None:
    with pytest.raises(ClientGone):
        await decide(Question(4, LookupError())(), Client((2, "http.disconnect")).receive, server)
    assert server.admission.undecided == 0


async def test_cancelled_request_cancels_its_question(server: EngineIOServer, problems: Any) -> None:
    question = Question(100)
    task = asyncio.ensure_future(decide(question(), Client().receive, server))
    await turns()
    task.cancel()
    await asyncio.wait([task])
    await turns()
    assert (task.cancelled(), question.end, server.admission.undecided) == (True, "cancelled", 0)


async def test_question_that_does_not_end_when_it_is_cancelled_keeps_its_place(
    server: EngineIOServer, problems: Any
) -> None:
    question = Question(100, is_stubborn=True)
    with pytest.raises(ClientGone):
        await decide(question(), Client((2, "http.disconnect")).receive, server)
    await asyncio.sleep(19)
    assert server.admission.undecided == 1
    await asyncio.sleep(2)
    assert server.admission.undecided == 0


async def test_receive_that_raises_ends_the_question(server: EngineIOServer, problems: Any) -> None:
    """Middleware may have wrapped it."""

    async def receive() -> Any:
        raise LookupError

    question = Question(100)
    with pytest.raises(LookupError):
        await decide(question(), receive, server)
    await turns()
    assert server.admission.undecided == 0
