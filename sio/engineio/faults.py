"""Which errors of an application's code are its own, and which are to end the task that it runs in."""

from __future__ import annotations

import asyncio


def raise_if_final(error: BaseException) -> None:
    """Raises what is to end the running task: its own cancellation, and what Python raises by itself.

    Everything else is the application's. That is a CancelledError of something that it awaited, too, and SystemExit:
    `sys.exit()` in a handler would stop the event loop, and with it the server of all other clients.
    """
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error
    if _is_cancelled():
        raise asyncio.CancelledError


def _is_cancelled() -> bool:
    """Whether this very task was cancelled, and not only something that the application awaited."""
    # Not where it is raised: the task keeps the error, which has the frames that it came through, and one of them would
    # keep the task.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
