"""Eager start of awaitables: what does not wait costs no task, only what is left of one that does.

asyncio has eager tasks since Python 3.12. This needs no task at all while nothing waits, and works with 3.11.
"""

from __future__ import annotations

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Any

_DONE = object()


def eager_start(awaitable: Awaitable[Any]) -> Suspended | None:
    """Runs an awaitable until it waits. Returns what is left of it, to be awaited; None if it is done. Raises what it
    raises.

    One that does not wait costs a function call instead of the wake-up of a task: the `send` of an ASGI server mostly
    does not. The awaitable must not care in which task it runs: `asyncio.timeout` does, see `eager_start_in_task`.
    """
    steps = awaitable.__await__()
    waits_for = next(steps, _DONE)
    return None if waits_for is _DONE else Suspended(steps, waits_for)


def eager_start_in_task(
    context: contextvars.Context, function: Callable[..., Awaitable[Any]], *args: Any
) -> asyncio.Task[None] | None:
    """Runs a function as `eager_start` does, but in a task of its own, for one that may care in which task it runs.

    It is to be called within `context`. Returns the task, which runs the rest; None if the function is done.
    """
    loop = asyncio.get_running_loop()
    rest: list[Suspended] = []
    # The task takes its first step in the next turn of the loop, and finds by then what is left.
    task = asyncio.Task(_finish(rest), loop=loop, context=context)
    caller = asyncio.current_task()
    if caller is not None:
        _leave_task(loop, caller)
    _enter_task(loop, task)  # asyncio's documentation, "Extending", gives these two to implementations of tasks
    try:
        steps = function(*args).__await__()
        waits_for = next(steps, _DONE)
    finally:
        _leave_task(loop, task)
        if caller is not None:
            _enter_task(loop, caller)
    if waits_for is _DONE:
        return None
    rest.append(Suspended(steps, waits_for))
    return task


async def _finish(started: Iterable[Suspended]) -> None:
    for awaitable in started:
        await awaitable


class Suspended:
    """An awaitable that was started and waits. Awaiting it goes on from there."""

    __slots__ = ("_steps", "_waits_for")

    def __init__(self, steps: Generator[Any, None, Any], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for
        if asyncio.isfuture(waits_for):
            # The mark of an `await` that goes to a task, which it does later: meanwhile others may await the future.
            waits_for._asyncio_future_blocking = False

    def __await__(self) -> Generator[Any, None, None]:
        waits_for = self._waits_for
        while True:
            if asyncio.isfuture(waits_for):
                waits_for._asyncio_future_blocking = True
            try:
                # What the awaitable would have given its task to wait for: a future, or None for a turn of the loop.
                yield waits_for
            except GeneratorExit:
                self._steps.close()
                raise
            except BaseException as error:
                # The awaitable may catch it, and go on.
                try:
                    waits_for = self._steps.throw(error)
                except StopIteration:
                    return
            else:
                break
        yield from self._steps

    def create_task(self, context: contextvars.Context) -> asyncio.Task[None]:
        """Returns a task that goes on with it."""
        return asyncio.get_running_loop().create_task(_finish((self,)), context=context)
