"""The one loop that certain objects are bound to."""

from __future__ import annotations

import asyncio
import threading

import pytest

from sio.aio import bound_loop
from sio.aio.bound_loop import BoundLoop
from sio.exceptions import WrongEventLoop
from tests.pace import TIMEOUT
from tests.unit.other_loops import elsewhere

pytestmark = pytest.mark.real_time


@pytest.fixture
def bound() -> BoundLoop:
    return BoundLoop("used elsewhere")


class TestBind:
    async def test_first_loop_is_bound(self, bound: BoundLoop) -> None:
        assert not bound.is_running
        bound.bind(is_free=False)
        assert bound.is_current

        async def bind_too() -> None:
            bound.bind(is_free=False)
            assert bound.is_running
            assert not bound.is_current

        await elsewhere(bind_too())
        assert bound.is_current

    async def test_another_loop_is_bound_when_the_first_one_has_ended(self, bound: BoundLoop) -> None:
        async def bind() -> None:
            bound.bind(is_free=False)

        await elsewhere(bind())
        assert not bound.is_running
        bound.bind(is_free=False)
        assert bound.is_current

    async def test_another_loop_is_bound_when_the_first_one_has_no_objects_any_more(self, bound: BoundLoop) -> None:
        async def bind_and_idle() -> None:
            bound.bind(is_free=True)
            is_bound.set()
            await asyncio.to_thread(is_over.wait)

        is_bound, is_over = threading.Event(), threading.Event()
        idle = asyncio.ensure_future(elsewhere(bind_and_idle()))
        await asyncio.to_thread(is_bound.wait)
        assert not bound.is_current
        bound.bind(is_free=False)
        assert not bound.is_current
        bound.bind(is_free=True)
        assert bound.is_current
        is_over.set()
        await idle


class TestCheck:
    async def test_bound_loop_may_use_the_objects(self, bound: BoundLoop) -> None:
        bound.bind(is_free=True)
        bound.check()

    async def test_another_loop_may_not(self, bound: BoundLoop) -> None:
        bound.bind(is_free=True)

        async def check() -> None:
            bound.check()

        with pytest.raises(WrongEventLoop, match="used elsewhere"):
            await elsewhere(check())

    async def test_no_loop_may_before_one_is_bound(self, bound: BoundLoop) -> None:
        with pytest.raises(WrongEventLoop):
            bound.check()


class TestRun:
    async def test_coroutine_runs_on_the_bound_loop(self, bound: BoundLoop) -> None:
        bound.bind(is_free=True)
        loops = []

        async def work() -> None:
            await asyncio.sleep(0)
            loops.append(asyncio.get_running_loop())

        await elsewhere(bound.run(work()))
        assert loops == [asyncio.get_running_loop()]

    async def test_coroutine_may_take_its_time(self, bound: BoundLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bound_loop, "_CHECK_INTERVAL", 0.001)
        bound.bind(is_free=True)
        await elsewhere(bound.run(asyncio.sleep(0.05)))

    async def test_error_of_the_coroutine_is_raised(self, bound: BoundLoop) -> None:
        bound.bind(is_free=True)

        async def fail() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            await elsewhere(bound.run(fail()))

    async def test_coroutine_that_is_cancelled_is_an_error(self, bound: BoundLoop) -> None:
        bound.bind(is_free=True)

        async def give_up() -> None:
            raise asyncio.CancelledError

        with pytest.raises(RuntimeError, match="ended"):
            await elsewhere(bound.run(give_up()))

    async def test_end_of_the_loop_is_an_error_for_those_that_wait_for_it(self, bound: BoundLoop) -> None:
        """The loop stops in the middle of the coroutine, as at the end of a process."""
        loop, may_close = asyncio.new_event_loop(), threading.Event()

        async def never() -> None:
            loop.stop()
            await asyncio.Event().wait()

        def live() -> None:
            loop.call_soon(lambda: bound.bind(is_free=False))
            loop.run_forever()
            may_close.wait(TIMEOUT)
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
            loop.close()

        thread = threading.Thread(target=live)
        thread.start()
        async with asyncio.timeout(TIMEOUT):
            while not bound.is_running:
                await asyncio.sleep(0.001)
            with pytest.raises(RuntimeError, match="ended"):
                await bound.run(never())
        may_close.set()
        await asyncio.to_thread(thread.join)
        with pytest.raises(RuntimeError, match="closed"):
            await bound.run(never())
