"""Engine.IO v4 packets on the wire: WebSocket frames, segments of a payload, whole payloads.

The vectors are those of the conformance tests, which put them to the official parser too.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from sio.engineio.protocol.packets import (
    CLOSE,
    NOOP,
    PING,
    PROBE_PONG,
    EncodedPacket,
    Packet,
    PacketType,
    decode_packet,
    decode_payload,
    encode_packet,
    encode_payload,
)
from sio.exceptions import EngineIOParseError
from tests.conformance.parsers.layers import ERROR, FRAMES, frame_content
from tests.conformance.parsers.vectors import Vector, load

VECTORS = load("engineio")
INVALID = load("engineio-invalid")
#: Those that are one packet: what refuses them is the packet, and not the payload around it.
INVALID_PACKETS = [vector for vector in INVALID if vector.forms[0][0] is FRAMES]

in_vectors = pytest.mark.parametrize("vector", VECTORS, ids=str)


class TestVectors:
    """Protocol sections "Packet encoding" and "Payload encoding": each form is written and read as the vectors say."""

    @in_vectors
    def test_packets_are_read(self, vector: Vector) -> None:
        for layer, wire in vector.forms:
            assert layer.decode(wire) == vector.packets

    @in_vectors
    def test_packets_are_written(self, vector: Vector) -> None:
        for layer, wire in vector.forms:
            assert (layer.encode(vector.packets) == wire) is vector.is_canonical

    @pytest.mark.parametrize("vector", INVALID, ids=str)
    def test_malformed_packet_is_refused_after_those_before_it(self, vector: Vector) -> None:
        for layer, wire in vector.forms:
            assert layer.decode(wire) == [*vector.packets, ERROR]


class TestPacketEncoding:
    """One packet, one WebSocket frame or one segment."""

    @pytest.mark.parametrize(
        ("packet", "wire"),
        [(PING, "2"), (NOOP, "6"), (CLOSE, "1"), (PROBE_PONG, "3probe")],
        ids=["ping", "noop", "close", "probe"],
    )
    def test_control_packets_of_the_server(self, packet: EncodedPacket, wire: str) -> None:
        assert frame_content(packet) == wire

    @pytest.mark.parametrize("content", [bytearray(b"\x01\x02"), memoryview(b"\x01\x02")])
    def test_any_bytes_like_message_is_binary(self, content: Any) -> None:
        encoded = EncodedPacket.message(content)
        assert encoded.data == b"\x01\x02"
        assert type(encoded.data) is bytes

    def test_frame_without_bytes_is_one_that_daphne_sends(self) -> None:
        """It sends `message["bytes"]`, which must be bytes and nothing else, if `message.get("bytes")` is true."""
        frame = EncodedPacket(b"").frame
        assert frame.get("bytes")
        assert frame.get("bytes") == b""
        assert type(frame["bytes"]) is bytes
        assert frame.get("text") is None
        assert frame.get("text", "none") == "none"

    def test_text_message_gets_its_type(self) -> None:
        assert EncodedPacket.message("hello").data == "4hello"

    def test_every_binary_content_survives_base64(self) -> None:
        randomness = random.Random(1)
        for length in range(100):
            content = randomness.randbytes(length)
            segment = EncodedPacket.message(content).segment.decode()
            assert decode_packet(segment).data == content

    def test_garbage_is_a_packet_or_a_parse_error(self) -> None:
        randomness = random.Random(2)
        for _ in range(2_000):
            text = "".join(
                chr(randomness.choice([randomness.randrange(128), randomness.randrange(0xD800)])) for _ in "12"
            )
            try:
                assert decode_packet(text).type in PacketType
            except EngineIOParseError:
                continue


@pytest.mark.parametrize(
    ("packet", "frame", "segment"),
    [
        (Packet(PacketType.MESSAGE, "é"), {"type": "websocket.send", "text": "4é"}, "4é".encode()),
        (Packet(PacketType.MESSAGE, b"\x01\x02"), {"type": "websocket.send", "bytes": b"\x01\x02"}, b"bAQI="),
        (Packet(PacketType.PING, "probe"), {"type": "websocket.send", "text": "2probe"}, b"2probe"),
        (Packet(PacketType.NOOP), {"type": "websocket.send", "text": "6"}, b"6"),
    ],
)
def test_packet_is_encoded_for_both_transports(packet: Packet, frame: dict[str, Any], segment: bytes) -> None:
    encoded = encode_packet(packet)
    assert (encoded.frame, encoded.segment) == (frame, segment)
    assert decode_packet(encoded.data) == packet == decode_packet(segment.decode())


class TestSharedForms:
    """An outgoing packet is derived once, whatever the number of sessions that it goes to."""

    @pytest.mark.parametrize("data", ["4text", "4é", b"\x01", b""])
    @pytest.mark.parametrize("form", ["frame", "segment", "size"])
    def test_form_is_derived_once(self, data: str | bytes, form: str) -> None:
        packet = EncodedPacket(data)
        assert getattr(packet, form) is getattr(packet, form)

    @pytest.mark.parametrize(
        ("data", "size"), [("", 0), ("4abc", 4), ("4é", 3), ("4€", 4), ("4😀", 5), (b"", 0), (b"\xff" * 7, 7)]
    )
    def test_size_counts_the_bytes_of_the_websocket_form(self, data: str | bytes, size: int) -> None:
        assert EncodedPacket(data).size == size


class TestPayloadEncoding:
    """The body of a POST, and of the answer to a GET."""

    def test_thousand_small_packets_come_in_order(self) -> None:
        """Bad input 21: an honest client may batch that many."""
        messages = [str(number) for number in range(1_000)]
        payload = encode_payload([EncodedPacket.message(message) for message in messages])
        assert [packet.data for packet in decode_payload(payload)] == messages

    @pytest.mark.parametrize("vector", INVALID_PACKETS, ids=str)
    def test_packets_before_a_malformed_one_are_yielded(self, vector: Vector) -> None:
        ((_, (segment,)), *_) = vector.forms
        packets = decode_payload(b"4first\x1e4second\x1e" + segment.encode() + b"\x1e4never")
        assert [next(packets).data, next(packets).data] == ["first", "second"]
        with pytest.raises(EngineIOParseError):
            next(packets)
        assert list(packets) == []


def test_copy_of_an_empty_frame_is_one_for_daphne_too() -> None:
    """It sends what `get` calls true. Middleware is given a copy of each frame."""
    copy = EncodedPacket(b"").frame.copy()
    assert copy.get("bytes")
    assert copy == {"type": "websocket.send", "bytes": b""}
