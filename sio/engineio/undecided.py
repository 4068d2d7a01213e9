"""Handshakes that the application takes its time to decide about: each takes the place of a session meanwhile."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from .registry import SessionRegistry
from .repeats import Repeats
from .steps import Interruptible

_repeats = Repeats(logging.getLogger("sio.engineio"))

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: What an ASGI server says when the client of a request is gone.
_GONE = ("http.disconnect", "websocket.disconnect")


class ClientGone(Exception):
    """The client left before its request was complete."""


async def decide(
    question: Coroutine[Any, Any, None], receive: Receive, registry: SessionRegistry, patience: float
) -> None:
    """Waits for `question`, and meanwhile for the client to leave. Raises what it raises.

    Once the client left, the question has `patience` more seconds, and is then cancelled. Raises ClientGone. However
    this ends, the handshake counts as long as the question runs.
    """
    registry.undecided += 1
    task = asyncio.ensure_future(question)
    try:
        if await _client_left(receive, task):
            await asyncio.wait([task], timeout=patience)
            if not task.done():
                _repeats.warning("Cancelled SIO_ALLOW_REQUEST: its client left SIO_CONNECT_HOOK_TIMEOUT_MS ago")
            raise ClientGone
    finally:
        if task.done():
            _forget(registry, task)
        else:
            task.cancel()
            task.add_done_callback(functools.partial(_forget, registry))
    try:
        task.result()
    finally:
        del task  # its exception has this frame in its traceback, and would be kept by it


def _forget(registry: SessionRegistry, task: asyncio.Task[None]) -> None:
    registry.undecided -= 1
    if not task.cancelled():
        task.exception()  # is seen: a client that left is told nothing


async def _client_left(receive: Receive, task: asyncio.Task[None]) -> bool:
    """Waits for the end of a task, or for the client to leave. Returns whether it did first."""
    with Interruptible() as interrupt:
        task.add_done_callback(lambda _: interrupt())
        while (await receive())["type"] not in _GONE:
            pass
        return True
    return False
