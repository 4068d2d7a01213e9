"""Handshakes that somebody takes their time to decide about: each takes the place of a session meanwhile."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from typing import Any

from ...aio.interruptible import Interruptible
from ...exceptions import ClientGone
from ..asgi import Receive
from ..server import EngineIOServer

#: What an ASGI server says when the client of a request is gone.
_GONE = ("http.disconnect", "websocket.disconnect")


async def decide(question: Coroutine[Any, Any, None], receive: Receive, server: EngineIOServer) -> None:
    """Waits for `question`, and meanwhile for the client to leave. Raises what the question raises.

    When the client left, the question has `Policy.ask_patience` more seconds, and is then cancelled. Raises ClientGone.
    However this ends, the handshake counts as long as the question runs.
    """
    server.admission.undecided += 1
    task = asyncio.ensure_future(question)
    try:
        if await _client_left(receive, task):
            await asyncio.wait([task], timeout=server.policy.ask_patience)
            if not task.done():
                server.repeats.warning("Cancelled SIO_ALLOW_REQUEST: its client left SIO_CONNECT_HOOK_TIMEOUT_MS ago")
            raise ClientGone
    finally:
        if task.done():
            _forget(server, task)
        else:
            task.cancel()
            task.add_done_callback(functools.partial(_forget, server))
    try:
        task.result()
    finally:
        del task  # its exception has this frame in its traceback, and would be kept by it


def _forget(server: EngineIOServer, task: asyncio.Task[None]) -> None:
    server.admission.undecided -= 1
    if not task.cancelled():
        task.exception()  # is seen: a client that left gets no answer


async def _client_left(receive: Receive, task: asyncio.Task[None]) -> bool:
    """Waits for the end of a task, or for the client to leave. Returns whether it did first."""
    with Interruptible() as interrupt:
        task.add_done_callback(lambda _: interrupt())
        while (await receive())["type"] not in _GONE:
            pass
        return True
    return False
