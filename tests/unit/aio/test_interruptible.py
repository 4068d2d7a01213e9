"""Blocks that another task, or the block itself, ends early."""

from __future__ import annotations

import asyncio

import pytest

from sio.aio.interruptible import Interruptible


async def test_block_ends_where_it_waits() -> None:
    reached = False
    with Interruptible() as interrupt:
        interrupt()
        interrupt()  # once is enough
        reached = True
        await asyncio.Event().wait()
        raise AssertionError("not interrupted")
    assert reached
    await asyncio.sleep(0.001)  # and nothing of it is left for what follows


async def test_block_that_does_not_wait_any_more_is_not_interrupted() -> None:
    with Interruptible() as interrupt:
        interrupt()
    await asyncio.sleep(0.001)
    interrupt()
    await asyncio.sleep(0.001)


async def test_block_lets_an_error_through() -> None:
    with pytest.raises(LookupError), Interruptible():
        raise LookupError


async def test_cancellation_by_somebody_else_goes_on() -> None:
    inside = asyncio.Event()

    async def work(both: bool) -> None:
        with Interruptible() as interrupt:
            inside.set()
            if both:
                interrupt()
            await asyncio.Event().wait()
        raise AssertionError("not cancelled")

    for both in (False, True):
        inside.clear()
        task = asyncio.ensure_future(work(both))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
