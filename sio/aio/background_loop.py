"""An event loop in a thread of its own, for code that has none: started at the first use, and anew after a fork."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class BackgroundLoop:
    """Runs coroutines for threads, one thread for all of them: what they open is opened once, such as a connection."""

    def __init__(self) -> None:
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        # A fork has the loop, and no thread; the lock may have been taken by a thread that it does not have either.
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Runs a coroutine, and waits for it. Returns what it returns, and raises what it raises."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._start()).result()

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_serve, args=(self._loop,), name="sio-emitter", daemon=True)
                thread.start()
                # Before the interpreter goes: a daemon is frozen wherever it is.
                threading._register_atexit(_stop, weakref.ref(self._loop), thread)  # type: ignore[attr-defined]
            return self._loop

    def stop(self) -> None:
        """Stops the thread, until the next use."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _stop(loop: weakref.ref[asyncio.AbstractEventLoop], thread: threading.Thread) -> None:
    alive = loop()
    if alive is not None and not alive.is_closed():
        alive.call_soon_threadsafe(alive.stop)
        thread.join()
