"""Code that runs beside the event loop of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def elsewhere(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine on another loop, in another thread. Returns what it returns."""
    return await asyncio.to_thread(asyncio.run, coroutine)
