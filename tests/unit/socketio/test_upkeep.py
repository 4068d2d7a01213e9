"""`Upkeep`: what a server does around hooks and handlers."""

from __future__ import annotations

from typing import Any

import pytest

from sio import ConnectionRefused, SocketIOServer, as_asgi
from sio.socketio.upkeep import Upkeep
from tests.client import SocketIOClient

from .consumers import Consumer, SecondConsumer, member, settled, wait_until


class RecordingUpkeep(Upkeep):
    """Keeps when it was called."""

    def __init__(self) -> None:
        self.starts = 0
        self.errors: list[BaseException] = []

    def starting(self) -> None:
        self.starts += 1

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)


@pytest.fixture
def upkeep() -> RecordingUpkeep:
    return RecordingUpkeep()


@pytest.fixture
def app(app: Any, upkeep: RecordingUpkeep) -> Any:
    """The application on a server of its own."""
    server = SocketIOServer(upkeep=upkeep)
    return as_asgi(Consumer, SecondConsumer, server=server)


async def test_upkeep_is_called_once_for_a_burst_of_events(app: Any, upkeep: RecordingUpkeep) -> None:
    client = await member(app)
    assert upkeep.starts == 1, "the connect hook"
    for number in range(5):
        client.emit("/test", "wait", number, ack_id=number)
    await settled()
    assert upkeep.starts == 2
    Consumer.gate.set()
    await client.received(*[f"3/test,{number}[{number}]" for number in range(5)])
    assert upkeep.starts == 2
    client.leave()
    await wait_until(lambda: Consumer.log[-1] == ("transport close", 1))
    assert upkeep.starts == 3


async def test_upkeep_is_called_before_the_callback_of_an_acknowledgement(app: Any, upkeep: RecordingUpkeep) -> None:
    client, starts = await member(app), list[int]()
    await Consumer.members[0].emit("x", callback=lambda: starts.append(upkeep.starts))
    await client.receive()
    client.send("3", "/test", [], 0)
    await wait_until(lambda: starts)
    assert starts == [2]


async def test_upkeep_is_called_again_for_each_turn_of_a_long_burst(app: Any, upkeep: RecordingUpkeep) -> None:
    client = await member(app)
    client.emit("/test", "take", 0)
    for number in range(100):
        client.emit("/test", "count", number)
    await settled()
    assert upkeep.starts == 2
    Consumer.gate.set()
    await wait_until(lambda: len(Consumer.log) == 101)
    assert upkeep.starts == 2 + 101 // 16


async def test_each_error_of_the_application_is_reported(app: Any, upkeep: RecordingUpkeep) -> None:
    client = await member(app)
    for event in ("raise", "cancelled", "unsendable"):
        client.emit("/test", event, ack_id=1)
    await Consumer.members[0].emit("x", callback=lambda: 1 / 0)
    await client.receive()
    client.send("3", "/test", [], 0)
    await wait_until(lambda: len(upkeep.errors) == 4)
    assert {type(error).__name__ for error in upkeep.errors} == {
        "LookupError",
        "CancelledError",
        "EncodingError",
        "ZeroDivisionError",
    }


@pytest.mark.parametrize(("auth", "error"), [({"refuse": []}, ConnectionRefused), ({"raise": True}, LookupError)])
async def test_error_of_the_connect_hook_is_reported(
    app: Any, upkeep: RecordingUpkeep, auth: Any, error: type[Exception]
) -> None:
    client = await SocketIOClient(app).open()
    client.send("0", "/test", auth)
    await client.receive()
    assert [type(reported) for reported in upkeep.errors] == [error]


async def test_client_that_leaves_a_handler_waiting_is_no_error(app: Any, upkeep: RecordingUpkeep) -> None:
    client = await member(app)
    client.emit("/test", "ask")
    await client.receive()
    client.leave()
    await wait_until(lambda: Consumer.log)
    assert upkeep.errors == []


def test_upkeep_does_nothing_by_itself() -> None:
    Upkeep().starting()
    Upkeep().failed(LookupError())
