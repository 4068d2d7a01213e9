"""Calls that may not answer: deadlines, what becomes of late calls, and the pauses between attempts."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import Any

import pytest

from sio.cluster.calls import Calls, Pause, wait
from sio.exceptions import LayerTimeout
from tests.unit.cluster.layers import TIMEOUT, Member, time_of, until
from tests.virtual_time import VirtualTimeLoop


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def fail(error: BaseException, after: float = 0) -> None:
    await asyncio.sleep(after)
    raise error


class TestWaiting:
    @pytest.mark.parametrize(("after", "is_done"), [(0.1, True), (0.9, True), (1.1, False)])
    async def test_ends_at_the_deadline(self, after: float, is_done: bool) -> None:
        future = asyncio.ensure_future(sleep(after))
        assert await time_of(wait([future], TIMEOUT)) == pytest.approx(min(after, TIMEOUT))
        assert future.done() is is_done

    async def test_ends_with_the_last_future(self) -> None:
        futures = [asyncio.ensure_future(sleep(seconds)) for seconds in (0.3, 0.1, 0.2)]
        assert await time_of(wait(futures, TIMEOUT)) == pytest.approx(0.3)

    @pytest.mark.parametrize(("after", "is_done"), [(0.9, True), (1.1, False)])
    async def test_says_whether_all_are_done(self, after: float, is_done: bool) -> None:
        futures = [asyncio.ensure_future(sleep(seconds)) for seconds in (0.1, after)]
        assert await wait(futures, TIMEOUT) is is_done

    async def test_nothing_is_done_at_once(self) -> None:
        assert await wait([], TIMEOUT)

    async def test_future_that_is_done_after_the_deadline_changes_nothing(self) -> None:
        future = asyncio.get_running_loop().create_future()
        assert not await wait([future], TIMEOUT)
        future.set_result(None)
        await asyncio.sleep(TIMEOUT)

    async def test_time_in_which_the_loop_stood_still_does_not_count(self, loop: VirtualTimeLoop) -> None:
        """Its answer may be there, and not have been read."""
        answer = loop.create_future()

        def stand_still_again(turns: int) -> None:
            loop.stand_still(0.4)
            if turns:
                loop.call_soon(stand_still_again, turns - 1)
            else:
                answer.set_result(None)

        stand_still_again(20)
        assert await wait([answer], TIMEOUT)

    async def test_loop_that_is_always_late_waits_no_longer_than_three_times(self, loop: VirtualTimeLoop) -> None:
        def stand_still_for_ever() -> None:
            loop.stand_still(0.4)
            loop.call_soon(stand_still_for_ever)

        stand_still_for_ever()
        answer = loop.create_future()
        async with asyncio.timeout(1_000):
            assert not await wait([answer], TIMEOUT)

    async def test_progress_is_a_reason_to_wait_up_to_three_times_as_long(self, loop: VirtualTimeLoop) -> None:
        answers = [loop.create_future(), loop.create_future()]
        loop.call_later(2.9, answers[0].set_result, None)
        assert await wait(answers[:1], TIMEOUT, loop.time)
        assert await time_of(wait(answers[1:], TIMEOUT, loop.time)) == pytest.approx(3)

    @pytest.fixture
    async def loop(self) -> VirtualTimeLoop:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return loop


class TestCalls:
    @pytest.fixture
    def calls(self) -> Calls:
        return Calls(lambda: TIMEOUT)

    async def test_what_a_late_call_raises_is_lost(self, calls: Calls) -> None:
        """asyncio would log an exception that was never retrieved."""
        ended = list[int]()
        (error,) = await calls.run_many([partial(fail, OSError("late"), 5)], ended.append)
        assert isinstance(error, LayerTimeout)
        assert ended == []
        await asyncio.sleep(10)
        assert ended == [0]

    async def test_errors_of_several_calls_are_in_their_order(self, calls: Calls) -> None:
        gone = OSError("gone")
        found = await calls.run_many([partial(sleep, 0.5), partial(fail, gone), partial(sleep, 5)])
        assert found[:2] == [None, gone]
        assert isinstance(found[2], LayerTimeout)
        assert "SIO_CHANNEL_LAYER_TIMEOUT_MS" in str(found[2])

    async def test_several_calls_are_made_side_by_side(self, calls: Calls) -> None:
        assert await time_of(calls.run_many([partial(sleep, 0.9)] * 100)) == pytest.approx(0.9)

    async def test_there_is_an_end_to_calls_without_an_answer(self) -> None:
        calls, begun = Calls(lambda: TIMEOUT, most_late=3), list[int]()

        async def hang() -> None:
            begun.append(1)
            await asyncio.sleep(100)

        for _ in range(10):
            with pytest.raises(LayerTimeout):
                await calls.run(hang)
        assert len(begun) == 3
        for error in await calls.run_many([hang, hang]):
            assert str(error) == "3 calls have no answer yet"
        assert len(begun) == 3
        await asyncio.sleep(100)
        with pytest.raises(LayerTimeout):
            await calls.run(hang)
        assert len(begun) == 4

    @pytest.mark.parametrize(
        ("error", "raised"),
        [(OSError("gone"), OSError), (asyncio.CancelledError(), LayerTimeout)],
        ids=["error", "cancelled"],
    )
    async def test_error_of_a_call_is_raised(self, calls: Calls, error: BaseException, raised: type[Exception]) -> None:
        """A call that was cancelled by others, too: it is not the caller that was."""
        with pytest.raises(raised):
            await calls.run(partial(fail, error))

    @pytest.mark.parametrize("many", [False, True])
    async def test_call_outlives_a_cancelled_caller(self, calls: Calls, many: bool) -> None:
        done = list[int]()

        async def call() -> None:
            await asyncio.sleep(0.5)
            done.append(1)

        caller = asyncio.create_task(calls.run_many([call]) if many else calls.run(call))
        await asyncio.sleep(0.1)
        caller.cancel()
        await asyncio.wait([caller])
        assert (caller.cancelled(), done) == (True, [])
        await asyncio.sleep(1)
        assert done == [1]

    @pytest.mark.parametrize("many", [False, True])
    async def test_what_a_call_raises_as_its_caller_is_cancelled_is_lost(self, calls: Calls, many: bool) -> None:
        logged: list[dict[str, Any]] = []
        loop, call = asyncio.get_running_loop(), partial(fail, OSError("gone"), 0.5)
        loop.set_exception_handler(lambda loop, context: logged.append(context))
        caller = asyncio.create_task(calls.run_many([call]) if many else calls.run(call))
        loop.call_later(0.5, loop.call_soon, caller.cancel)
        await asyncio.wait([caller])
        del caller
        gc.collect()
        assert logged == []

    async def test_broadcast_outlives_a_cancelled_caller(self, member: Member) -> None:
        member.layer.hang()
        sender = asyncio.create_task(member.send())
        await asyncio.sleep(0.1)
        sender.cancel()
        await asyncio.wait([sender])
        await member.layer.go_on()
        await until(lambda: member.received)


class TestPause:
    def assert_lengths(self, pause: Pause, longest: list[float]) -> None:
        for most in longest:
            assert most * 0.8 <= pause.take() <= most

    def test_pauses_grow_up_to_two_seconds(self) -> None:
        self.assert_lengths(Pause(), [0.1, 0.2, 0.4, 0.8, 1.6, *[2.0] * 5])

    def test_first_pause_after_a_success_is_short(self) -> None:
        pause = Pause()
        for _ in range(10):
            pause.take()
        pause.reset()
        self.assert_lengths(pause, [0.1, 0.2])
