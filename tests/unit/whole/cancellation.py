"""An ASGI server that cancels a request at one of its suspensions."""

from __future__ import annotations

import asyncio
import itertools
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any


class Cancellation:
    """Cancels a task at one of its suspensions: as it begins to wait or, `late`, just as it was about to go on."""

    def __init__(self, at: int, *, late: bool) -> None:
        #: Whether the task came as far as that, and whether it was cancelled.
        self.reached = self.happened = False
        self._at = at
        self._late = late

    def server(self, app: Any) -> Any:
        """Returns the application under a server that suspends whenever it is asked for something, and cancels."""

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            await self._drive(app(scope, _suspending(receive), _suspending(send)))

        return serve

    @types.coroutine
    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, None]:
        error: BaseException | None = None
        for number in itertools.count(1):
            try:
                awaited = coroutine.send(None) if error is None else coroutine.throw(error)
            except StopIteration:
                return
            if number == self._at:
                self.reached = True
                self._cancel(awaited)
            error = None
            try:
                yield awaited
            except BaseException as thrown:
                error = thrown

    def _cancel(self, awaited: asyncio.Future[Any] | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not self._late:
            self._cancel_now(task)
        elif awaited is None:  # `asyncio.sleep(0)`
            task.get_loop().call_soon(self._cancel_now, task)
        else:
            # Before the callback of the task itself: what it waits for is there, and it has not gone on.
            awaited.add_done_callback(lambda future: self._cancel_now(task))

    def _cancel_now(self, task: asyncio.Task[Any]) -> None:
        self.happened = task.cancel()


def _suspending(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def suspending(*args: Any) -> Any:
        await asyncio.sleep(0)
        result = await function(*args)
        await asyncio.sleep(0)
        return result

    return suspending
