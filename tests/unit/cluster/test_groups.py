"""The groups that a process is in: made at once, made anew, and right in the end whatever the layer does."""

from __future__ import annotations

import asyncio

import pytest

from sio.cluster.groups import Groups
from sio.cluster.health import Health
from tests.unit.cluster.layers import TIMEOUT, Layer, Member, time_of, until


async def channel_name() -> str:
    return "channel"


class TestLayerThatWorks:
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1_000])
    async def test_any_number_of_memberships_is_made_at_once(
        self, member: Member, count: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(count):
            member.channel.add(f"room.{number}")
        assert await time_of(member.channel.settle()) == 0
        assert len(member.layer.rooms) == 1 + count
        await until(lambda: member.channel._groups._keeper is None)
        assert member.channel.is_up
        assert caplog.text == ""

    async def test_memberships_are_made_side_by_side(self) -> None:
        layer = Layer()
        layer.delay = 0.5
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        for number in range(100):
            groups.add(f"room.{number}")
        assert await time_of(groups.settle()) == pytest.approx(0.5)
        assert len(layer.rooms) == 100

    async def test_group_that_is_wanted_and_unwanted_again_costs_nothing(self) -> None:
        layer = Layer()
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        for _ in range(10):
            groups.add("room")
            groups.discard("room")
        await groups.settle()
        assert layer.calls == []

    async def test_membership_ends_with_the_discard(self, member: Member) -> None:
        member.channel.add("another")
        member.channel.discard("room")
        await member.channel.settle()
        assert member.layer.rooms == {"another"}

    async def test_nobody_waits_where_nothing_is_asked_for(self, member: Member) -> None:
        await until(lambda: member.channel._groups._keeper is None)
        member.layer.hang()
        assert await time_of(member.channel.settle()) == 0

    @pytest.mark.parametrize(
        ("expiry", "interval"),
        [(40, 10), (86_400, 300), (None, 300)],
        ids=["short", "a day", "the layer does not say"],
    )
    async def test_memberships_are_renewed_before_the_layer_forgets_them(
        self, expiry: int | None, interval: float
    ) -> None:
        layer = Layer()
        layer.group_expiry = expiry
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        for room in "ab":
            groups.add(room)
        await groups.settle()
        groups.renew_regularly()
        for _ in range(3):
            layer.groups.clear()
            await asyncio.sleep(interval * 0.9)
            assert layer.rooms == set()
            await asyncio.sleep(interval * 0.1 + 0.01)
            assert layer.rooms == {"a", "b"}
        await groups.close("channel")

    async def test_nothing_is_renewed_where_nothing_is_wanted(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        groups.add("room")
        groups.discard("room")
        groups.renew_regularly()
        await asyncio.sleep(1_000)
        assert layer.calls == []
        await groups.close("channel")


class TestLayerThatHangs:
    async def test_join_waits_until_the_deadline_and_the_next_ones_do_not(self, member: Member) -> None:
        member.layer.hang()
        for number, seconds in ((1, TIMEOUT), (2, 0), (3, 0)):
            member.channel.add(f"room.{number}")
            assert await time_of(member.channel.settle()) == pytest.approx(seconds)
        await member.layer.go_on()
        await until(lambda: member.channel.is_up)
        assert member.layer.rooms == {"room", "room.1", "room.2", "room.3"}

    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize("is_member", [False, True])
    async def test_late_calls_do_not_undo_what_came_after_them(
        self, member: Member, reverse: bool, is_member: bool
    ) -> None:
        member.layer.hang()
        for wanted in (False, True, False, True, *[False] * (not is_member)):
            (member.channel.add if wanted else member.channel.discard)("room")
            await asyncio.sleep(10)
        member.layer.reverse = reverse
        await member.layer.go_on()
        await asyncio.sleep(10)
        assert member.layer.rooms == ({"room"} if is_member else set())

    async def test_leaving_many_groups_takes_one_deadline(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        for number in range(1_000):
            groups.add(str(number))
        await groups.settle()
        layer.hang()
        assert await time_of(groups.close("channel")) == pytest.approx(TIMEOUT)
        assert layer.count("discard") == 100
        await layer.go_on()


class TestLayerThatFails:
    async def test_memberships_are_tried_again_until_they_are_made(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        layer.error = OSError("gone")
        for number in range(1_000):
            groups.add(str(number))
        await asyncio.sleep(60)
        layer.error = None
        assert await until(lambda: len(layer.rooms) == 1_000) < 2.1
        await groups.close("channel")
        assert layer.rooms == set()

    async def test_call_that_failed_may_have_had_its_effect(self, member: Member) -> None:
        """The connection ended before the answer."""
        group_add = member.layer.group_add

        async def group_add_without_answer(group: str, channel: str) -> None:
            await group_add(group, channel)
            raise OSError("gone")

        member.layer.group_add = group_add_without_answer
        member.channel.add("another")
        await member.channel.settle()
        member.channel.discard("another")
        member.layer.group_add = group_add
        await until(lambda: member.channel.is_up)
        assert member.layer.rooms == {"room"}

    async def test_group_that_changes_meanwhile_is_queued_once(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        layer.error = OSError("gone")
        for _ in range(100):
            groups.add("room")
            await groups.settle()
            groups.discard("room")
            await groups.settle()
        assert len(groups._changes) < 5
        layer.error = None
        await until(lambda: groups._keeper is None)
        assert layer.calls in ([], [("discard", "room")])

    async def test_renewal_lets_those_go_that_wait(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        layer.hang()
        groups.add("room")
        waiter = asyncio.create_task(groups.settle())
        await asyncio.sleep(0)
        groups.add("another")
        later = asyncio.create_task(groups.settle())
        await asyncio.sleep(0.5)
        groups.renew()
        assert await time_of(asyncio.wait([later])) == 0
        assert await time_of(asyncio.wait([waiter])) <= TIMEOUT
        await layer.go_on()
        await until(lambda: layer.rooms == {"room", "another"})
        await groups.close("channel")


class TestClose:
    async def test_all_groups_are_left(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        for number in range(250):
            groups.add(str(number))
        await groups.settle()
        await groups.close("channel")
        assert layer.rooms == set()

    async def test_what_is_wanted_is_joined_after_the_next_add(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        groups.add("room")
        await groups.settle()
        await groups.close("channel")
        groups.add("another")
        await groups.settle()
        assert layer.rooms == {"room", "another"}
        await groups.close("channel")

    async def test_error_of_the_layer_is_swallowed(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        groups.add("room")
        await groups.settle()
        layer.error = OSError("gone")
        await groups.close("channel")

    async def test_task_that_has_not_begun_does_nothing(self, layer: Layer) -> None:
        groups = Groups(layer, Health(), lambda: TIMEOUT, channel_name)
        groups.add("room")
        await groups.close("channel")
        await asyncio.sleep(10)
        assert layer.calls == []
