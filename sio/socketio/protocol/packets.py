"""Socket.IO v5 packets in memory.

Source: Socket.IO protocol v5, section "Packet types"; the reference's `socket.io-parser`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

#: Event names with a meaning of their own: nobody may emit them.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)


class PacketType(IntEnum):
    """The seven packet types."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


@dataclass(slots=True)
class SocketIOPacket:
    """A packet in memory. Binary data stands in its place in `data` as bytes, and the type is then that of the plain
    packet.

    `data` is a dict or None for CONNECT, a list or None for EVENT and ACK (the event's name first), a dict or str for
    CONNECT_ERROR, None for DISCONNECT. `size` is about how many bytes a received packet takes in memory; of a CONNECT,
    how many its payload has on the wire.
    """

    type: PacketType
    namespace: str = "/"
    data: Any = None
    id: int | None = None
    size: int = field(default=0, compare=False)
