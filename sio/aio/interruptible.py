"""Blocks of a task that another one can end early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Interruptible:
    """A block that ends early, without an error, when the function that it gives is called.

    As `asyncio.timeout`, on whose rules for cancellation it is built, but without a coroutine to enter and to leave it:
    both happen often.
    """

    __slots__ = ("_cancelled", "_cancelling", "_task")

    def __enter__(self) -> Callable[[], None]:
        task = asyncio.current_task()
        assert task is not None
        self._task: asyncio.Task[Any] | None = task
        self._cancelling = task.cancelling()
        self._cancelled = False
        return self._interrupt

    def _interrupt(self) -> None:
        # Not at once: the task itself may be calling, and leave the block before it waits again.
        if self._task is not None:
            self._task.get_loop().call_soon(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None and not self._cancelled:
            self._cancelled = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        assert task is not None
        # If somebody else cancelled the task too, it is to end.
        return self._cancelled and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError
