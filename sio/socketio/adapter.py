"""Rooms ↔ sockets of this process, and what is sent to them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from ..engineio.protocol.packets import EncodedPacket
from .rooms import EVERYONE, Room
from .target import Target


class Member(Protocol):
    """What is in a room: one client in one namespace."""

    @property
    def namespace_name(self) -> str: ...
    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool: ...


class Adapter:
    """Keeps the rooms in memory. It is the whole truth for one process; subclasses reach the others.

    A room exists while a socket is in it. Every accepted socket is in the room of its own id, and in EVERYONE.
    """

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, Room], dict[Member, None]] = {}

    def for_sending(self) -> Adapter:
        """Returns an adapter for another thread, in which no socket lives."""
        return type(self)()

    # Membership

    def add(self, member: Member, rooms: Iterable[Room]) -> None:
        """Puts a member into rooms."""
        for room in rooms:
            key = (member.namespace_name, room)
            members = self._rooms.get(key)
            if members is None:
                members = self._rooms[key] = {}
                self.on_room_created(*key)
            members[member] = None

    def remove(self, member: Member, rooms: Iterable[Room]) -> None:
        """Takes a member out of rooms. What it is not in is ignored."""
        for room in rooms:
            key = (member.namespace_name, room)
            members = self._rooms.get(key)
            if members is not None:
                members.pop(member, None)
                if not members:
                    del self._rooms[key]
                    self.on_room_deleted(*key)

    def on_room_created(self, namespace: str, room: Room) -> None:
        """The first socket of this process joined a room."""

    def on_room_deleted(self, namespace: str, room: Room) -> None:
        """The last socket of this process left a room."""

    async def settle(self) -> None:
        """Waits until the other processes know of the rooms that were joined."""

    async def close(self) -> None:
        """Releases what the adapter holds."""

    # Broadcasts

    @property
    def reaches_others(self) -> bool:
        """Whether a broadcast goes to other processes too."""
        return False

    async def broadcast(self, target: Target, packets: Sequence[EncodedPacket]) -> None:
        """Sends packets to the sockets of a target, to each once.

        It waits for no client, but gives the loop a turn: broadcasts without a pause would else fill all buffers.
        """
        self.broadcast_locally(target, packets)
        await asyncio.sleep(0)

    def broadcast_locally(self, target: Target, packets: Sequence[EncodedPacket]) -> None:
        """`broadcast` to the sockets of this process."""
        volatile = target.volatile
        for member in self.find(target):
            member.send_packets(packets, volatile)

    def find(self, target: Target) -> list[Member]:
        """Returns the members of this process that a target names."""
        # A copy: sending can cut a slow consumer, which changes the rooms.
        found = list(self._members(target.namespace, (EVERYONE,) if target.rooms is None else target.rooms))
        if target.except_ and (excluded := self._members(target.namespace, target.except_)):
            return [member for member in found if member not in excluded]
        return found

    def _members(self, namespace: str, rooms: Collection[Room]) -> dict[Member, None]:
        found = [self._rooms[namespace, room] for room in rooms if (namespace, room) in self._rooms]
        return found[0] if len(found) == 1 else {member: None for room in found for member in room}
