"""The event loop that objects without locks are bound to, and the way there from other loops and threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from ..exceptions import WrongEventLoop

#: How often those who wait for the loop look whether it still runs, in seconds.
_CHECK_INTERVAL = 1.0


class BoundLoop:
    """The only loop that may touch certain objects. Whatever is to be done with them elsewhere, is done there.

    `misuse` is the text of the WrongEventLoop that is raised where an object is used on another loop.
    """

    def __init__(self, misuse: str) -> None:
        self._misuse = misuse
        self._loop: asyncio.AbstractEventLoop | None = None
        #: The loop's thread, in which no other loop can run meanwhile. Comparing threads takes a tenth of the time of
        #: asking for the running loop.
        self._thread: int | None = None

    def bind(self, *, is_free: bool) -> None:
        """Binds the objects to the running loop, unless another loop runs that has some. `is_free` says that there are
        none.
        """
        if is_free or not self.is_running:
            self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    @property
    def is_current(self) -> bool:
        """Whether the caller is on the loop."""
        return threading.get_ident() == self._thread

    @property
    def is_running(self) -> bool:
        """Whether there is a loop, and it runs."""
        return self._loop is not None and self._loop.is_running()

    def check(self) -> None:
        """Raises WrongEventLoop on another loop."""
        if threading.get_ident() != self._thread:
            raise WrongEventLoop(self._misuse)

    async def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine on the loop, and waits for it on the caller's. Raises what it raises, and RuntimeError if
        the loop ends before it.
        """
        assert self._loop is not None
        try:
            future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))
        except RuntimeError:  # the loop was closed in the meantime
            coroutine.close()
            raise
        # A loop that stops leaves everything as it is, and notifies nobody.
        while not (await asyncio.wait([future], timeout=_CHECK_INTERVAL))[0] and self.is_running:
            pass
        if future.cancelled() or not future.done():
            raise RuntimeError("the event loop of the sockets ended")
        future.result()
