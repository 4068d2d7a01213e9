"""The event loop that the sockets of a server live on, and the way there from other loops and threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

#: How often it is looked whether the loop still runs, by those who wait for it, in seconds.
_CHECK_INTERVAL = 1.0


class HomeLoop:
    """Sockets, rooms and encoders have no locks: only this loop may touch them.

    Whoever broadcasts from another loop, that of `async_to_sync` in a thread above all, has it done there. The methods
    of a socket raise instead: what a socket is, and is in, may have changed before the loop gets to it.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Its thread, in which no other loop can run meanwhile: asking for that costs a tenth of asking for the loop.
        self._thread: int | None = None

    def settle(self, *, is_free: bool) -> None:
        """A session opened on the running loop: that is home, unless another loop with sessions runs. `is_free` says
        that there is no session.
        """
        if is_free or not self.is_running:
            self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the loop."""
        return threading.get_ident() == self._thread

    @property
    def is_running(self) -> bool:
        """Whether there is a loop with sockets."""
        return self._loop is not None and self._loop.is_running()

    def check(self) -> None:
        """Raises RuntimeError on another loop."""
        if threading.get_ident() != self._thread:
            raise RuntimeError(
                "a socket is used in a thread or event loop that is not its own: emit with "
                "'await server.emit(event, ..., room=socket.id, namespace=socket.namespace)' there"
            )

    async def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine on the loop, and waits for it on the caller's. Raises what it raises, and RuntimeError if
        the loop ends before it.
        """
        assert self._loop is not None
        try:
            future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))
        except RuntimeError:  # it was closed in the meantime
            coroutine.close()
            raise
        # A loop that stops leaves everything as it is, and tells nobody.
        while not (await asyncio.wait([future], timeout=_CHECK_INTERVAL))[0] and self.is_running:
            pass
        if future.cancelled() or not future.done():
            raise RuntimeError("the event loop of the sockets ended")
        future.result()
