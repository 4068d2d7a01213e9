"""Ends the sessions of a process before its server goes, so that clients hear of it and hooks have time.

No server tells an application early enough that it is to end. uvicorn closes WebSockets, waits for open polls (by
default without a limit), and only then sends the `shutdown` of the ASGI lifespan, which a ProtocolTypeRouter does not
route anyway. Daphne has no lifespan: it cancels applications until it stumbles over the first WebSocket, and drops all
connections. Django's autoreloader lets Daphne run in a daemon thread, which is frozen wherever it is.

So this module hears of the end before the server does:

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
import functools
import logging
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

from . import conf
from .engineio.app import get_engineio_app
from .engineio.registry import registry
from .engineio.state import Reason
from .engineio.tasks import unfinished

logger = logging.getLogger("sio.engineio")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: Turns of the event loop, and the least time of each in seconds, in which the server writes the last answers: ASGI
#: does not say when it has.
_LAST_TURNS, _TURN = 10, 0.01
#: How long cancelled hooks may take to end, and then the application, in seconds.
_CANCEL_TIMEOUT = 0.5

_watched: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
#: The loop whose sessions are being ended. It may end itself before it can say that this is over.
_ending: asyncio.AbstractEventLoop | None = None


def is_under_way() -> bool:
    """Whether the sessions of this process are being ended: no new one should open."""
    return _ending is not None and _ending.is_running()


def watch() -> None:
    """Sees to it that the sessions of the running loop are ended before its server. Called for each; only the first
    call does something.
    """
    loop = asyncio.get_running_loop()
    if loop in _watched:
        return
    if threading.current_thread() is threading.main_thread():
        _hold_signals(loop)
    else:
        _hold_exits()
    _watched.add(loop)


@functools.cache
def _hold_exits() -> None:
    # `atexit` would be too late: a hook could start no work in threads, and so not reach the database.
    threading._register_atexit(_hold_exit)  # type: ignore[attr-defined]


def _hold_signals(loop: asyncio.AbstractEventLoop) -> None:
    held = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(held, _HeldSignals):
        held.loop = loop  # of a server that was started after another one ended
    else:
        _HeldSignals(loop)


class _HeldSignals:
    """Stands before the handlers of the server that runs in a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        #: The signal to hand on when the sessions have ended.
        self._held: int | None = None
        if callable(signal.getsignal(signal.SIGTERM)):
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):  # and not ignored
                    self._handlers[number] = handler
                    signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._held is None and not is_under_way() and self.loop.is_running():
            self._held = number
            self.loop.call_soon_threadsafe(self._begin)
        elif number == signal.SIGINT or not self.loop.is_running():
            # As in uvicorn: who interrupts a server that is ending will not wait.
            if self._held is not None:
                self._held = None
                name = signal.Signals(number).name
                logger.error("A second %s cuts %d hooks and handlers short", name, len(unfinished))
            self._handlers[number](number, frame)
        # Else it is the same wish once more: a supervisor hands on what the whole group of processes got.

    def _begin(self) -> None:
        self._task = self.loop.create_task(end_sessions())
        self._task.add_done_callback(self._hand_on)

    def _hand_on(self, task: asyncio.Task[None]) -> None:
        number, self._held = self._held, None
        if number is not None:
            self._handlers[number](number, None)


def _hold_exit() -> None:
    """Ends the sessions of loops in other threads, while the main thread waits."""
    for loop in list(_watched):
        if loop.is_running():
            ending = asyncio.run_coroutine_threadsafe(end_sessions(), loop)
            with contextlib.suppress(concurrent.futures.TimeoutError):
                ending.result(_timeout() + 3 * _CANCEL_TIMEOUT)


def _timeout() -> float:
    return conf.get_settings().engineio.shutdown_timeout / 1000


async def end_sessions() -> None:
    """Ends all sessions, and gives their hooks until the deadline. Handshakes are refused meanwhile, and as long again:
    who was sent away must not come back to a server that is about to close.
    """
    global _ending
    _ending = asyncio.get_running_loop()
    try:
        for socket in registry:
            socket.end(Reason.SERVER_SHUTTING_DOWN)
        await _finish_hooks()
        await _finish_application()
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(_TURN)
    finally:
        asyncio.get_running_loop().call_later(_timeout(), _resume)


async def _finish_hooks() -> None:
    if not unfinished:
        return
    _, late = await asyncio.wait(list(unfinished), timeout=_timeout())
    if late:
        logger.error("Cancelled %d hooks and handlers that took longer than SIO_SHUTDOWN_TIMEOUT_MS", len(late))
        for task in late:
            task.cancel()
        await _finish_cancelled()


async def _finish_cancelled() -> None:
    """Waits for tasks that were cancelled, and for the `disconnect` hooks that waited behind them."""
    try:
        async with asyncio.timeout(_CANCEL_TIMEOUT):
            while unfinished:
                await asyncio.wait(list(unfinished))
    except TimeoutError:
        logger.error("Left %d hooks and handlers that do not end behind", len(unfinished))


async def _finish_application() -> None:
    try:
        async with asyncio.timeout(_CANCEL_TIMEOUT):
            await get_engineio_app().on_shutdown()
    except Exception:
        logger.exception("The application did not shut down")


def _resume() -> None:
    # The server took the signal for something else, and goes on.
    global _ending
    _ending = None
