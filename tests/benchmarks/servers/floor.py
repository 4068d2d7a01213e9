"""The floor: the least that a Python application does which speaks these frames on an ASGI server.

There is no parser, no error, no bound and no state beyond what the answers need. Nobody would run it; what another
server costs more is the price of what it does more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from . import frames
from .floor_polling import poll
from .floor_room import broadcast, room
from .options import PING_INTERVAL_MS

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PING = {"type": "websocket.send", "text": frames.PING}


class Heartbeat:
    """Pings of one connection, as long as it lasts."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._wait()

    def _wait(self) -> None:
        self._timer = self._loop.call_later(PING_INTERVAL_MS / 1000, self._ping)

    def _ping(self) -> None:
        self._sent = asyncio.ensure_future(self._send(_PING))
        self._wait()

    def stop(self) -> None:
        self._timer.cancel()


async def websocket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": frames.open_packet(frames.next_sid())})
    heartbeat = Heartbeat(send)
    try:
        await converse(receive, send)
    finally:
        heartbeat.stop()
        if send in room:
            room.remove(send)


async def converse(receive: Receive, send: Send) -> None:
    """Answers each frame until the client leaves."""
    header = ""
    while (message := await receive())["type"] == "websocket.receive":
        frame = message.get("text")
        if frame is None:
            await send({"type": "websocket.send", "text": header})
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        elif frame.startswith(frames.BROADCAST):
            await broadcast(frames.news(frame))
        elif frame.startswith("451-"):
            header = frames.binary_ack(frame)
        elif frame != frames.PONG:
            if frame.endswith(frames.JOIN):
                room.append(send)
            await send({"type": "websocket.send", "text": frames.answer(frame)})


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await websocket(receive, send)
    elif scope["type"] == "http":
        await poll(scope, receive, send)
    else:
        raise ValueError("there is nothing to do at start-up and at the end")
