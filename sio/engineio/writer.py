"""Writes the packets of a session to its WebSocket: at once, by whoever sends them, as long as it takes them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

from .packets import EncodedPacket
from .servers import is_gone, is_plain
from .steps import Rest, await_rest, begin, begin_in_task

logger = logging.getLogger("sio.engineio")

Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Listener(Protocol):
    """Who has a Writer, and is told of it."""

    def on_writable(self) -> None:
        """What the WebSocket did not take at once is taken."""

    def on_write_failed(self, error: BaseException | None) -> None:
        """Nothing more can be written. The client is gone if there is no `error`, which is one of middleware."""


class Writer:
    """A WebSocket for writing. A client that keeps up costs no task: only the rest of a `send` that waits gets one."""

    __slots__ = ("_context", "_is_plain", "_limit", "_listener", "_send", "_task", "is_blocked")

    def __init__(self, send: Send, listener: Listener, limit: int) -> None:
        """`send` is that of the ASGI server, or of middleware around it; `limit` the size in bytes from which on its
        refusal is told.
        """
        self._send = send
        # A server's own does not care in which task it runs. Middleware may: a time-out is one of a task.
        self._is_plain = is_plain(send)
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
            if self._is_plain:
                rest = self._context.run(begin, self._send(packet.frame))
                task = None if rest is None else self._create_task(rest)
            else:
                # A frame is shared by all its receivers: middleware may change its own.
                task = self._context.run(begin_in_task, self._context, self._send, packet.frame.copy())
        except (Exception, asyncio.CancelledError) as error:
            # Whatever a server raises for it, the client is gone. But a server may also have a bound of its own.
            if packet.size > self._limit:
                logger.warning("A packet of %d bytes was too much for the server: %r", packet.size, error)
            self._fail(error)
        else:
            if task is not None:
                self.is_blocked = True
                self._task = task
                task.add_done_callback(self._on_done)

    def _create_task(self, rest: Rest) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(await_rest(rest), context=self._context)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self.is_blocked = False
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._listener.on_writable()
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        has_left = isinstance(error, asyncio.CancelledError) or is_gone(self._send, error)
        self._listener.on_write_failed(None if has_left else error)

    def cancel(self) -> None:
        """Gives up what was not taken."""
        if self._task is not None:
            self._task.cancel()
