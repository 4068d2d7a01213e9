"""Calls of a channel layer that may not answer: nobody waits for one beyond a deadline, and none is ever cancelled.

A Redis that hangs keeps its connections open, and its clients' calls with them. To cancel one is no way out: the answer
that comes after all would be read by the next call on the connection (CVE-2023-28858). So each call is a task of its
own, which is left to itself when it is late.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

from ..exceptions import LayerTimeout

#: A deadline is this many slices of time in which the loop was awake, …
_SLICES = 4
#: … and, however busy the loop is, at most as many times as long.
_MOST_PATIENCE = 3

#: Pauses between attempts while the layer fails, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


Call: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class ChannelLayer(Protocol):
    """What is used of a Channels channel layer."""

    async def new_channel(self) -> str: ...
    async def receive(self, channel: str) -> Any: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


def _nothing() -> None:
    return None


async def wait(
    futures: Sequence[asyncio.Future[Any]],
    timeout: float,  # noqa: ASYNC109
    progress: Callable[[], Any] = _nothing,
) -> bool:
    """Waits until all futures are done, at most about `timeout` seconds. Returns whether they are.

    Time in which this process was not able to notice does not count: a loop that is late has answers waiting that it
    did not read yet. Neither does time in which `progress()` changed.
    """
    if not futures:
        return True
    deadline = _Deadline(futures, timeout / _SLICES, progress)
    try:
        return await deadline.result
    finally:
        deadline.timer.cancel()


class _Deadline:
    """Its `result` is whether all futures are done. As `asyncio.wait`, at half the cost: every broadcast waits."""

    def __init__(self, futures: Sequence[asyncio.Future[Any]], slice_: float, progress: Callable[[], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self.result: asyncio.Future[bool] = self._loop.create_future()
        self._futures_left = len(futures)
        self._slice = slice_
        self._progress = progress
        self._slices = self._counted = 0
        for future in futures:
            future.add_done_callback(self._future_done)
        self._start_slice()

    def _future_done(self, future: asyncio.Future[Any]) -> None:
        self._futures_left -= 1
        if not self._futures_left:
            self._finish(True)

    def _start_slice(self) -> None:
        self._due = self._loop.time() + self._slice
        self._before = self._progress()
        self.timer = self._loop.call_at(self._due, self._slice_over)

    def _slice_over(self) -> None:
        self._slices += 1
        self._counted += self._loop.time() < self._due + self._slice / 2 and self._progress() == self._before
        if self._counted == _SLICES or self._slices == _SLICES * _MOST_PATIENCE:
            self._finish(False)
        else:
            self._start_slice()

    def _finish(self, result: bool) -> None:
        if not self.result.done():
            self.result.set_result(result)


class Calls:
    """Makes calls that nobody waits for beyond the deadline.

    `timeout` gives it in seconds. Of those that are late, and not over yet, there are at most `most_late`: then calls
    fail at once.
    """

    def __init__(self, timeout: Callable[[], float], most_late: int | None = None) -> None:
        self.timeout = timeout
        self._most_late = most_late
        #: The loop itself has weak references only.
        self._late: set[asyncio.Task[None]] = set()

    async def run(self, call: Call) -> None:
        """Makes one call. Raises what it raises, and LayerTimeout."""
        self._check_room()
        task = asyncio.get_running_loop().create_task(call())
        try:
            await wait([task], self.timeout())
        finally:  # also if the caller was cancelled
            error = self._outcome(task)
        if error is not None:
            raise error

    async def run_many(
        self, calls: Sequence[Call], on_late_end: Callable[[int], None] | None = None
    ) -> list[Exception | None]:
        """Makes calls side by side. Returns the error of each. `on_late_end` gets the index of each that ends after it
        was given up.
        """
        try:
            self._check_room()
        except LayerTimeout as error:
            return [error] * len(calls)
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(call()) for call in calls]
        try:
            await wait(tasks, self.timeout())
        finally:  # also if the caller was cancelled
            outcomes = [
                self._outcome(task, on_late_end and partial(on_late_end, index)) for index, task in enumerate(tasks)
            ]
        return outcomes

    def _outcome(self, task: asyncio.Task[None], on_late_end: Callable[[], None] | None = None) -> Exception | None:
        """Returns the error of a call. One that is not over yet is left to itself."""
        if task.done():
            return _error_of(task)
        self._leave(task, on_late_end)
        return self._too_late()

    def _too_late(self) -> LayerTimeout:
        return LayerTimeout(f"no answer for {self.timeout():g} s, SIO_CHANNEL_LAYER_TIMEOUT_MS")

    def _check_room(self) -> None:
        if self._most_late is not None and len(self._late) >= self._most_late:
            raise LayerTimeout(f"{len(self._late)} calls have no answer yet")

    def _leave(self, task: asyncio.Task[None], on_late_end: Callable[[], None] | None = None) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            """The call is over after all."""
            self._late.discard(task)
            _error_of(task)  # asyncio would log an exception that nobody has asked for
            if on_late_end is not None:
                on_late_end()

        self._late.add(task)
        task.add_done_callback(ended)


def _error_of(task: asyncio.Task[None]) -> Exception | None:
    if task.cancelled():
        return LayerTimeout("the call was cancelled")  # by its loop, which ends, or by the layer itself
    error = task.exception()
    # What ends a process, asyncio has raised already.
    return error if error is None or isinstance(error, Exception) else LayerTimeout(repr(error))


class Pause:
    """The pauses between attempts: each is twice as long as the one before, up to a bound, until one succeeds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The attempt succeeded."""
        self._next = _FIRST_PAUSE

    def take(self) -> float:
        """Returns the length of the next one, in seconds."""
        # The processes of a site lost the layer at the same time, and should not all come back at the same time.
        length = self._next * random.uniform(0.8, 1.0)
        self._next = min(self._next * 2, _LONGEST_PAUSE)
        return length
