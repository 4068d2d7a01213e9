"""What a client notices of the work that others make."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..wire import Session

T = TypeVar("T")


async def serving(session: Session, limit: float, work: Coroutine[Any, Any, T]) -> T:
    """Does some work. Meanwhile a session is served, and waits at most `limit` seconds for an echo."""
    task, slowest = asyncio.ensure_future(work), 0.0
    while not task.done():
        started = time.monotonic()
        await session.call("echo_ack")
        slowest = max(slowest, time.monotonic() - started)
    seen = await task
    assert slowest <= limit, f"an echo took {slowest * 1000:.0f} ms"
    return seen
