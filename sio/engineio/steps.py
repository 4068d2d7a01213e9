"""What saves a connection a second task: awaitables that are begun without one, and blocks that can be interrupted."""

from __future__ import annotations

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable, Callable, Generator, Iterable
from types import TracebackType
from typing import Any

_DONE = object()


def begin(awaitable: Awaitable[Any]) -> Rest | None:
    """Runs an awaitable as far as it goes without waiting. Returns what is left of it, to be awaited; None if it is
    done. Raises what it raises.

    An ASGI server's `send` to a client that keeps up never waits, and then costs a function call instead of the wake-up
    of a task. What is begun must not care in which task it runs: `asyncio.timeout` does, see `begin_in_task`.
    """
    steps = awaitable.__await__()
    waits_for = next(steps, _DONE)
    return None if waits_for is _DONE else Rest(steps, waits_for)


def begin_in_task(
    context: contextvars.Context, function: Callable[..., Awaitable[Any]], *args: Any
) -> asyncio.Task[None] | None:
    """As `begin`, for a function that may care in which task it runs: in one of its own, and not in that of whoever
    calls, if there is any. To be called within `context`. Returns the task, which runs the rest; None if it is done.
    """
    loop = asyncio.get_running_loop()
    rest: list[Rest] = []
    # It takes its first step when the loop turns, and finds what is left by then.
    task = asyncio.Task(_finish(rest), loop=loop, context=context)
    caller = asyncio.current_task()
    if caller is not None:
        _leave_task(loop, caller)
    _enter_task(loop, task)  # as "Extending" in the documentation of asyncio has it for implementations of tasks
    try:
        steps = function(*args).__await__()
        waits_for = next(steps, _DONE)
    finally:
        _leave_task(loop, task)
        if caller is not None:
            _enter_task(loop, caller)
    if waits_for is _DONE:
        return None
    rest.append(Rest(steps, waits_for))
    return task


async def _finish(rest: Iterable[Rest]) -> None:
    for awaitable in rest:
        await awaitable


class Rest:
    """An awaitable that was begun. Awaiting it goes on where it waits."""

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
                # What the awaitable would have given to its task to wait for: a future, or None for a turn of the loop.
                yield waits_for
            except GeneratorExit:
                self._steps.close()
                raise
            except BaseException as error:
                # The awaitable may want to see it, and go on.
                try:
                    waits_for = self._steps.throw(error)
                except StopIteration:
                    return
            else:
                break
        yield from self._steps


class Interruptible:
    """A block that ends early, without an error, when the function that it gives is called.

    As `asyncio.timeout`, on whose rules for cancellation it is built, but without a coroutine to enter and to leave it:
    every POST does both.
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


async def await_rest(rest: Rest) -> None:
    """Awaits the rest of what was begun, for a task: one is made of coroutines only."""
    await rest
