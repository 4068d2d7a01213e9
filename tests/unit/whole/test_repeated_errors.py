"""What clients can have logged again and again is logged once, and then counted."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer
from tests.asgi import request
from tests.client import SocketIOClient

HANDSHAKE = "EIO=4&transport=polling"
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


@pytest.fixture
def app() -> Any:
    return Consumer.as_asgi()


async def member(app: Any) -> SocketIOClient:
    client = await SocketIOClient(app).open()
    await client.connect()
    return client


async def leave(client: SocketIOClient) -> None:
    client.leave()
    await client.websocket.finished()


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    """Returns the warnings and errors that were logged, and whether each has a traceback."""
    return [
        (record.getMessage().removeprefix(f"{__name__}."), record.exc_info is not None)
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


async def test_handler_that_raises_again_and_again_is_counted(
    app: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 errors are one traceback and one number; when they go on, there is one more number every ten seconds."""
    # The pauses of a client are as long as its packets took, in real time. Virtual time would be far ahead of it.
    monkeypatch.setattr("sio.engineio.connection.perf_counter", asyncio.get_running_loop().time)
    client = await member(app)
    for key in range(1_000):
        client.emit("/", "raise", f"key {key}")
    await asyncio.sleep(9)
    assert logged(caplog) == [("Consumer.event_raise raised", True)]
    await asyncio.sleep(2)
    client.emit("/", "raise", "again")
    await asyncio.sleep(30)
    again = f"more times in the last 10 s: {__name__}.Consumer.event_raise raised: LookupError"
    assert logged(caplog)[1:] == [(f"999 {again}", False), (f"1 {again}", False)]


async def test_error_that_did_not_happen_for_a_while_is_news(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = await member(app)
    for _ in range(2):
        client.emit("/", "raise", "key")
        await asyncio.sleep(11)
    assert logged(caplog) == [("Consumer.event_raise raised", True)] * 2


async def test_error_of_one_handler_does_not_hide_that_of_another(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = await member(app)
    for event in (("raise", "key"), ("other",), ("raise", "key"), ("other",)):
        client.emit("/", *event)
    await asyncio.sleep(1)
    assert logged(caplog) == [("Consumer.event_raise raised", True), ("Consumer.event_other raised", True)]


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
async def test_connect_hook_that_fails_is_logged_once(
    app: Any, auth: dict[str, Any], message: str, has_traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    client = await SocketIOClient(app).open()
    for _ in range(100):
        client.send("0", "/", auth)
        assert (await client.receive()).startswith("4{")
    await leave(client)
    assert logged(caplog) == [(message, has_traceback)]


async def test_disconnect_hook_that_fails_is_logged_once(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        await leave(await member(app))
    assert logged(caplog) == [("Consumer.disconnect raised", True)]


async def test_callback_that_fails_is_logged_once(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = await member(app)
    for number in range(20):
        client.emit("/", "ask")
        await client.received(f'2{number}["question"]')
        client.send("3", ack_id=number, data=[])
    await asyncio.sleep(1)
    assert logged(caplog) == [(f"The ack callback {__name__}.Consumer.take_answer raised", True)]


@override_settings(SIO_ALLOW_REQUEST=lambda scope: scope["nothing of the kind"])
async def test_allow_request_that_fails_is_logged_once(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        assert (await request(app, "GET", HANDSHAKE)).status == 403
    assert logged(caplog) == [("SIO_ALLOW_REQUEST raised, so the handshake was refused", True)]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400 + ".5", '[{"a":1E+400}]'])
async def test_number_that_no_handler_could_send_back_ends_the_connection(
    app: Any, number: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No handler gets it, and so none raises."""
    client = await member(app)
    client.websocket.send(f'421["echo",{number}]')
    assert await client.websocket.closed() == 1000
    assert "echo" not in caplog.text


async def test_refused_requests_are_logged_once(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can send them, and as many as they like."""
    for _ in range(50):
        assert (await request(app, "GET", HANDSHAKE, headers=STRANGER)).status == 403
    (record,) = [record for record in caplog.records if "Refused a request" in record.getMessage()]
    assert "127.0.0.1" in record.getMessage()
    assert "evil.example" in record.getMessage()
