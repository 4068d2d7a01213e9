"""What goes on beside a session: hooks and handlers, what else the application starts, and what requests still have to
deliver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

#: Tasks that outlive their session, hooks most of all: a shutdown waits for them.
unfinished: set[asyncio.Task[Any]] = set()


class SessionTasks:
    """Keeps a reference to each task while it runs, since the loop has only weak ones."""

    __slots__ = ("_is_over", "_on_idle", "_requests", "_tasks")

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}
        #: How many requests have something for the client that it may not have taken.
        self._requests = 0
        self._is_over = False
        self._on_idle: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        """Whether any runs."""
        return bool(self._tasks)

    def adopt(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs a coroutine that calls `release` at its end: a callback of the task would cost as much again."""
        # Not by the loop: its factory may run a task to its end before there is a reference to it.
        task = asyncio.Task(coroutine, loop=asyncio.get_running_loop())
        self._tasks[task] = None
        if self._is_over:
            unfinished.add(task)
        return task

    def create(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs any coroutine."""
        task = self.adopt(coroutine)
        task.add_done_callback(self.release)
        return task

    def release(self, task: asyncio.Task[Any]) -> None:
        """Forgets a task that is at its end."""
        self._tasks.pop(task, None)
        unfinished.discard(task)
        if self._on_idle is not None:
            self._check_idle()

    def hold(self) -> None:
        """A request has something for the client."""
        self._requests += 1

    def let_go(self) -> None:
        """The client has taken it, or is given up. To be called once for each `hold`."""
        self._requests -= 1
        if self._on_idle is not None:
            self._check_idle()

    def _check_idle(self) -> None:
        if self._on_idle is not None and not self._tasks and not self._requests:
            on_idle, self._on_idle = self._on_idle, None
            on_idle()

    def end_session(self, on_idle: Callable[[], None]) -> None:
        """The session is over: what still runs outlives it. `on_idle` is called when nothing is left of it."""
        self._is_over = True
        unfinished.update(self._tasks)
        self._on_idle = on_idle
        self._check_idle()

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109
        """Waits for all, at most so many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)


def release(waiter: asyncio.Future[None]) -> None:
    """Lets those go on that await a future, if they still do."""
    if not waiter.done():
        waiter.set_result(None)
