"""The messages that processes send one another through the channel layer, and the groups that they go to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from ..socketio.rooms import EVERYONE, Room
from ..socketio.target import Target

MESSAGE_TYPE = "sio.broadcast"
#: Changed when processes of two versions could not read each other's messages.
MESSAGE_VERSION = 1


def group_name(namespace: str, room: Room, server: str = "") -> str:
    """Returns the layer's name of a room of a server: a hash, so that any string is a room name.

    160 bits of BLAKE2b: two of a billion rooms share a name with a probability of less than 10**-30.
    """
    # The length keeps ("/a", "b") and ("/ab", "") apart, the last letter a room "" and the whole namespace.
    key = f"{len(namespace)}{namespace}" + ("e" if room is EVERYONE else f"r{room}")
    if server:
        key = f"{len(server)}s{server}{key}"
    return "sio." + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message of the layer. Rooms are bytes there, since a room name may be a string that is no UTF-8."""

    sender: str
    number: int
    previous: int
    target: Target
    packets: tuple[str | bytes, ...]

    def to_message(self) -> dict[str, Any]:
        """Returns what any layer can carry."""
        target = self.target
        return {
            "type": MESSAGE_TYPE,
            "version": MESSAGE_VERSION,
            "sender": self.sender,
            "number": self.number,
            "previous": self.previous,
            "namespace": target.namespace,
            "rooms": None if target.rooms is None else [_to_bytes(room) for room in target.rooms],
            "except": [_to_bytes(room) for room in target.except_],
            "packets": list(self.packets),
            "volatile": target.volatile,
        }

    @classmethod
    def from_message(cls, message: Any) -> Broadcast:
        """Raises TypeError, KeyError or ValueError for what is no message of this version."""
        if message["type"] != MESSAGE_TYPE or message["version"] != MESSAGE_VERSION:
            raise ValueError(f"type {message['type']!r}, version {message['version']!r}")
        rooms = message["rooms"]
        return cls(
            str(message["sender"]),
            int(message["number"]),
            int(message["previous"]),
            Target(
                str(message["namespace"]),
                None if rooms is None else frozenset(map(_to_str, rooms)),
                frozenset(map(_to_str, message["except"])),
                volatile=bool(message.get("volatile")),  # the first processes of this version did not say
            ),
            tuple(_check_packet(packet) for packet in message["packets"]),
        )


def target_room(rooms: frozenset[str] | None) -> Room:
    """The room whose group a broadcast goes to: its own if it is for one, else that of the whole namespace."""
    return next(iter(rooms)) if rooms is not None and len(rooms) == 1 else EVERYONE


def _to_bytes(room: str) -> bytes:
    return room.encode("utf-8", "surrogatepass")


def _to_str(room: Any) -> str:
    return bytes.decode(room, "utf-8", "surrogatepass")


def _check_packet(packet: Any) -> str | bytes:
    if not isinstance(packet, str | bytes):
        raise TypeError(f"a packet of type {type(packet).__name__}")
    return packet
