"""Ends all sessions of a server, and gives their hooks time to finish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .application import EngineIOApplication
from .log import Log
from .protocol.options import EngineIOOptions
from .protocol.state import CloseReason
from .socket import EngineIOSocket

#: Turns of the event loop, and the least time of each in seconds, in which the ASGI server writes the last answers.
#: ASGI does not say when it has.
_LAST_TURNS, _TURN = 10, 0.01
#: How long cancelled hooks may take to end, and then the application, in seconds.
CANCEL_TIMEOUT = 0.5


class Ending(Protocol):
    """What a shutdown asks of its server."""

    app: EngineIOApplication
    options: Callable[[], EngineIOOptions]
    unfinished: set[asyncio.Task[Any]]

    @property
    def sockets(self) -> Iterator[EngineIOSocket]: ...


class Shutdown:
    """The shutdown of one server."""

    def __init__(self, server: Ending) -> None:
        self._server = server
        #: The loop whose sessions are being ended. It may end itself before it can say that this is over.
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the sessions are being ended: no new one should open."""
        return self._loop is not None and self._loop.is_running()

    @property
    def timeout(self) -> float:
        """How long hooks may take, in seconds."""
        return self._server.options().shutdown_timeout / 1000

    async def run(self) -> None:
        """Ends all sessions, and gives their hooks until the deadline.

        Handshakes are refused meanwhile, and for as long again: a client that was sent away must not come back to a
        server that is about to close.
        """
        self._loop = asyncio.get_running_loop()
        try:
            for socket in self._server.sockets:
                socket.end(CloseReason.SERVER_SHUTTING_DOWN)
            await self._finish_hooks()
            await self._finish_application()
            for _ in range(_LAST_TURNS):
                await asyncio.sleep(_TURN)
        finally:
            asyncio.get_running_loop().call_later(self.timeout, self._go_on)

    async def _finish_hooks(self) -> None:
        unfinished = self._server.unfinished
        if not unfinished:
            return
        _, late = await asyncio.wait(list(unfinished), timeout=self.timeout)
        if late:
            Log.TASKS_CANCELLED.log(len(late))
            for task in late:
                task.cancel()
            await self._finish_cancelled()

    async def _finish_cancelled(self) -> None:
        """Waits for tasks that were cancelled, and for the `disconnect` hooks that waited behind them."""
        unfinished = self._server.unfinished
        try:
            async with asyncio.timeout(CANCEL_TIMEOUT):
                while unfinished:
                    await asyncio.wait(list(unfinished))
        except TimeoutError:
            Log.TASKS_LEFT.log(len(unfinished))

    async def _finish_application(self) -> None:
        try:
            async with asyncio.timeout(CANCEL_TIMEOUT):
                await self._server.app.on_shutdown()
        except Exception as error:
            Log.SHUTDOWN_FAILED.log(error=error)

    def _go_on(self) -> None:
        # The ASGI server took the signal for something else, and goes on.
        self._loop = None
