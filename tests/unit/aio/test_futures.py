"""Futures that carry no value."""

from __future__ import annotations

import asyncio

import pytest

from sio.aio.futures import set_done


async def test_future_that_is_set_wakes_everybody() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiters = [asyncio.ensure_future(asyncio.shield(future)) for _ in range(2)]
    set_done(future)
    assert await asyncio.gather(*waiters) == [None, None]


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_future_that_is_done_stays_as_it_is(is_cancelled: bool) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if is_cancelled:
        future.cancel()
    else:
        set_done(future)
    set_done(future)
    assert future.cancelled() is is_cancelled
