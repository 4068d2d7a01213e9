"""The channel of a process in a layer that hangs, forgets or fails: which callers wait, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.cluster.layers import FAILED, TIMEOUT, WORKS, Member, time_of, until


class TestSending:
    async def test_sender_waits_until_the_deadline_and_the_next_ones_do_not(
        self, member: Member, caplog: pytest.LogCaptureFixture
    ) -> None:
        member.layer.hang()
        assert await member.send() == pytest.approx(TIMEOUT)
        assert [await member.send() for _ in range(100)] == [0] * 100
        assert caplog.text.count(FAILED) == 1
        assert "SIO_CHANNEL_LAYER_TIMEOUT_MS" in caplog.text

    async def test_what_was_on_its_way_arrives(self, member: Member) -> None:
        member.layer.hang()
        await member.send("on its way")
        await member.layer.go_on()
        await until(lambda: member.channel.is_up)
        await member.send("after")
        await until(lambda: len(member.received) == 2)
        assert member.received == [{"text": "on its way"}, {"text": "after"}]

    async def test_others_are_still_reached_when_memberships_are_lost(self, member: Member) -> None:
        await member.layer.group_add("others", "another")
        member.layer.groups = {"others": member.layer.groups["others"]}
        await until(lambda: not member.channel.is_up)
        await member.send(group="others")
        assert member.layer.calls[-1] == ("send", "others")

    async def test_process_without_groups_tries_again_by_itself(self, caplog: pytest.LogCaptureFixture) -> None:
        """A task queue's, say, in which no socket lives."""
        member = Member()
        member.layer.hang()
        assert await member.send() == pytest.approx(TIMEOUT)
        times = [await member.send() for _ in range(100)]
        assert times == [0] * 100
        assert sum([await time_of(asyncio.sleep(0.1)) and await member.send() for _ in range(100)]) < 10
        await member.layer.go_on()
        await asyncio.sleep(2)
        await member.send()
        assert member.channel.is_up
        assert (caplog.text.count(FAILED), caplog.text.count(WORKS)) == (1, 1)
        member.layer.hang()
        await member.send()
        await asyncio.sleep(0.11)
        assert await member.send() == pytest.approx(TIMEOUT)
        await member.layer.go_on()

    async def test_process_without_groups_opens_no_channel(self) -> None:
        member = Member()
        await member.send()
        await asyncio.sleep(60)
        assert member.layer.calls == [("send", "room")]


class TestChannel:
    async def test_messages_of_its_groups_are_delivered_in_order(self, member: Member) -> None:
        for text in "abc":
            await member.send(text)
        await member.send("d", group="another")
        await until(lambda: len(member.received) == 3)
        await asyncio.sleep(10)
        assert [message["text"] for message in member.received] == ["a", "b", "c"]

    async def test_layer_without_a_channel_yet_holds_nobody_up(self) -> None:
        member = Member()
        member.layer.hang()
        member.channel.add("room")
        assert await time_of(member.channel.settle()) == pytest.approx(TIMEOUT)
        await asyncio.sleep(60)
        assert member.layer.count("new") == 1
        await member.layer.go_on()
        await until(lambda: member.channel.is_up)
        assert member.layer.rooms == {"room"}
        await member.channel.close()

    async def test_calls_do_not_pile_up(self, member: Member) -> None:
        for number in range(1_000):
            member.channel.add(f"room.{number}")
        await member.channel.settle()
        member.layer.hang()
        member.layer.calls.clear()
        await asyncio.sleep(30)
        assert len(member.layer.calls) < 40
        await asyncio.sleep(900)
        assert (member.layer.count("send"), member.layer.count("add")) == (100, 200)
        await member.layer.go_on()
        await until(lambda: member.channel.is_up)
        assert len(member.layer.rooms) == 1_001

    async def test_nothing_is_wrong_for_a_process_that_is_in_no_group_any_more(self, member: Member) -> None:
        member.layer.groups.clear()
        await until(lambda: not member.channel.is_up)
        member.channel.discard("room")
        assert member.channel.is_up


class TestEnd:
    async def test_close_waits_no_longer_than_deadlines(self) -> None:
        member = Member()
        for number in range(1_000):
            member.channel.add(str(number))
        await member.channel.settle()
        member.layer.hang()
        assert await time_of(member.channel.close()) == pytest.approx(TIMEOUT)
        await member.layer.go_on()

    async def test_channel_that_was_closed_starts_anew(self, member: Member) -> None:
        await member.channel.close()
        assert member.layer.rooms == set()
        member.channel.add("another")
        await member.channel.settle()
        assert member.layer.rooms == {"room", "another"}
        await member.send("x", group="another")
        await until(lambda: member.received)

    async def test_channel_that_was_never_opened_can_be_closed(self) -> None:
        member = Member()
        assert await time_of(member.channel.close()) == 0
        assert member.layer.calls == []
