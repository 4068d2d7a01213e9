"""The channel of a process in a layer that hangs, forgets, or has messages that nobody can read. Time is virtual."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from sio.socketio.layer_calls import Calls, LayerTimeout, Pause, wait
from sio.socketio.layer_channel import LayerChannel
from sio.socketio.layer_probe import group_names
from sio.socketio.layer_reader import is_unreadable, is_unwritable
from tests.virtual_time import VirtualTimeLoop, run

#: The default of SIO_CHANNEL_LAYER_TIMEOUT_MS, in seconds.
TIMEOUT = 1.0
FAILED, LOST, WORKS = "The channel layer failed", "The channel layer lost a message", "The channel layer works again"


class Layer(InMemoryChannelLayer):  # type: ignore[misc]
    """An in-memory layer that hangs on demand, as a Redis that was stopped: what it was asked for happens later."""

    def __init__(self) -> None:
        super().__init__(capacity=100_000)
        self.calls: list[tuple[str, str]] = []
        self.cancelled = 0
        self.answers = asyncio.Event()
        self.answers.set()
        #: Whether what waited happens in the order in which it was asked for, or in the opposite one.
        self.reverse = False
        self._waiting: list[asyncio.Future[None]] = []
        self.results: list[Any] = []

    async def _ask(self, call: str, target: str) -> None:
        self.calls.append((call, target))
        if not self.answers.is_set():
            self._waiting.append(asyncio.get_running_loop().create_future())
            try:
                await self._waiting[-1]
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

    def hang(self) -> None:
        self.answers.clear()

    async def go_on(self) -> None:
        self.answers.set()
        waiting, self._waiting = self._waiting, []
        for future in reversed(waiting) if self.reverse else waiting:
            future.set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)

    async def new_channel(self, prefix: str = "specific.") -> str:
        await self._ask("new", "")
        return str(await super().new_channel(prefix))

    async def group_add(self, group: str, channel: str) -> None:
        await self._ask("add", group)
        await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._ask("discard", group)
        await super().group_discard(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._ask("send", group)
        await super().group_send(group, message)

    async def receive(self, channel: str) -> Any:
        if not self.results:
            return await super().receive(channel)
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    @property
    def rooms(self) -> set[str]:
        """The groups with a member, but for those of probes."""
        return {group for group, members in self.groups.items() if members and "probe" not in group}

    def asked(self, call: str) -> int:
        return sum(name == call for name, _ in self.calls)


class Stage:
    """A channel in the group `room`."""

    def __init__(self) -> None:
        self.layer = Layer()
        self.received: list[Any] = []
        self.rejected: list[Exception] = []
        self.channel = LayerChannel(self.layer, self.received.append, self.rejected.append)

    async def send(self, text: str = "x", group: str = "room") -> float:
        """Returns how long it took."""
        return await time_of(self.channel.group_send(group, {"text": text}))

    async def until(self, condition: Callable[[], Any], seconds: float = 60) -> float:
        """Waits for something. Returns how long it took."""
        return await time_of(_until(condition, seconds))


async def _until(condition: Callable[[], Any], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def time_of(awaitable: Awaitable[Any]) -> float:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await awaitable
    return loop.time() - started


@asynccontextmanager
async def joined() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.channel.add("room")
    await stage.channel.settle()
    yield stage
    await stage.layer.go_on()
    await stage.channel.close()
    assert stage.layer.cancelled == 0


def virtually(test: Callable[[], Any]) -> None:
    problems: list[dict[str, Any]] = []
    run(test(), problems)
    assert problems == []


class TestWaiting:
    @pytest.mark.parametrize(("after", "is_done"), [(0.1, True), (0.9, True), (1.1, False)])
    def test_ends_at_the_deadline(self, after: float, is_done: bool) -> None:
        async def test() -> None:
            assert await wait([asyncio.ensure_future(asyncio.sleep(after))], TIMEOUT) is is_done

        virtually(test)

    def test_time_in_which_the_loop_stood_still_does_not_count(self) -> None:
        """Its answer may be there, and not have been read."""

        async def test() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualTimeLoop)
            answer = loop.create_future()

            def stand_still_again(turns: int) -> None:
                stand_still(loop, 0.4)
                if turns:
                    loop.call_soon(stand_still_again, turns - 1)
                else:
                    answer.set_result(None)

            stand_still_again(20)
            assert await wait([answer], TIMEOUT)

        virtually(test)

    def test_loop_that_is_always_late_waits_no_longer_than_three_times(self) -> None:
        async def test() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualTimeLoop)

            def stand_still_for_ever() -> None:
                stand_still(loop, 0.4)
                loop.call_soon(stand_still_for_ever)

            stand_still_for_ever()
            answer = loop.create_future()
            async with asyncio.timeout(1_000):
                assert not await wait([answer], TIMEOUT)

        virtually(test)

    def test_progress_is_a_reason_to_wait_up_to_three_times_as_long(self) -> None:
        async def test() -> None:
            loop = asyncio.get_running_loop()
            answers = [loop.create_future(), loop.create_future()]
            loop.call_later(2.9, answers[0].set_result, None)
            assert await wait(answers[:1], TIMEOUT, loop.time)
            assert await time_of(wait(answers[1:], TIMEOUT, loop.time)) == pytest.approx(3)

        virtually(test)

    def test_pauses_grow_up_to_two_seconds(self) -> None:
        pause = Pause()
        lengths = [pause.take() for _ in range(10)]
        for length, most in zip(lengths, [0.1, 0.2, 0.4, 0.8, 1.6, *[2.0] * 5], strict=True):
            assert most * 0.8 <= length <= most


def stand_still(loop: VirtualTimeLoop, seconds: float) -> None:
    loop._virtual.now += seconds


class TestCalls:
    def test_what_a_late_call_raises_is_nobodys(self) -> None:
        """asyncio would log an exception that was never retrieved."""

        async def fail() -> None:
            await asyncio.sleep(5)
            raise OSError("late")

        async def test() -> None:
            calls, ended = Calls(lambda: TIMEOUT), list[int]()
            (error,) = await calls.run_many([fail], ended.append)
            assert isinstance(error, LayerTimeout)
            assert ended == []
            await asyncio.sleep(10)
            assert ended == [0]

        virtually(test)

    def test_there_is_an_end_to_calls_without_an_answer(self) -> None:
        async def test() -> None:
            calls, begun = Calls(lambda: TIMEOUT, most_late=3), list[int]()

            async def hang() -> None:
                begun.append(1)
                await asyncio.sleep(100)

            for _ in range(10):
                with pytest.raises(LayerTimeout):
                    await calls.run(hang)
            assert len(begun) == 3
            await asyncio.sleep(100)
            with pytest.raises(LayerTimeout):
                await calls.run(hang)
            assert len(begun) == 4

        virtually(test)

    @pytest.mark.parametrize("error", [OSError("gone"), asyncio.CancelledError()])
    def test_error_of_a_call_is_raised(self, error: BaseException) -> None:
        """A call that was cancelled by others, too: it is not the caller who was."""

        async def fail() -> None:
            raise error

        async def test() -> None:
            with pytest.raises(OSError if isinstance(error, OSError) else LayerTimeout):
                await Calls(lambda: TIMEOUT).run(fail)

        virtually(test)

    def test_call_outlives_who_waits_for_it(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.hang()
                sender = asyncio.create_task(stage.send())
                await asyncio.sleep(0.1)
                sender.cancel()
                await asyncio.wait([sender])
                await stage.layer.go_on()
                await stage.until(lambda: stage.received)

        virtually(test)


class TestLayerThatWorks:
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1_000])
    def test_any_number_of_memberships_is_made_at_once(self, count: int, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with joined() as stage:
                for number in range(count):
                    stage.channel.add(f"room.{number}")
                assert await time_of(stage.channel.settle()) == 0
                assert len(stage.layer.rooms) == 1 + count
                await stage.until(lambda: stage.channel._groups._keeper is None)
                assert stage.channel.is_up
                assert caplog.text == ""

        virtually(test)


class TestLayerThatHangs:
    def test_sender_waits_until_the_deadline_and_the_next_ones_do_not(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.hang()
                assert await stage.send() == pytest.approx(TIMEOUT)
                assert [await stage.send() for _ in range(100)] == [0] * 100
                assert caplog.text.count(FAILED) == 1
                assert "SIO_CHANNEL_LAYER_TIMEOUT_MS" in caplog.text

        virtually(test)

    def test_what_was_on_its_way_arrives(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.hang()
                await stage.send("on its way")
                await stage.layer.go_on()
                await stage.until(lambda: stage.channel.is_up)
                await stage.send("after")
                await stage.until(lambda: len(stage.received) == 2)
                assert stage.received == [{"text": "on its way"}, {"text": "after"}]

        virtually(test)

    def test_who_joins_waits_until_the_deadline_and_the_next_ones_do_not(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.hang()
                for number, seconds in ((1, TIMEOUT), (2, 0), (3, 0)):
                    stage.channel.add(f"room.{number}")
                    assert await time_of(stage.channel.settle()) == pytest.approx(seconds)
                await stage.layer.go_on()
                await stage.until(lambda: stage.channel.is_up)
                assert stage.layer.rooms == {"room", "room.1", "room.2", "room.3"}

        virtually(test)

    def test_layer_without_a_channel_yet_holds_nobody_up(self) -> None:
        async def test() -> None:
            stage = Stage()
            stage.layer.hang()
            stage.channel.add("room")
            assert await time_of(stage.channel.settle()) == pytest.approx(TIMEOUT)
            await asyncio.sleep(60)
            assert stage.layer.asked("new") == 1
            await stage.layer.go_on()
            await stage.until(lambda: stage.channel.is_up)
            assert stage.layer.rooms == {"room"}
            await stage.channel.close()

        virtually(test)

    def test_idle_process_notices_it_within_seconds(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.hang()
                assert await stage.until(lambda: not stage.channel.is_up) < 3.1
                await asyncio.sleep(20)
                await stage.layer.go_on()
                assert await stage.until(lambda: stage.channel.is_up) < 3.1
                assert (caplog.text.count(FAILED), caplog.text.count(WORKS)) == (1, 1)

        virtually(test)

    def test_calls_do_not_pile_up(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                for number in range(1_000):
                    stage.channel.add(f"room.{number}")
                await stage.channel.settle()
                stage.layer.hang()
                stage.layer.calls.clear()
                await asyncio.sleep(30)
                assert len(stage.layer.calls) < 40
                await asyncio.sleep(3_600)
                assert (stage.layer.asked("send"), stage.layer.asked("add")) == (100, 200)
                await stage.layer.go_on()
                await stage.until(lambda: stage.channel.is_up)
                assert len(stage.layer.rooms) == 1_001

        virtually(test)

    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize("is_member", [False, True])
    def test_late_calls_do_not_undo_what_came_after_them(self, reverse: bool, is_member: bool) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.hang()
                for wanted in (False, True, False, True, *[False] * (not is_member)):
                    (stage.channel.add if wanted else stage.channel.discard)("room")
                    await asyncio.sleep(10)
                stage.layer.reverse = reverse
                await stage.layer.go_on()
                await asyncio.sleep(10)
                assert stage.layer.rooms == ({"room"} if is_member else set())

        virtually(test)

    def test_end_waits_no_longer_than_deadlines(self) -> None:
        async def test() -> None:
            stage = Stage()
            for number in range(1_000):
                stage.channel.add(str(number))
            await stage.channel.settle()
            stage.layer.hang()
            assert await time_of(stage.channel.close()) == pytest.approx(TIMEOUT)
            await stage.layer.go_on()

        virtually(test)

    def test_process_without_groups_tries_again_by_itself(self, caplog: pytest.LogCaptureFixture) -> None:
        """A task queue's, say, in which no socket lives."""

        async def test() -> None:
            stage = Stage()
            stage.layer.hang()
            assert await stage.send() == pytest.approx(TIMEOUT)
            times = [await stage.send() for _ in range(100)]
            assert times == [0] * 100
            assert sum([await time_of(asyncio.sleep(0.1)) and await stage.send() for _ in range(100)]) < 10
            await stage.layer.go_on()
            await asyncio.sleep(2)
            await stage.send()
            assert stage.channel.is_up
            assert (caplog.text.count(FAILED), caplog.text.count(WORKS)) == (1, 1)
            stage.layer.hang()
            await stage.send()
            await asyncio.sleep(0.11)
            assert await stage.send() == pytest.approx(TIMEOUT)
            await stage.layer.go_on()

        virtually(test)

    def test_call_that_failed_may_have_had_its_effect(self) -> None:
        """The connection ended before the answer."""

        async def test() -> None:
            async with joined() as stage:
                group_add = stage.layer.group_add

                async def group_add_without_answer(group: str, channel: str) -> None:
                    await group_add(group, channel)
                    raise OSError("gone")

                stage.layer.group_add = group_add_without_answer
                stage.channel.add("another")
                await stage.channel.settle()
                stage.channel.discard("another")
                stage.layer.group_add = group_add
                await stage.until(lambda: stage.channel.is_up)
                assert stage.layer.rooms == {"room"}

        virtually(test)


class TestLayerThatForgets:
    def test_is_noticed_healed_and_told_within_seconds(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.channel.add("another")
                await asyncio.sleep(10)
                stage.layer.groups.clear()
                assert await stage.until(lambda: stage.layer.rooms) < 3.1
                await stage.until(lambda: stage.channel.is_up, 1)
                assert stage.layer.rooms == {"room", "another"}
                assert [caplog.text.count(text) for text in (FAILED, LOST, WORKS)] == [0, 1, 1]

        virtually(test)

    def test_others_are_still_reached(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                await stage.layer.group_add("others", "another")
                stage.layer.groups = {"others": stage.layer.groups["others"]}
                await stage.until(lambda: not stage.channel.is_up)
                await stage.send(group="others")
                assert stage.layer.calls[-1] == ("send", "others")

        virtually(test)

    def test_nothing_is_wrong_for_who_is_in_no_group_any_more(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.groups.clear()
                await stage.until(lambda: not stage.channel.is_up)
                stage.channel.discard("room")
                assert stage.channel.is_up

        virtually(test)

    def test_probe_behind_many_messages_is_not_lost(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with joined() as stage:
                await asyncio.sleep(1.99)
                receive = stage.layer.receive

                async def receive_slowly(channel: str) -> Any:
                    await asyncio.sleep(0.1)
                    return await receive(channel)

                stage.layer.receive = receive_slowly
                for _ in range(25):
                    await stage.send()
                await asyncio.sleep(10)
                assert len(stage.received) == 25
                assert caplog.text == ""

        virtually(test)

    def test_healthy_layer_is_asked_once_in_two_seconds_and_nobody_hears_of_it(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.calls.clear()
                await asyncio.sleep(60)
                assert 25 <= stage.layer.asked("send") <= 30
                assert len(stage.layer.calls) == stage.layer.asked("send")
                assert stage.received == []

        virtually(test)

    def test_nothing_is_sent_or_left_for_a_process_without_groups(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.channel.discard("room")
                await asyncio.sleep(1)
                stage.layer.calls.clear()
                await asyncio.sleep(60)
                assert stage.layer.calls == []
                assert not any(stage.layer.groups.values())

        virtually(test)

    def test_other_probes_prove_nothing(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                await asyncio.sleep(10)
                (channel,) = stage.layer.groups["room"]
                (own,) = stage.channel._probe._names
                stage.layer.groups.clear()
                for number in range(100):
                    await stage.layer.send(channel, {"type": "sio.probe", "number": number, "group": "another"})
                async with asyncio.timeout(10):
                    while stage.channel.is_up:
                        await stage.layer.send(channel, {"type": "sio.probe", "number": 1, "group": own})
                        await asyncio.sleep(0.3)
                assert stage.received == []

        virtually(test)

    @pytest.mark.parametrize("hosts", [1, 2, 5])
    def test_each_host_of_a_layer_is_asked(self, hosts: int) -> None:
        class Sharded:
            ring_size = hosts

            def consistent_hash(self, name: str) -> int:
                return sum(name.encode()) % hosts

        names = list(group_names(Sharded()))
        assert {Sharded().consistent_hash(name) for name in names} == set(range(hosts))
        assert len(names) == hosts
        assert all(InMemoryChannelLayer().require_valid_group_name(name) for name in names)


class InvalidToken(Exception):
    """What `cryptography` raises."""


def raised_by(function: Callable[..., Any], *args: Any) -> Exception:
    """With its traceback."""
    try:
        function(*args)
    except Exception as error:
        return error
    raise AssertionError


def serialize(error: Exception) -> Any:
    raise error


def deserialize(error: Exception) -> Any:
    raise error


class TestMessagesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("error", "is_at_fault"),
        [
            (raised_by(deserialize, InvalidToken()), True),
            (raised_by(json.loads, b"\xff"), True),
            (raised_by(json.loads, "{"), True),
            (TypeError("argument of type 'int' is not iterable"), True),
            (KeyError("x"), True),
            (OSError("gone"), False),
            (TimeoutError(), False),
            (RuntimeError("Event loop is closed"), False),
            (type("ConnectionError", (Exception,), {})(), False),
            (raised_by(serialize, InvalidToken()), False),
        ],
    )
    def test_message_is_told_from_layer(self, error: Exception, is_at_fault: bool) -> None:
        assert is_unreadable(error) is is_at_fault

    def test_it_costs_the_others_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.results = [*map(ValueError, range(60))]
                await stage.send()
                assert await stage.until(lambda: stage.received, 3) < 0.1
                # The first `receive` had begun before.
                await stage.send()
                assert await stage.until(lambda: len(stage.received) == 2, 3) < 0.1
                assert len(stage.rejected) == 60
                assert stage.channel.is_up
                assert caplog.text == ""

        virtually(test)

    def test_what_always_fails_is_not_tried_without_a_pause(self) -> None:
        async def test() -> None:
            async with joined() as stage:
                stage.layer.results = [*map(ValueError, range(100_000))]
                await stage.send()
                await asyncio.sleep(10)
                assert 300 < len(stage.rejected) < 5_000

        virtually(test)

    @pytest.mark.parametrize(
        ("error", "is_at_fault"),
        [
            (TypeError("Object of type bytes is not JSON serializable"), True),
            (OverflowError("Integer value out of range"), True),
            (raised_by(serialize, InvalidToken()), True),
            (OSError("gone"), False),
        ],
    )
    def test_message_that_cannot_be_sent_is_the_callers(self, error: Exception, is_at_fault: bool) -> None:
        assert is_unwritable(error) is is_at_fault

        async def test() -> None:
            async with joined() as stage:

                async def group_send(group: str, message: Any) -> None:
                    raise error

                layer_send, stage.layer.group_send = stage.layer.group_send, group_send
                if is_at_fault:
                    with pytest.raises(type(error)):
                        await stage.send()
                else:
                    await stage.send()
                assert stage.channel.is_up is is_at_fault
                stage.layer.group_send = layer_send

        virtually(test)
