"""Which errors of an application's code end the task that it runs in, and which are only the application's."""

from __future__ import annotations

import asyncio


def raise_if_final(error: BaseException) -> None:
    """Raises what is to end the running task: its own cancellation, and what Python raises by itself.

    Every other error is the application's: also a CancelledError of something that it awaited, and SystemExit, since
    `sys.exit()` in a handler would stop the event loop, and with it the server of all other clients.
    """
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error
    if _is_cancelled():
        raise asyncio.CancelledError


def _is_cancelled() -> bool:
    """Whether this very task was cancelled, and not only something that the application awaited."""
    # A function of its own: the task keeps the error with the frames that it came through, and a frame with a variable
    # for the task would keep the task.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
