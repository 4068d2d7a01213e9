"""`Adapter`: the rooms of one process, and what is sent to them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sio.engineio.protocol.packets import EncodedPacket
from sio.socketio.adapter import Adapter
from sio.socketio.rooms import EVERYONE, Room
from sio.socketio.target import Target

PACKETS = [EncodedPacket.message("hit")]


class Member:
    """Keeps what it is sent. `leaves` is an adapter that it leaves then, as a slow consumer does."""

    def __init__(self, namespace: str = "/", leaves: Adapter | None = None) -> None:
        self.namespace_name = namespace
        self.received: list[tuple[Sequence[EncodedPacket], bool]] = []
        self._leaves = leaves

    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool:
        self.received.append((packets, volatile))
        if self._leaves is not None:
            self._leaves.remove(self, [EVERYONE, "x", "y"])
        return True


class RecordingAdapter(Adapter):
    """Keeps which rooms were created and deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Any] = []

    def on_room_created(self, namespace: str, room: Room) -> None:
        self.log.append(("created", namespace, room))

    def on_room_deleted(self, namespace: str, room: Room) -> None:
        self.log.append(("deleted", namespace, room))


class TestMembership:
    def test_room_exists_while_somebody_is_in_it(self) -> None:
        adapter, first, second = RecordingAdapter(), Member(), Member()
        adapter.add(first, [EVERYONE, "x"])
        adapter.add(second, ["x"])
        adapter.add(second, ["x"])
        adapter.remove(first, ["x"])
        assert adapter.log == [("created", "/", None), ("created", "/", "x")]
        adapter.remove(second, ["x"])
        adapter.remove(first, [EVERYONE])
        assert adapter.log[2:] == [("deleted", "/", "x"), ("deleted", "/", None)]

    def test_rooms_of_namespaces_are_not_the_same(self) -> None:
        adapter = RecordingAdapter()
        for namespace in ("/a", "/b"):
            adapter.add(Member(namespace), ["x"])
        assert adapter.log == [("created", "/a", "x"), ("created", "/b", "x")]

    def test_member_is_taken_out_of_rooms_that_it_is_not_in(self) -> None:
        adapter, member = RecordingAdapter(), Member()
        adapter.add(member, ["x"])
        adapter.remove(Member(), ["x", "y"])
        adapter.remove(member, ["y"])
        assert adapter.log == [("created", "/", "x")]

    def test_plain_adapter_needs_nobody_to_hear_of_its_rooms(self) -> None:
        adapter, member = Adapter(), Member()
        adapter.add(member, ["x"])
        adapter.remove(member, ["x"])
        adapter.broadcast_locally(Target("/", frozenset("x")), PACKETS)
        assert member.received == []


class TestBroadcast:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (Target("/"), "abc"),
            (Target("/", frozenset("x")), "ab"),
            (Target("/", frozenset("xy")), "abc"),
            (Target("/", frozenset("z")), ""),
            (Target("/", frozenset()), ""),
            (Target("/", None, frozenset("x")), "c"),
            (Target("/", frozenset("xy"), frozenset("y")), "a"),
            (Target("/", frozenset("x"), frozenset("x")), ""),
            (Target("/", frozenset("x"), frozenset("z")), "ab"),
            (Target("/", None, frozenset("xy")), ""),
            (Target("/", frozenset("x"), local=True), "ab"),
        ],
    )
    async def test_each_member_gets_it_once(self, target: Target, expected: str) -> None:
        adapter = Adapter()
        members = {name: Member() for name in "abc"}
        stranger = Member("/other")
        for member, joined in ((members["a"], "x"), (members["b"], "xy"), (members["c"], "y"), (stranger, "xy")):
            adapter.add(member, [EVERYONE, *joined])
        found = adapter.find(target)
        assert len(found) == len(expected)
        assert set(found) == {members[name] for name in expected}
        await adapter.broadcast(target, PACKETS)
        assert "".join(name for name, member in members.items() if member.received) == expected
        for member in members.values():
            assert member.received in ([], [(PACKETS, False)])
        assert stranger.received == []

    @pytest.mark.parametrize("volatile", [False, True])
    async def test_member_hears_whether_it_is_volatile(self, volatile: bool) -> None:
        adapter, member = Adapter(), Member()
        adapter.add(member, [EVERYONE])
        await adapter.broadcast(Target("/", volatile=volatile), PACKETS)
        assert member.received == [(PACKETS, volatile)]

    @pytest.mark.parametrize("rooms", [None, frozenset("x"), frozenset("xy")])
    def test_members_may_leave_meanwhile(self, rooms: frozenset[str] | None) -> None:
        adapter = Adapter()
        members = [Member(leaves=adapter) for _ in range(3)]
        for member in members:
            adapter.add(member, [EVERYONE, "x", "y"])
        for _ in range(2):
            adapter.broadcast_locally(Target("/", rooms), PACKETS)
        assert [len(member.received) for member in members] == [1, 1, 1]

    async def test_others_have_a_turn(self) -> None:
        turns: list[int] = []
        task = asyncio.ensure_future(asyncio.sleep(0))
        task.add_done_callback(lambda task: turns.append(1))
        for _ in range(3):
            await Adapter().broadcast(Target("/"), PACKETS)
        assert turns == [1]


class TestOneProcess:
    async def test_no_other_process_is_reached_or_waited_for(self) -> None:
        adapter = Adapter()
        assert not adapter.reaches_others
        await adapter.settle()
        await adapter.close()

    def test_adapter_for_another_thread_has_no_members(self) -> None:
        adapter, member = RecordingAdapter(), Member()
        adapter.add(member, [EVERYONE])
        other = adapter.for_sending()
        assert type(other) is RecordingAdapter
        other.broadcast_locally(Target("/"), PACKETS)
        assert member.received == []
