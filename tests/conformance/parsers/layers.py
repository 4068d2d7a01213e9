"""What is tested, in the same terms as the official parsers: packets as dicts to messages, and back.

A packet of Engine.IO is `{"type": "message", "data": …}`, one of Socket.IO `{"type": "EVENT", "namespace": "/", "data":
…, "id": …}` without what it has not, and with bytes in `data`, whatever the type on the wire is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sio.engineio.protocol.packets import (
    SEPARATOR,
    EncodedPacket,
    PacketType,
    decode_packet,
    decode_payload,
    encode_payload,
)
from sio.engineio.protocol.packets import Packet as EngineIOPacket
from sio.exceptions import ParseError
from sio.exceptions import ParseError as SocketIOParseError
from sio.socketio.protocol.encoder import PacketEncoder
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.protocol.packets import PacketType as SocketIOPacketType
from sio.socketio.protocol.packets import SocketIOPacket
from sio.socketio.protocol.parser import SocketIOParser

Packet = dict[str, Any]
#: Messages of Socket.IO, frames of Engine.IO, or one payload.
Wire = list[Any]
#: A packet for each message, frame or segment, or None for "more is needed"; "error" is the last one.
Outcome = list[Any]

ERROR = "error"
OPTIONS = SocketIOOptions()


@dataclass(frozen=True)
class Layer:
    """One way of packets onto the wire."""

    name: str
    #: The official package that speaks it.
    package: str
    encode: Callable[[list[Packet]], Wire]
    decode: Callable[[Wire], Outcome]
    #: Returns the text that was refused, given also what came before it.
    refused: Callable[[Wire, Outcome], str]


# Engine.IO


def engineio_packet(packet: EngineIOPacket) -> Packet:
    return {"type": packet.type.name.lower(), "data": packet.data}


def encoded_packet(packet: Packet) -> EncodedPacket:
    if packet["type"] == "message":
        return EncodedPacket.message(packet["data"])
    return EncodedPacket(PacketType[packet["type"].upper()] + packet["data"])


def frame_content(packet: EncodedPacket) -> str | bytes:
    """Returns what the one WebSocket frame of a packet carries."""
    frame = dict(packet.frame)
    assert frame.pop("type") == "websocket.send"
    ((name, content),) = frame.items()
    assert isinstance(content, str if name == "text" else bytes)
    return content


def _encode_frames(packets: list[Packet]) -> Wire:
    return [frame_content(encoded_packet(packet)) for packet in packets]


def _decode_frames(frames: Wire) -> Outcome:
    outcome: Outcome = []
    for frame in frames:
        try:
            outcome.append(engineio_packet(decode_packet(frame)))
        except ParseError:
            return [*outcome, ERROR]
    return outcome


def _encode_payload(packets: list[Packet]) -> Wire:
    return [encode_payload([encoded_packet(packet) for packet in packets]).decode()]


def _decode_payload(wire: Wire) -> Outcome:
    (body,) = wire
    outcome: Outcome = []
    try:
        for packet in decode_payload(body.encode() if isinstance(body, str) else body):
            outcome.append(engineio_packet(packet))
    except ParseError:
        outcome.append(ERROR)
    return outcome


def _refused_message(wire: Wire, outcome: Outcome) -> str:
    """The last text, since attachments are refused for what their header says."""
    return next((message for message in reversed(wire[: len(outcome)]) if isinstance(message, str)), "")


def _refused_segment(wire: Wire, outcome: Outcome) -> str:
    body = wire[0] if isinstance(wire[0], str) else wire[0].decode(errors="surrogateescape")
    # A payload that is not UTF-8 is refused as a whole.
    is_text = all(not "\udc80" <= character <= "\udcff" for character in body)
    return str(body.split(SEPARATOR)[len(outcome) - 1] if is_text else body)


# Socket.IO


def socketio_packet(packet: SocketIOPacket) -> Packet:
    fields = {"namespace": packet.namespace, "data": packet.data, "id": packet.id}
    return {"type": packet.type.name, **{name: value for name, value in fields.items() if value is not None}}


def from_socketio_packet(packet: Packet) -> SocketIOPacket:
    packet_type = SocketIOPacketType[packet["type"]]
    return SocketIOPacket(packet_type, packet["namespace"], packet.get("data"), packet.get("id"))


def _encode_messages(packets: list[Packet]) -> Wire:
    encoder = PacketEncoder(OPTIONS)
    return [message for packet in packets for message in encoder.encode(from_socketio_packet(packet))]


def _decode_messages(messages: Wire) -> Outcome:
    parser = SocketIOParser(OPTIONS)
    outcome: Outcome = []
    for message in messages:
        try:
            packet = parser.feed(message)
        except SocketIOParseError:
            return [*outcome, ERROR]
        outcome.append(packet and socketio_packet(packet))
    return outcome


FRAMES = Layer("engine.io frames", "engine.io-parser", _encode_frames, _decode_frames, _refused_message)
PAYLOADS = Layer("engine.io payloads", "engine.io-parser", _encode_payload, _decode_payload, _refused_segment)
MESSAGES = Layer("socket.io", "socket.io-parser", _encode_messages, _decode_messages, _refused_message)

LAYERS = {layer.name: layer for layer in (FRAMES, PAYLOADS, MESSAGES)}
