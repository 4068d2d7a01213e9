"""Awaitables that are begun without a task, and blocks that are interrupted."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from sio.engineio.steps import Interruptible, begin


async def hold(lock: asyncio.Lock) -> None:
    async with lock:
        await asyncio.Event().wait()


class TestBegin:
    async def test_awaitable_that_does_not_wait_is_done(self) -> None:
        done = []

        async def work() -> None:
            done.append(True)

        assert begin(work()) is None
        assert done

    async def test_error_is_raised_at_once(self) -> None:
        async def fail() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            begin(fail())

    async def test_rest_goes_on_where_it_waits(self) -> None:
        steps = []
        first, second = asyncio.get_running_loop().create_future(), asyncio.Event()

        async def work() -> None:
            steps.append(await first)
            await asyncio.sleep(0)
            await second.wait()
            steps.append(2)

        rest = begin(work())
        assert rest is not None
        task = asyncio.ensure_future(rest)
        await asyncio.sleep(0)
        assert steps == []
        first.set_result(1)
        await asyncio.sleep(0.001)
        assert steps == [1]
        second.set()
        await task
        assert steps == [1, 2]

    async def test_what_was_waited_for_may_be_there_before_the_rest_is_awaited(self) -> None:
        event = asyncio.Event()
        rest = begin(event.wait())
        assert rest is not None
        event.set()
        await rest

    async def test_cancelled_rest_undoes_what_was_begun(self) -> None:
        lock = asyncio.Lock()
        rest = begin(hold(lock))
        assert rest is not None
        task = asyncio.ensure_future(rest)
        await asyncio.sleep(0)
        assert lock.locked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not lock.locked()

    async def test_awaitable_sees_what_its_future_raises(self) -> None:
        future = asyncio.get_running_loop().create_future()
        seen = []

        async def work() -> None:
            try:
                await future
            except LookupError as error:
                seen.append(error)
            await asyncio.sleep(0)
            seen.append("went on")

        rest = begin(work())
        assert rest is not None
        error = LookupError()
        future.set_exception(error)
        await rest
        assert seen == [error, "went on"]

    async def test_awaitable_that_swallows_an_error_is_done(self) -> None:
        future = asyncio.get_running_loop().create_future()

        async def work() -> None:
            with contextlib.suppress(LookupError):
                await future

        rest = begin(work())
        assert rest is not None
        future.set_exception(LookupError())
        await rest

    async def test_several_may_wait_for_one_future(self) -> None:
        future = asyncio.get_running_loop().create_future()

        async def work() -> None:
            await future

        rests = [begin(work()), begin(work())]
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        future.set_result(None)
        for rest in rests:
            assert rest is not None
            await rest
        await task

    async def test_rest_that_is_dropped_undoes_what_was_begun(self) -> None:
        lock = asyncio.Lock()
        rest = begin(hold(lock))
        assert rest is not None
        waiting = rest.__await__()
        next(waiting)
        waiting.close()
        assert not lock.locked()


class TestInterruptible:
    async def test_block_ends_where_it_waits(self) -> None:
        reached = False
        with Interruptible() as interrupt:
            interrupt()
            interrupt()  # once is enough
            reached = True
            await asyncio.Event().wait()
            raise AssertionError("not interrupted")
        assert reached
        await asyncio.sleep(0.001)  # and nothing of it is left for what follows

    async def test_block_that_does_not_wait_any_more_is_not_interrupted(self) -> None:
        with Interruptible() as interrupt:
            interrupt()
        await asyncio.sleep(0.001)
        interrupt()
        await asyncio.sleep(0.001)

    async def test_error_is_none_of_its_business(self) -> None:
        with pytest.raises(LookupError), Interruptible():
            raise LookupError

    async def test_cancellation_of_somebody_else_goes_on(self) -> None:
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
