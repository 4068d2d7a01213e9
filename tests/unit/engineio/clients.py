"""What clients in memory do, step by step, for tests of the transports and of whole applications."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests import virtual_time
from tests.asgi import Headers, Poller, Request, WebSocket, request
from tests.client import SocketIOClient

#: The query of a handshake on polling.
HANDSHAKE = "EIO=4&transport=polling"
#: What an ASGI server says that can answer a WebSocket with a response.
CAN_RESPOND = {"extensions": {"websocket.http.response": {}}}


async def turns(count: int = 10) -> None:
    """Lets everything run that can run at once."""
    for _ in range(count):
        await asyncio.sleep(0)


async def begun(request: Request) -> Request:
    """Returns the request once it has come as far as it comes by itself."""
    await asyncio.sleep(0.01)
    return request


async def status(app: Any, headers: Headers = ()) -> int:
    """Asks for a session on polling. Returns the status of the answer."""
    return (await request(app, "GET", HANDSHAKE, headers=headers)).status


def open_post(poller: Poller, *, headers: Headers = ()) -> Request:
    """Begins a POST whose body the test sends itself."""
    return request(poller.app, "POST", f"{HANDSHAKE}&sid={poller.sid}", None, headers)


async def refusal(websocket: WebSocket) -> tuple[int, dict[bytes, bytes], bytes]:
    """Asks for a WebSocket that is refused with a response. Returns its status, headers and body."""
    start = await websocket.connect()
    assert start["type"] == "websocket.http.response.start", start
    body = await websocket.receive_message()
    await websocket.finished()
    return start["status"], dict(start["headers"]), body["body"]


async def probing(app: Any, sid: str) -> WebSocket:
    """Returns a WebSocket that has probed for a session on polling."""
    websocket = WebSocket(app, sid)
    await websocket.connect()
    websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    return websocket


async def upgraded(app: Any, sid: str) -> WebSocket:
    """Returns a WebSocket that a session on polling is on from now on."""
    websocket = await probing(app, sid)
    websocket.send("5")
    return websocket


async def leave(client: WebSocket | SocketIOClient) -> None:
    """The client drops its WebSocket."""
    websocket = client if isinstance(client, WebSocket) else client.websocket
    websocket.disconnect()
    await websocket.finished()


async def failed(websocket: WebSocket) -> BaseException | None:
    """Waits for the end of a WebSocket's application. Returns what it raised."""
    assert websocket.task is not None
    await asyncio.wait([websocket.task])
    return websocket.task.exception()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Returns the warnings and errors of the log."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def live(test: Callable[[], Awaitable[None]]) -> None:
    """Runs a test on a virtual loop of its own. It fails if an exception is left that nobody took."""
    problems: list[dict[str, Any]] = []

    async def run() -> None:
        await test()

    virtual_time.run(run(), problems)
    gc.collect()  # tasks whose exception nobody took say so now
    assert problems == []
