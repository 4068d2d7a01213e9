"""A WebSocket as its ASGI server hands it over: frames in, messages out, and how it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from sio.engineio.transports.websocket_io import (
    MESSAGE_TOO_BIG,
    NO_STATUS,
    NORMAL_CLOSURE,
    SERVICE_RESTART,
    WebSocketIO,
    frame_of,
)
from tests.asgi import APP, Poller, WebSocket


class Server:
    """An ASGI server that has messages for the application, and notes those that it gets."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.sent: list[dict[str, Any]] = []
        #: What it raises for a message.
        self.errors: Iterable[Exception] = ()

    async def receive(self) -> dict[str, Any]:
        return self._messages.pop(0)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        for error in self.errors:
            raise error

    @property
    def codes(self) -> list[int]:
        return [message["code"] for message in self.sent]


def io_of(server: Server) -> WebSocketIO:
    return WebSocketIO(server.receive, server.send)


def received(**frame: Any) -> dict[str, Any]:
    return {"type": "websocket.receive", **frame}


GONE = {"type": "websocket.disconnect"}


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (received(text="a"), "a"),
        (received(bytes=b"a"), b"a"),
        (received(text="a", bytes=None), "a"),
        (received(text=None, bytes=b"a"), b"a"),
        (received(text=""), ""),
        (received(text=None, bytes=b""), b""),
        (received(), b""),
        (GONE, None),
        ({"type": "websocket.invented", "text": "a"}, None),
    ],
    ids=str,
)
def test_frame_is_what_the_message_has(message: dict[str, Any], frame: str | bytes | None) -> None:
    assert frame_of(message) == frame


class TestNextFrame:
    async def test_is_that_of_the_next_message_with_one(self) -> None:
        io = io_of(Server({"type": "websocket.invented"}, received(text="a"), received(text="b")))
        assert [await io.next_frame(), await io.next_frame()] == ["a", "b"]

    async def test_is_none_when_the_client_is_gone(self) -> None:
        io = io_of(Server({"type": "websocket.invented"}, {**GONE, "code": SERVICE_RESTART}))
        assert await io.next_frame() is None
        assert io.disconnect_code == SERVICE_RESTART


@pytest.mark.parametrize(
    ("message", "is_over", "code"),
    [
        ({**GONE, "code": 1001}, True, 1001),
        ({**GONE, "code": None}, True, NO_STATUS),
        (GONE, True, NO_STATUS),
        ({"type": "websocket.invented"}, False, None),
    ],
    ids=str,
)
def test_disconnect_message_says_that_the_client_is_gone(
    message: dict[str, Any], is_over: bool, code: int | None
) -> None:
    io = io_of(Server())
    assert io.is_over(message) is is_over
    assert io.disconnect_code == code


class TestSend:
    async def test_is_tried(self) -> None:
        server = Server()
        assert await io_of(server).try_send({"type": "websocket.accept"}) is True
        assert server.sent == [{"type": "websocket.accept"}]

    async def test_to_a_client_that_is_gone_is_none(self) -> None:
        server = Server()
        server.errors = [OSError("gone")]
        assert await io_of(server).try_send({"type": "websocket.accept"}) is False

    async def test_raises_what_middleware_raises(self) -> None:
        server = Server()
        server.errors = [LookupError()]
        with pytest.raises(LookupError):
            await io_of(server).try_send({"type": "websocket.accept"})


class TestClose:
    @pytest.mark.parametrize("code", [NORMAL_CLOSURE, MESSAGE_TOO_BIG, SERVICE_RESTART])
    async def test_has_the_code(self, code: int) -> None:
        server = Server()
        await io_of(server).close(code)
        assert server.codes == [code]

    async def test_is_none_if_the_client_did(self) -> None:
        server = Server(GONE)
        io = io_of(server)
        await io.next_frame()
        await io.close()
        assert server.sent == []

    async def test_has_another_code_where_the_server_refuses_it(self) -> None:
        """Daphne raises for any code but 1000 and the application's own."""
        server = Server()
        server.errors = iter([ValueError("close code is not allowed")])
        await io_of(server).close(MESSAGE_TOO_BIG)
        assert server.codes == [MESSAGE_TOO_BIG, NORMAL_CLOSURE]

    async def test_of_a_client_that_is_gone_is_no_error(self) -> None:
        for code in (NORMAL_CLOSURE, SERVICE_RESTART):
            server = Server()
            server.errors = [OSError("gone")]
            await io_of(server).close(code)

    async def test_is_not_held_up_by_a_cancellation(self) -> None:
        server = Server()
        server.errors = [asyncio.CancelledError()]  # type: ignore[list-item]
        with pytest.raises(asyncio.CancelledError):
            await io_of(server).close(SERVICE_RESTART)

    async def test_on_a_strict_server_ends_the_session_all_the_same(self) -> None:
        class Strict(WebSocket):
            async def _send(self, message: dict[str, Any]) -> None:
                if message.get("code", 1000) != 1000:
                    raise ValueError("close code is not allowed")
                await super()._send(message)

        websocket = Strict(APP)
        await websocket.open()
        websocket.send("4" * 1_000_001)
        assert await websocket.closed() == 1000


@pytest.mark.usefixtures("echo")
class TestBase64:
    """`b64` in the query: the client takes no binary frames (`supportsBinary` of engine.io)."""

    @pytest.mark.parametrize(("value", "frame"), [("1", "bAQI="), ("0", "bAQI="), ("", b"\x01\x02")])
    async def test_echo(self, value: str, frame: str | bytes) -> None:
        client = WebSocket(APP)
        client.scope["query_string"] += f"&b64={value}".encode()
        await client.open()
        client.send(b"\x01\x02")
        assert await client.receive() == frame

    async def test_bytes_without_content(self) -> None:
        client = WebSocket(APP)
        client.scope["query_string"] += b"&b64=1"
        await client.open()
        client.send(b"")
        assert await client.receive() == "b"

    async def test_upgrade_asks_for_itself(self) -> None:
        poller = Poller(APP)
        await poller.open()
        client = WebSocket(APP, poller.sid)
        client.scope["query_string"] += b"&b64=1"
        assert (await client.connect())["type"] == "websocket.accept"
        client.send("2probe")
        assert await client.receive() == "3probe"
        client.send("5")
        client.send(b"\x01")
        assert await client.receive() == "bAQ=="
