"""Awaitables that run at once until they wait, without a task or in one of their own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars

import pytest

from sio.aio.eager import eager_start, eager_start_in_task


async def hold(lock: asyncio.Lock) -> None:
    async with lock:
        await asyncio.Event().wait()


class TestEagerStart:
    async def test_awaitable_that_does_not_wait_is_done(self) -> None:
        done = []

        async def work() -> None:
            done.append(True)

        assert eager_start(work()) is None
        assert done

    async def test_error_is_raised_at_once(self) -> None:
        async def fail() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            eager_start(fail())

    async def test_rest_goes_on_where_it_waits(self) -> None:
        steps = []
        first, second = asyncio.get_running_loop().create_future(), asyncio.Event()

        async def work() -> None:
            steps.append(await first)
            await asyncio.sleep(0)
            await second.wait()
            steps.append(2)

        rest = eager_start(work())
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

    async def test_event_may_come_before_the_rest_is_awaited(self) -> None:
        event = asyncio.Event()
        rest = eager_start(event.wait())
        assert rest is not None
        event.set()
        await rest

    async def test_cancelled_rest_cleans_up(self) -> None:
        lock = asyncio.Lock()
        rest = eager_start(hold(lock))
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

        rest = eager_start(work())
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

        rest = eager_start(work())
        assert rest is not None
        future.set_exception(LookupError())
        await rest

    async def test_rest_may_wait_for_the_next_turn_of_the_loop(self) -> None:
        rest = eager_start(asyncio.sleep(0))
        assert rest is not None
        await rest

    async def test_several_may_wait_for_one_future(self) -> None:
        future = asyncio.get_running_loop().create_future()

        async def work() -> None:
            await future

        rests = [eager_start(work()), eager_start(work())]
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        future.set_result(None)
        for rest in rests:
            assert rest is not None
            await rest
        await task

    async def test_rest_that_is_dropped_cleans_up(self) -> None:
        lock = asyncio.Lock()
        rest = eager_start(hold(lock))
        assert rest is not None
        waiting = rest.__await__()
        next(waiting)
        waiting.close()
        assert not lock.locked()

    async def test_task_runs_the_rest_in_a_given_context(self) -> None:
        variable, event, seen = contextvars.ContextVar("variable", default="outside"), asyncio.Event(), []

        async def work() -> None:
            await event.wait()
            seen.append(variable.get())

        context = contextvars.copy_context()
        context.run(variable.set, "inside")
        rest = eager_start(work())
        assert rest is not None
        task = rest.create_task(context)
        event.set()
        await task
        assert seen == ["inside"]


class TestEagerStartInTask:
    """The function cares in which task it runs."""

    async def test_function_that_does_not_wait_is_done(self) -> None:
        done = []

        async def work(value: int) -> None:
            done.append(value)

        assert eager_start_in_task(contextvars.copy_context(), work, 1) is None
        assert done == [1]

    async def test_function_runs_in_one_task_from_its_first_step_to_its_last(self) -> None:
        tasks = []

        async def work() -> None:
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0.001)
            tasks.append(asyncio.current_task())

        task = eager_start_in_task(contextvars.copy_context(), work)
        assert tasks == [task]
        assert asyncio.current_task() is not task
        assert task is not None
        await task
        assert tasks == [task, task]

    async def test_function_may_use_a_timeout(self) -> None:
        seen = []

        async def work() -> None:
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            except TimeoutError as error:
                seen.append(type(error))

        task = eager_start_in_task(contextvars.copy_context(), work)
        assert task is not None
        await task
        assert seen == [TimeoutError]

    async def test_error_is_raised_at_once_and_leaves_the_caller_in_its_task(self) -> None:
        async def fail() -> None:
            raise LookupError

        before = asyncio.current_task()
        with pytest.raises(LookupError):
            eager_start_in_task(contextvars.copy_context(), fail)
        assert asyncio.current_task() is before

    async def test_caller_may_be_a_callback_of_the_loop(self) -> None:
        loop = asyncio.get_running_loop()
        event, started = asyncio.Event(), loop.create_future()

        def start() -> None:
            assert asyncio.current_task() is None
            started.set_result(eager_start_in_task(contextvars.copy_context(), event.wait))
            assert asyncio.current_task() is None

        loop.call_soon(start)
        task = await started
        event.set()
        await task

    async def test_cancelled_task_cleans_up(self) -> None:
        lock = asyncio.Lock()
        task = eager_start_in_task(contextvars.copy_context(), hold, lock)
        assert task is not None
        assert lock.locked()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not lock.locked()
