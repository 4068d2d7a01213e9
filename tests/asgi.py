"""Drives an ASGI application in memory: the requests of polling clients, and WebSockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from channels.routing import ProtocolTypeRouter

from sio.engineio import EngineIOWebSocketConsumer, LongPollingConsumer
from tests.pace import TIMEOUT

Headers = Iterable[tuple[bytes, bytes]]

#: The two transports alone, for an Engine.IO application.
APP = ProtocolTypeRouter({"http": LongPollingConsumer.as_asgi(), "websocket": EngineIOWebSocketConsumer.as_asgi()})


@dataclass
class Response:
    """The answer to one HTTP request."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def packets(self) -> list[str]:
        """The segments of a payload."""
        return self.text.split("\x1e")

    def json(self) -> Any:
        return json.loads(self.body)


class Request:
    """One HTTP request on its way. `await request` gives the response."""

    def __init__(self, app: Any, scope: dict[str, Any], messages: Iterable[dict[str, Any]]) -> None:
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self._incoming.put_nowait(message)
        self._response = Response()
        #: Cleared, the server cannot finish its answer.
        self.taken = asyncio.Event()
        self.taken.set()
        self.task = asyncio.ensure_future(app(scope, self._incoming.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._response.status = message["status"]
            self._response.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self._response.body += message["body"]
            await self.taken.wait()

    def send_body(self, body: bytes, *, more_body: bool = False) -> None:
        """The client sends another part of the body."""
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more_body})

    def send_event(self, event: dict[str, Any]) -> None:
        """The server tells the application something."""
        self._incoming.put_nowait(event)

    def disconnect(self) -> None:
        """The client leaves."""
        self.send_event({"type": "http.disconnect"})

    async def answer_begun(self) -> int:
        """Waits for the answer to begin. Returns its status."""
        async with asyncio.timeout(TIMEOUT):
            while not self._response.status:
                await asyncio.sleep(0.001)
        return self._response.status

    def __await__(self) -> Any:
        return self._wait().__await__()

    async def _wait(self) -> Response:
        await asyncio.wait_for(self.task, TIMEOUT)
        return self._response


def http_scope(method: str, query: str, headers: Headers = ()) -> dict[str, Any]:
    """The scope of a request for the Socket.IO path."""
    return {
        "type": "http",
        "method": method,
        "path": "/socket.io/",
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver"), *headers],
        "client": ("127.0.0.1", 1234),
        "scheme": "http",
    }


def request(app: Any, method: str, query: str, body: bytes | None = b"", headers: Headers = ()) -> Request:
    """Starts a request. With `body=None` the caller sends the body itself."""
    messages = [] if body is None else [{"type": "http.request", "body": body, "more_body": False}]
    return Request(app, http_scope(method, query, headers), messages)


class Poller:
    """A long-polling client."""

    def __init__(self, app: Any, headers: Headers = ()) -> None:
        self.app = app
        self.headers = tuple(headers)
        self.sid = ""

    async def open(self) -> dict[str, Any]:
        """Opens a session. Returns the handshake."""
        response = await request(self.app, "GET", "EIO=4&transport=polling", headers=self.headers)
        assert response.status == 200, response
        handshake: dict[str, Any] = json.loads(response.text[1:])
        self.sid = handshake["sid"]
        return handshake

    def get(self) -> Request:
        """Polls."""
        return request(self.app, "GET", f"EIO=4&transport=polling&sid={self.sid}", headers=self.headers)

    def post(self, body: str | bytes, headers: Headers = ()) -> Request:
        """Sends packets."""
        encoded = body.encode() if isinstance(body, str) else body
        query = f"EIO=4&transport=polling&sid={self.sid}"
        return request(self.app, "POST", query, encoded, (*self.headers, *headers))


class WebSocket:
    """A WebSocket client."""

    def __init__(self, app: Any, sid: str = "", headers: Headers = (), **scope: Any) -> None:
        query = "EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
        self.scope = {**http_scope("GET", query, headers), "type": "websocket", "scheme": "ws", **scope}
        self._app = app
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None
        #: What the server's `send` raises from now on.
        self.send_error: BaseException | None = None
        #: What it raises after it waited.
        self.late_error: Exception | None = None
        #: Cleared, the client does not read: the server's `send` waits.
        self.taken = asyncio.Event()
        self.taken.set()

    async def _send(self, message: dict[str, Any]) -> None:
        if self.send_error is not None:
            raise self.send_error
        await self.taken.wait()
        if self.late_error is not None:
            raise self.late_error
        self._outgoing.put_nowait(message)

    async def connect(self) -> dict[str, Any]:
        """Asks for the WebSocket. Returns the server's answer."""
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(self._app(self.scope, self._incoming.get, self._send))
        return await self.receive_message()

    async def open(self) -> dict[str, Any]:
        """Opens a session on the WebSocket. Returns the handshake."""
        assert (await self.connect())["type"] == "websocket.accept"
        handshake: dict[str, Any] = json.loads((await self.receive())[1:])
        return handshake

    def send(self, frame: str | bytes) -> None:
        """Sends one frame."""
        key = "text" if isinstance(frame, str) else "bytes"
        self._incoming.put_nowait({"type": "websocket.receive", key: frame})

    async def receive_message(self) -> dict[str, Any]:
        """Returns the next ASGI message of the server."""
        return await asyncio.wait_for(self._outgoing.get(), TIMEOUT)

    async def receive(self) -> Any:
        """Returns the next frame."""
        message = await self.receive_message()
        assert message["type"] == "websocket.send", message
        return message.get("text", message.get("bytes"))

    async def closed(self) -> int:
        """Waits for the server's close. Returns its code."""
        message = await self.receive_message()
        assert message["type"] == "websocket.close", message
        await self.finished()
        return int(message.get("code", 1000))

    def disconnect(self, code: int = 1005) -> None:
        """The client leaves."""
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": code})

    async def finished(self) -> None:
        """Waits until the application is done with this WebSocket."""
        assert self.task is not None
        await asyncio.wait_for(self.task, TIMEOUT)
