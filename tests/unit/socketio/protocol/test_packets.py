"""Socket.IO packets in memory."""

from __future__ import annotations

import pytest

from sio.socketio import packets as documented
from sio.socketio.protocol.packets import RESERVED_EVENTS, PacketType, SocketIOPacket


def test_types_are_numbered_as_on_the_wire() -> None:
    assert [member.name for member in sorted(PacketType)] == [
        "CONNECT",
        "DISCONNECT",
        "EVENT",
        "ACK",
        "CONNECT_ERROR",
        "BINARY_EVENT",
        "BINARY_ACK",
    ]
    assert sorted(PacketType) == list(range(7))


def test_reserved_events_are_those_of_the_reference() -> None:
    assert sorted(RESERVED_EVENTS) == [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ]


def test_packet_is_of_the_main_namespace_and_empty_by_default() -> None:
    packet = SocketIOPacket(PacketType.CONNECT)
    assert (packet.namespace, packet.data, packet.id, packet.size) == ("/", None, None, 0)


@pytest.mark.parametrize(
    ("other", "is_equal"),
    [
        (SocketIOPacket(PacketType.EVENT, "/a", ["x"], 1), True),
        (SocketIOPacket(PacketType.EVENT, "/a", ["x"], 1, size=500), True),
        (SocketIOPacket(PacketType.ACK, "/a", ["x"], 1), False),
        (SocketIOPacket(PacketType.EVENT, "/b", ["x"], 1), False),
        (SocketIOPacket(PacketType.EVENT, "/a", ["y"], 1), False),
        (SocketIOPacket(PacketType.EVENT, "/a", ["x"], 2), False),
    ],
)
def test_packets_are_equal_whatever_memory_they_take(other: SocketIOPacket, is_equal: bool) -> None:
    assert (SocketIOPacket(PacketType.EVENT, "/a", ["x"], 1) == other) is is_equal


def test_documented_path_has_the_same_classes() -> None:
    assert documented.PacketType is PacketType
    assert documented.SocketIOPacket is SocketIOPacket
