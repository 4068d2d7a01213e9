"""Hears of the end of a process before its ASGI server goes, so that clients hear of it and hooks have time.

No server tells an application early enough that it is to end. uvicorn closes WebSockets, waits for open polls (by
default without a limit), and only then sends the `shutdown` of the ASGI lifespan, which a ProtocolTypeRouter does not
route anyway. Daphne has no lifespan: it cancels applications until it stumbles over the first WebSocket, and drops all
connections. Django's autoreloader lets Daphne run in a daemon thread, which is frozen wherever it is.

So this module hears of the end before the ASGI server does:

* A server in the main thread (uvicorn, Daphne, `runserver --noreload`) is ended by SIGTERM or SIGINT. Handlers that
  stand before the server's own hold the first signal back while the sessions end, and then hand it on. With no poll and
  no WebSocket left, the server has nothing to wait for. The signal may come twice, to all processes of a group and then
  from the supervisor among them (`uvicorn --workers`, systemd): only a second SIGINT is impatience, as in uvicorn.
* A server in another thread (`runserver` with its autoreloader) goes when the main thread is done: it is held up there.

Nothing is installed before the first session opens. A signal that the server does not handle is left alone: tests and
management commands have no handler of SIGTERM. A server that is ended without either, such as uvicorn by its limit of
requests, ends its sessions by closing or cancelling what carries them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

from ..engineio.server import EngineIOServer
from ..engineio.shutdown import CANCEL_TIMEOUT
from .log import Log

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ExitWatch:
    """Sees to it that the sessions of a server are ended before its ASGI server is."""

    def __init__(self, server: EngineIOServer) -> None:
        self._server = server
        self._loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._holds_exit = False

    def start(self) -> None:
        """A session opens on the running loop. Only the first call for a loop does something."""
        loop = asyncio.get_running_loop()
        if loop in self._loops:
            return
        if threading.current_thread() is threading.main_thread():
            self._hold_signals(loop)
        elif not self._holds_exit:
            self._holds_exit = True
            # `atexit` would be too late: a hook could start no work in threads, and so not reach the database.
            threading._register_atexit(_hold_exit, weakref.ref(self))  # type: ignore[attr-defined]
        self._loops.add(loop)

    def _hold_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        held = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
        if isinstance(held, _HeldSignals):
            held.loop = loop  # of an ASGI server that was started after another one ended
            held.servers.add(self._server)
        else:
            _HeldSignals(loop, self._server)

    def hold_exit(self) -> None:
        """Ends the sessions of loops in other threads, while the main thread waits."""
        for loop in list(self._loops):
            if loop.is_running():
                ending = asyncio.run_coroutine_threadsafe(self._server.shutdown.run(), loop)
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    ending.result(self._server.shutdown.timeout + 3 * CANCEL_TIMEOUT)


def _hold_exit(watch: weakref.ref[ExitWatch]) -> None:
    if (alive := watch()) is not None:
        alive.hold_exit()


class _HeldSignals:
    """Stands before the signal handlers of the ASGI server that runs in a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: EngineIOServer) -> None:
        self.loop = loop
        self.servers = weakref.WeakSet([server])
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        #: The signal to hand on when the sessions have ended.
        self._held: int | None = None
        #: The shutdown that a signal began.
        self._task: asyncio.Task[None] | None = None
        if callable(signal.getsignal(signal.SIGTERM)):
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):  # and not ignored
                    self._handlers[number] = handler
                    signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        is_under_way = self._task is not None and any(server.shutdown.is_under_way for server in self.servers)
        if self._held is None and not is_under_way and self.loop.is_running():
            self._held = number
            self.loop.call_soon_threadsafe(self._begin)
        elif number == signal.SIGINT or not self.loop.is_running():
            # As in uvicorn: a second interrupt means that nobody wants to wait.
            if self._held is not None:
                self._held = None
                Log.CUT_SHORT.log(signal.Signals(number).name, sum(len(server.unfinished) for server in self.servers))
            self._handlers[number](number, frame)
        # Else it is the same wish once more: a supervisor hands on what the whole group of processes got.

    def _begin(self) -> None:
        self._task = self.loop.create_task(self._shut_down())
        self._task.add_done_callback(self._hand_on)

    async def _shut_down(self) -> None:
        results = await asyncio.gather(*[server.shutdown.run() for server in self.servers], return_exceptions=True)
        for error in filter(None, results):
            Log.SHUTDOWN_FAILED.log(error=error)

    def _hand_on(self, task: asyncio.Task[None]) -> None:
        number, self._held = self._held, None
        if number is not None:
            self._handlers[number](number, None)
