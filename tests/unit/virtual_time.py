"""An event loop whose clock stands still while there is something to do, and jumps when there is nothing.

What takes minutes is tested in a moment with it, and in the same order each time, however busy the machine is.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: that time has passed is all that it says."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("nothing will ever happen on this loop")
        self.now += max(timeout, 0)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """It takes no threads and no sockets: only what its own timers and tasks do."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(main: Coroutine[Any, Any, T], problems: list[dict[str, Any]]) -> T:
    """Runs `main` on a loop of its own. What the loop's exception handler is called with goes to `problems`."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop, debug=True) as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: problems.append(context))
        return runner.run(main)
