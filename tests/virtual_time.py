"""An event loop whose clock stands still while there is something to do, and jumps when there is nothing.

What takes minutes is tested in a moment with it, and in the same order each time, however busy the machine is.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


#: More turns than any test has work for.
_MAX_TURNS = 1_000_000


class _Selector(selectors.DefaultSelector):
    """Waits for threads, and for nothing else: that time has passed is all that it says."""

    now = 0.0
    #: How many calls threads are busy with.
    calls = 0
    #: How often the loop turned since time passed.
    turns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        if self.calls and timeout != 0:  # the clock stands still for them too
            return super().select()
        if timeout is None:
            raise RuntimeError("nothing will ever happen on this loop")
        if timeout > 0:
            self.now += timeout
            self.turns = 0
        elif self.turns > _MAX_TURNS:
            raise RuntimeError("something waits for time to pass, and turns the loop meanwhile: it stands still")
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """It takes no sockets: only what its own timers and tasks do, and the calls that it gives to threads."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def stand_still(self, seconds: float) -> None:
        """Time passes in which nothing of the loop runs."""
        self._virtual.now += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._virtual.calls += 1
        future.add_done_callback(self._call_is_over)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._virtual.calls += 1  # it waits for the threads in one more
        await super().shutdown_default_executor()
        self._virtual.calls -= 1

    def _call_is_over(self, future: asyncio.Future[Any]) -> None:
        self._virtual.calls -= 1


def run(main: Coroutine[Any, Any, T], problems: list[dict[str, Any]]) -> T:
    """Runs `main` on a loop of its own. What the loop's exception handler is called with goes to `problems`."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: problems.append(context))
        return runner.run(main)
