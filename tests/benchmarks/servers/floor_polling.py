"""HTTP long-polling of the floor: a session is a list of packets, and the future of a poll that waits for some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from . import frames
from .options import PING_INTERVAL_MS

Message = dict[str, Any]

_HEADERS = [(b"content-type", b"text/plain; charset=UTF-8")]


class Session:
    def __init__(self) -> None:
        self.packets: list[str] = []
        self._poll: asyncio.Future[None] | None = None
        self._wait()

    def _wait(self) -> None:
        asyncio.get_running_loop().call_later(PING_INTERVAL_MS / 1000, self._ping)

    def _ping(self) -> None:
        self.add(frames.PING)
        self._wait()

    def add(self, packet: str) -> None:
        self.packets.append(packet)
        if self._poll is not None:
            self._poll.set_result(None)
            self._poll = None

    async def take(self) -> str:
        """Waits for packets. Returns them as the body of a response."""
        if not self.packets:
            self._poll = asyncio.get_running_loop().create_future()
            await self._poll
        body = "\x1e".join(self.packets)
        self.packets.clear()
        return body


sessions: dict[bytes, Session] = {}


async def poll(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Awaitable[None]]) -> None:
    _, _, sid = scope["query_string"].partition(b"&sid=")
    if not sid:
        body = open_session()
    elif scope["method"] == "GET":
        body = await sessions[sid].take()
    else:
        frame = await read(receive)
        if frame != frames.PONG:
            sessions[sid].add(frames.answer(frame))
        body = "ok"
    await respond(send, body.encode())


def open_session() -> str:
    sid = frames.next_sid()
    sessions[sid.encode()] = Session()
    return frames.open_packet(sid)


async def read(receive: Callable[[], Awaitable[Message]]) -> str:
    """Returns the body, which is one packet."""
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body.decode()


async def respond(send: Callable[..., Awaitable[None]], body: bytes) -> None:
    headers = [*_HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
