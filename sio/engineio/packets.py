"""Engine.IO packets: the documented import path of what `engineio.protocol.packets` has."""

from .protocol.packets import (
    EncodedPacket,
    Packet,
    PacketType,
    decode_packet,
    decode_payload,
    encode_packet,
    encode_payload,
)

__all__ = [
    "EncodedPacket",
    "Packet",
    "PacketType",
    "decode_packet",
    "decode_payload",
    "encode_packet",
    "encode_payload",
]
