"""What clients can have logged again and again is told once, and then counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer
from sio.engineio.repeats import Repeats
from tests import virtual_time
from tests.asgi import request
from tests.client import SocketIOClient

STRANGER = [(b"origin", b"https://evil.example")]


class Consumer(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool | None:
        if "raise" in auth:
            raise LookupError(auth["raise"])
        return None if "forget" in auth else True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        raise LookupError(reason)

    async def event_raise(self, socket: NamespaceSocket, key: str) -> None:
        raise LookupError(key)

    async def event_other(self, socket: NamespaceSocket) -> None:
        raise ValueError

    async def event_ask(self, socket: NamespaceSocket) -> None:
        await socket.emit("question", callback=self.take_answer)

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args

    async def take_answer(self) -> None:
        raise LookupError


def live(test: Callable[[Any], Awaitable[None]]) -> None:
    virtual_time.run(_run(test), [])


async def _run(test: Callable[[Any], Awaitable[None]]) -> None:
    await test(Consumer.as_asgi())


async def member(app: Any) -> SocketIOClient:
    client = await SocketIOClient(app).open()
    await client.connect()
    return client


async def leave(client: SocketIOClient) -> None:
    client.leave()
    await client.websocket.finished()


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    """What was logged, and whether with a traceback."""
    return [
        (record.getMessage().removeprefix(f"{__name__}."), record.exc_info is not None)
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


def test_one_handler_raises_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    """1,000 errors are one traceback and one number; when they go on, one more number for each ten seconds."""

    async def test(app: Any) -> None:
        client = await member(app)
        for key in range(1_000):
            client.emit("/", "raise", f"key {key}")
        await asyncio.sleep(9)
        assert told(caplog) == [("Consumer.event_raise raised", True)]
        await asyncio.sleep(2)
        client.emit("/", "raise", "again")
        await asyncio.sleep(30)
        again = f"more times in the last 10 s: {__name__}.Consumer.event_raise raised: LookupError"
        assert told(caplog)[1:] == [(f"999 {again}", False), (f"1 {again}", False)]

    live(test)


def test_what_did_not_happen_for_a_while_is_news(caplog: pytest.LogCaptureFixture) -> None:
    async def test(app: Any) -> None:
        client = await member(app)
        for _ in range(2):
            client.emit("/", "raise", "key")
            await asyncio.sleep(11)
        assert told(caplog) == [("Consumer.event_raise raised", True)] * 2

    live(test)


def test_one_error_does_not_hide_another(caplog: pytest.LogCaptureFixture) -> None:
    async def test(app: Any) -> None:
        client = await member(app)
        for event in (("raise", "key"), ("other",), ("raise", "key"), ("other",)):
            client.emit("/", *event)
        await asyncio.sleep(1)
        assert told(caplog) == [("Consumer.event_raise raised", True), ("Consumer.event_other raised", True)]

    live(test)


@pytest.mark.parametrize(
    ("auth", "message", "has_traceback"),
    [
        ({"raise": 1}, "Consumer.connect raised, so the client was refused", True),
        (
            {"forget": 1},
            "Consumer.connect returned None, so the client was refused: return True to accept it, or False to "
            "refuse it",
            False,
        ),
    ],
)
def test_connect_hook(
    auth: dict[str, Any], message: str, has_traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(app: Any) -> None:
        client = await SocketIOClient(app).open()
        for _ in range(100):
            client.send("0", "/", auth)
            assert (await client.receive()).startswith("4{")
        await leave(client)
        assert told(caplog) == [(message, has_traceback)]

    live(test)


def test_disconnect_hook(caplog: pytest.LogCaptureFixture) -> None:
    async def test(app: Any) -> None:
        for _ in range(20):
            await leave(await member(app))
        assert told(caplog) == [("Consumer.disconnect raised", True)]

    live(test)


def test_callback(caplog: pytest.LogCaptureFixture) -> None:
    async def test(app: Any) -> None:
        client = await member(app)
        for number in range(20):
            client.emit("/", "ask")
            await client.received(f'2{number}["question"]')
            client.send("3", ack_id=number, data=[])
        await asyncio.sleep(1)
        assert told(caplog) == [(f"The ack callback {__name__}.Consumer.take_answer raised", True)]

    live(test)


def test_allow_request(caplog: pytest.LogCaptureFixture) -> None:
    async def test(app: Any) -> None:
        for _ in range(20):
            assert (await request(app, "GET", "EIO=4&transport=polling")).status == 403
        assert told(caplog) == [("SIO_ALLOW_REQUEST raised, so the handshake was refused", True)]

    with override_settings(SIO_ALLOW_REQUEST=lambda scope: scope["nothing of the kind"]):
        live(test)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400 + ".5", '[{"a":1E+400}]'])
def test_number_that_cannot_be_echoed_ends_the_connection(number: str, caplog: pytest.LogCaptureFixture) -> None:
    """It raised in each handler that sent it back."""

    async def test(app: Any) -> None:
        client = await member(app)
        client.websocket.send(f'421["echo",{number}]')
        assert await client.websocket.closed() == 1000
        assert "echo" not in caplog.text

    live(test)


async def test_different_messages_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(logging.getLogger("sio"))
    for number in range(1_000):
        repeats.warning(f"message {number}")
    assert len(told(caplog)) == 101
    assert len(repeats._counts) == 101


def test_another_loop_starts_anew(caplog: pytest.LogCaptureFixture) -> None:
    """The timers of one that was closed never run."""
    repeats = Repeats(logging.getLogger("sio"))

    async def test(app: Any) -> None:
        repeats.warning("message")
        repeats.warning("message")

    live(test)
    live(test)
    assert told(caplog) == [("message", False)] * 2


async def test_refused_requests_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can send them, and as many as they like."""
    for _ in range(50):
        assert (await request(Consumer.as_asgi(), "GET", "EIO=4&transport=polling", headers=STRANGER)).status == 403
    (record,) = [record for record in caplog.records if "Refused a request" in record.getMessage()]
    assert "127.0.0.1" in record.getMessage()
    assert "evil.example" in record.getMessage()


def test_timer_of_a_loop_that_is_not_the_last_one_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(logging.getLogger("sio.engineio"))

    async def other() -> None:
        repeats.warning("of the other loop")

    async def main() -> None:
        repeats.warning("of the first loop")
        await asyncio.to_thread(asyncio.run, other())
        await asyncio.sleep(30)

    problems: list[dict[str, Any]] = []
    virtual_time.run(main(), problems)
    assert problems == []
