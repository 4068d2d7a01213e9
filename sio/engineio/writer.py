"""Writes the packets of a session to its WebSocket: at once, by whoever sends them, as long as it takes them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

from .packets import EncodedPacket
from .steps import Rest, begin

logger = logging.getLogger("sio.engineio")

Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Listener(Protocol):
    """Who has a Writer, and is told of it."""

    def on_writable(self) -> None:
        """What the WebSocket did not take at once is taken."""

    def on_write_failed(self) -> None:
        """The client is gone."""


class Writer:
    """A WebSocket for writing. A client that keeps up costs no task: only the rest of a `send` that waits gets one."""

    __slots__ = ("_context", "_limit", "_listener", "_send", "_task", "is_blocked")

    def __init__(self, send: Send, listener: Listener, limit: int) -> None:
        """`send` is that of the ASGI server; `limit` the size in bytes from which on its refusal is told."""
        self._send = send
        self._listener = listener
        self._limit = limit
        #: That of the connection, and not of whoever sends: middleware may keep something there.
        self._context = contextvars.copy_context()
        #: Whether a packet is on its way that the WebSocket has not taken yet: no other may be written.
        self.is_blocked = False
        self._task: asyncio.Task[None] | None = None

    def write(self, packet: EncodedPacket) -> None:
        """Writes a packet."""
        try:
            rest = self._context.run(begin, self._send(packet.frame))
        except (Exception, asyncio.CancelledError) as error:
            # Whatever a server raises, the client is gone. But a server may also have a bound of its own.
            if packet.size > self._limit:
                logger.warning("A packet of %d bytes was too much for the server: %r", packet.size, error)
            self._listener.on_write_failed()
        else:
            if rest is not None:
                self._finish(rest)

    def _finish(self, rest: Rest) -> None:
        self.is_blocked = True
        self._task = asyncio.get_running_loop().create_task(_await(rest), context=self._context)
        self._task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self.is_blocked = False
        if task.cancelled() or task.exception() is not None:
            self._listener.on_write_failed()
        else:
            self._listener.on_writable()

    def cancel(self) -> None:
        """Gives up what was not taken."""
        if self._task is not None:
            self._task.cancel()


async def _await(rest: Rest) -> None:
    await rest
