"""Writes the packets of a session to its WebSocket: at once, as long as the WebSocket takes them."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Protocol

from ..aio.eager import eager_start, eager_start_in_task
from .asgi import Send
from .asgi_servers import is_gone, is_plain
from .log import Log
from .protocol.packets import EncodedPacket


class Listener(Protocol):
    """The owner of a Writer."""

    def on_writable(self) -> None:
        """What the WebSocket did not take at once is taken."""

    def on_write_failed(self, error: BaseException | None) -> None:
        """Nothing more can be written: the client is gone, or middleware raised `error`."""


class Writer:
    """A WebSocket for writing. A client that keeps up costs no task: only the rest of a `send` that waits gets one."""

    __slots__ = ("_context", "_is_plain", "_limit", "_listener", "_send", "_task", "is_blocked")

    def __init__(self, send: Send, listener: Listener, limit: int) -> None:
        """`send` is that of the ASGI server, or of middleware around it. The refusal of a packet that is larger than
        `limit` bytes is logged.
        """
        self._send = send
        # A server's own does not care in which task it runs. Middleware may: a time-out is one of a task.
        self._is_plain = is_plain(send)
        self._listener = listener
        self._limit = limit
        #: The connection's context, not the sender's: middleware may store values in it.
        self._context = contextvars.copy_context()
        #: Whether a packet is on its way that the WebSocket has not taken yet: no other may be written.
        self.is_blocked = False
        self._task: asyncio.Task[None] | None = None

    def write(self, packet: EncodedPacket) -> None:
        """Writes a packet."""
        try:
            if self._is_plain:
                rest = self._context.run(eager_start, self._send(packet.frame))
                task = None if rest is None else rest.create_task(self._context)
            else:
                # A frame is shared by all its receivers: middleware may change its own.
                task = self._context.run(eager_start_in_task, self._context, self._send, packet.frame.copy())
        except (Exception, asyncio.CancelledError) as error:
            # Whatever a server raises for it, the client is gone. But a server may also have a bound of its own.
            if packet.size > self._limit:
                Log.PACKET_TOO_LARGE.log(packet.size, error)
            self._fail(error)
        else:
            if task is not None:
                self.is_blocked = True
                self._task = task
                task.add_done_callback(self._on_done)

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
