"""Tasks that belong to somebody, who is kept until they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class OwnedTasks:
    """Keeps a reference to each task while it runs, since the loop has only weak ones.

    `outliving` is a set that many owners share. A task is in it while it runs longer than what it belongs to.
    """

    __slots__ = ("_holds", "_is_over", "_on_idle", "_outliving", "_tasks")

    def __init__(self, outliving: set[asyncio.Task[Any]]) -> None:
        self._outliving = outliving
        self._tasks: dict[asyncio.Task[Any], None] = {}
        #: How many other things still need the owner.
        self._holds = 0
        self._is_over = False
        self._on_idle: Callable[[], None] | None = None

    def adopt(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs a coroutine that calls `release` at its end: a callback of the task would cost as much again."""
        # Not by the loop: its factory may run a task to its end before there is a reference to it.
        task = asyncio.Task(coroutine, loop=asyncio.get_running_loop())
        self._tasks[task] = None
        if self._is_over:
            self._outliving.add(task)
        return task

    def create(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs any coroutine."""
        task = self.adopt(coroutine)
        task.add_done_callback(self.release)
        return task

    def release(self, task: asyncio.Task[Any]) -> None:
        """Forgets a task that is at its end."""
        self._tasks.pop(task, None)
        self._outliving.discard(task)
        if self._on_idle is not None:
            self._check_idle()

    def hold(self) -> None:
        """Something else than a task needs the owner."""
        self._holds += 1

    def let_go(self) -> None:
        """It needs the owner no more. To be called once for each `hold`."""
        self._holds -= 1
        if self._on_idle is not None:
            self._check_idle()

    def _check_idle(self) -> None:
        if self._on_idle is not None and not self._tasks and not self._holds:
            on_idle, self._on_idle = self._on_idle, None
            on_idle()

    def end(self, on_idle: Callable[[], None]) -> None:
        """Their owner is over, and what still runs outlives it. `on_idle` is called when nothing is left."""
        self._is_over = True
        self._outliving.update(self._tasks)
        self._on_idle = on_idle
        self._check_idle()

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109
        """Waits for all tasks, at most `timeout` seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)
