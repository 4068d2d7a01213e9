"""Messages of a process to itself: they show within seconds that a layer hangs, forgets, or works again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from sio.cluster.probe import group_names
from tests.unit.cluster.layers import FAILED, LOST, WORKS, Layer, Member, until


class TestLayerThatWorks:
    async def test_is_asked_once_in_two_seconds_and_nobody_is_bothered(self, member: Member) -> None:
        member.layer.calls.clear()
        await asyncio.sleep(60)
        assert 25 <= member.layer.count("send") <= 30
        assert len(member.layer.calls) == member.layer.count("send")
        assert member.received == []

    async def test_nothing_is_sent_or_left_for_a_process_without_groups(self, member: Member) -> None:
        member.channel.discard("room")
        await asyncio.sleep(1)
        member.layer.calls.clear()
        await asyncio.sleep(60)
        assert member.layer.calls == []
        assert not any(member.layer.groups.values())

    async def test_probe_behind_many_messages_is_not_lost(
        self, member: Member, caplog: pytest.LogCaptureFixture
    ) -> None:
        await asyncio.sleep(1.99)
        receive = member.layer.receive

        async def receive_slowly(channel: str) -> Any:
            await asyncio.sleep(0.1)
            return await receive(channel)

        member.layer.receive = receive_slowly
        for _ in range(25):
            await member.send()
        await asyncio.sleep(10)
        assert len(member.received) == 25
        assert caplog.text == ""

    @pytest.mark.parametrize("message", [None, "text", 1, {}, {"type": "sio.broadcast"}, {"type": None}])
    async def test_other_messages_are_no_probes(self, member: Member, message: Any) -> None:
        assert not member.channel._probe.takes(message)

    @pytest.mark.parametrize(
        "message", [{}, {"number": None}, {"number": 1, "group": None}, {"number": 1, "group": {}}]
    )
    async def test_probe_of_another_program_is_taken_and_harmless(
        self, member: Member, message: dict[str, Any]
    ) -> None:
        assert member.channel._probe.takes({"type": "sio.probe", **message})


class TestLayerThatHangs:
    async def test_idle_process_notices_it_within_seconds(
        self, member: Member, caplog: pytest.LogCaptureFixture
    ) -> None:
        member.layer.hang()
        assert await until(lambda: not member.channel.is_up) < 3.1
        await asyncio.sleep(20)
        await member.layer.go_on()
        assert await until(lambda: member.channel.is_up) < 3.1
        assert (caplog.text.count(FAILED), caplog.text.count(WORKS)) == (1, 1)

    async def test_failure_of_a_broadcast_makes_the_next_probe_due(self, member: Member) -> None:
        member.layer.error = OSError("gone")
        await member.send()
        member.layer.error = None
        assert await until(lambda: member.channel.is_up) < 0.3


class TestLayerThatForgets:
    async def test_is_noticed_healed_and_logged_within_seconds(
        self, member: Member, caplog: pytest.LogCaptureFixture
    ) -> None:
        member.channel.add("another")
        await asyncio.sleep(10)
        member.layer.groups.clear()
        assert await until(lambda: member.layer.rooms) < 3.1
        await until(lambda: member.channel.is_up, 1)
        assert member.layer.rooms == {"room", "another"}
        assert [caplog.text.count(text) for text in (FAILED, LOST, WORKS)] == [0, 1, 1]

    async def test_probes_of_others_and_of_earlier_rounds_prove_nothing(self, member: Member) -> None:
        await asyncio.sleep(10)
        (channel,) = member.layer.groups["room"]
        (own,) = member.channel._probe._names
        member.layer.groups.clear()
        for number in range(100):
            await member.layer.send(channel, {"type": "sio.probe", "number": number, "group": "another"})
        async with asyncio.timeout(10):
            while member.channel.is_up:
                await member.layer.send(channel, {"type": "sio.probe", "number": 1, "group": own})
                await asyncio.sleep(0.3)
        assert member.received == []

    @pytest.mark.parametrize("host", [0, 1])
    async def test_one_host_that_forgets_is_noticed(self, host: int, caplog: pytest.LogCaptureFixture) -> None:
        class TwoHosts(Layer):
            ring_size = 2

            def consistent_hash(self, name: str) -> int:
                return sum(name.encode()) % 2

        layer = TwoHosts()
        member = Member(layer)
        for room in ("a", "b"):
            member.channel.add(room)
        await member.channel.settle()
        await asyncio.sleep(10)
        assert caplog.text == ""
        for group in [group for group in layer.groups if layer.consistent_hash(group) == host]:
            del layer.groups[group]
        assert await until(lambda: not member.channel.is_up) < 3.1
        await until(lambda: member.channel.is_up, 1)
        assert layer.rooms == {"a", "b"}
        assert [caplog.text.count(text) for text in (FAILED, LOST, WORKS)] == [0, 1, 1]
        await member.channel.close()


class TestGroupNames:
    @pytest.mark.parametrize("hosts", [1, 2, 5])
    def test_each_host_of_a_layer_is_asked(self, hosts: int) -> None:
        class Sharded:
            ring_size = hosts

            def consistent_hash(self, name: str) -> int:
                return sum(name.encode()) // 2 % hosts

        names = list(group_names(Sharded()))
        assert {Sharded().consistent_hash(name) for name in names} == set(range(hosts))
        assert len(names) == hosts
        assert all(InMemoryChannelLayer().require_valid_group_name(name) for name in names)

    def test_layer_without_hosts_is_one(self) -> None:
        assert len(list(group_names(InMemoryChannelLayer()))) == 1

    def test_no_two_processes_share_a_group(self) -> None:
        layer = InMemoryChannelLayer()
        assert len({name for _ in range(100) for name in group_names(layer)}) == 100
