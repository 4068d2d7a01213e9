"""Futures that carry no value: somebody waits for something to happen."""

from __future__ import annotations

import asyncio


def set_done(future: asyncio.Future[None]) -> None:
    """Wakes everybody who awaits a future. Nothing happens if it is done or cancelled."""
    if not future.done():
        future.set_result(None)
