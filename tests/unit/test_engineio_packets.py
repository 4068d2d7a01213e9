"""Engine.IO v4 packets on the wire: WebSocket frames, segments of a payload, whole payloads."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sio.engineio.packets import (
    CLOSE,
    NOOP,
    PING,
    PROBE_PONG,
    EncodedPacket,
    Packet,
    PacketType,
    ParseError,
    decode_packet,
    decode_payload,
    encode_payload,
)

#: What a packet is, and its type character with its text: the same in a frame and in a segment.
TEXT_VECTORS = [
    (Packet(PacketType.OPEN), "0"),
    (Packet(PacketType.OPEN, '{"sid":"x"}'), '0{"sid":"x"}'),
    (Packet(PacketType.CLOSE), "1"),
    (Packet(PacketType.PING), "2"),
    (Packet(PacketType.PING, "probe"), "2probe"),
    (Packet(PacketType.PONG), "3"),
    (Packet(PacketType.PONG, "probe"), "3probe"),
    (Packet(PacketType.MESSAGE), "4"),
    (Packet(PacketType.MESSAGE, "test"), "4test"),
    (Packet(PacketType.MESSAGE, "b"), "4b"),
    (Packet(PacketType.MESSAGE, "5"), "45"),
    (Packet(PacketType.MESSAGE, "\x00\n\u2028"), "4\x00\n\u2028"),
    (Packet(PacketType.MESSAGE, "€é😀"), "4€é😀"),
    (Packet(PacketType.UPGRADE), "5"),
    (Packet(PacketType.NOOP), "6"),
]

#: The content of a binary message, and its segment.
BINARY_VECTORS = [
    (b"\x01\x02\x03\x04", "bAQIDBA=="),
    (b"\x00", "bAA=="),
    (b"\x00\x01", "bAAE="),
    (b"\x00\x01\x02", "bAAEC"),
    (b"\xff\xfe\xfd", "b//79"),
    (b"\xfb\xff", "b+/8="),
    (b"4text", "bNHRleHQ="),
]

#: Bad inputs 12, 13, 19 and 35: the text of a frame or of a segment that is no packet.
MALFORMED = {
    "empty": "",
    "unknown digit": "7",
    "another unknown digit": "9",
    "letter": "abc",
    "x": "x",
    "the malformed packet of the reference's tests": "a123",
    "JSON": "{}",
    "brace": "{",
    "quotes": '["a123", "a456"]',
    "minus": "-1",
    "space before the type": " 4a",
    "byte order mark": "\ufeff4a",
    "digit outside ASCII": "٤a",
    "superscript digit": "²",
    "separator": "\x1e",
    "upper-case B": "BAQIDBA==",
    "base64 without padding": "bAQIDBA",
    "base64 with too little padding": "bAQIDBA=",
    "base64 with too much padding": "bAQIDBA===",
    "only padding": "b====",
    "one base64 character": "bA",
    "padding in the middle": "bAQ==AQ==",
    "data after the padding": "bAQIDBA==A",
    "space in base64": "bAQID BA==",
    "newline in base64": "bAQIDBA==\n",
    "base64url": "b-_-_",
    "junk as base64": "b!!!!",
    "letters outside ASCII as base64": "bäöü€",
}


def frame_content(packet: EncodedPacket) -> Any:
    """Returns what the one WebSocket frame of a packet carries."""
    frame = dict(packet.frame)
    assert frame.pop("type") == "websocket.send"
    assert len(frame) == 1
    return frame.popitem()[1]


def assert_refused(encoded: str | bytes) -> None:
    with pytest.raises(ParseError):
        decode_packet(encoded)


class TestPacketEncoding:
    """Protocol section "Packet encoding": one packet, one WebSocket frame or one segment."""

    @pytest.mark.parametrize(("packet", "wire"), TEXT_VECTORS)
    def test_text_packet(self, packet: Packet, wire: str) -> None:
        encoded = EncodedPacket(packet.type + str(packet.data))
        assert frame_content(encoded) == wire
        assert encoded.segment == wire.encode()
        assert decode_packet(wire) == packet

    @pytest.mark.parametrize(("content", "segment"), BINARY_VECTORS)
    def test_binary_packet(self, content: bytes, segment: str) -> None:
        encoded = EncodedPacket.message(content)
        assert frame_content(encoded) == content
        assert encoded.segment == segment.encode()
        assert decode_packet(content) == decode_packet(segment) == Packet(PacketType.MESSAGE, content)

    def test_empty_binary_packet_is_a_text_frame(self) -> None:
        """Daphne drops an empty binary frame."""
        encoded = EncodedPacket.message(b"")
        assert encoded.frame == {"type": "websocket.send", "text": "b"}
        assert encoded.segment == b"b"
        assert decode_packet("b") == decode_packet(b"") == Packet(PacketType.MESSAGE, b"")

    @pytest.mark.parametrize(
        ("packet", "wire"),
        [(PING, "2"), (NOOP, "6"), (CLOSE, "1"), (PROBE_PONG, "3probe")],
        ids=lambda value: str(value),
    )
    def test_control_packets_of_the_server(self, packet: EncodedPacket, wire: str) -> None:
        assert frame_content(packet) == wire

    @pytest.mark.parametrize("content", [bytearray(b"\x01\x02"), memoryview(b"\x01\x02")])
    def test_any_bytes_like_message_is_binary(self, content: Any) -> None:
        encoded = EncodedPacket.message(content)
        assert encoded.data == b"\x01\x02"
        assert type(encoded.data) is bytes

    def test_text_message_gets_its_type(self) -> None:
        assert EncodedPacket.message("hello").data == "4hello"

    def test_every_binary_content_survives_base64(self) -> None:
        randomness = random.Random(1)
        for length in range(100):
            content = randomness.randbytes(length)
            segment = EncodedPacket.message(content).segment.decode()
            assert decode_packet(segment).data == content

    @pytest.mark.parametrize("wire", MALFORMED.values(), ids=MALFORMED)
    def test_malformed_packet_is_refused(self, wire: str) -> None:
        assert_refused(wire)

    def test_garbage_is_a_packet_or_a_parse_error(self) -> None:
        randomness = random.Random(2)
        for _ in range(2_000):
            text = "".join(
                chr(randomness.choice([randomness.randrange(128), randomness.randrange(0xD800)])) for _ in "12"
            )
            try:
                assert decode_packet(text).type in PacketType
            except ParseError:
                continue


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
    """Protocol section "Payload encoding": the body of a POST, and of the answer to a GET."""

    VECTORS = (
        (b"4hello", ["4hello"]),
        (b"4hello\x1e2\x1e4world", ["4hello", "2", "4world"]),
        (b"0\x1e1\x1e2probe\x1e3probe\x1e4test", ["0", "1", "2probe", "3probe", "4test"]),
        (b"4test\x1ebAQIDBA==", ["4test", b"\x01\x02\x03\x04"]),
        (b"4test\x1eb", ["4test", b""]),
        (b"bAQID\x1ebBAUG", [b"\x01\x02\x03", b"\x04\x05\x06"]),
        ("4€\x1e4\u2028".encode(), ["4€", "4\u2028"]),
    )

    @pytest.mark.parametrize(("payload", "packets"), VECTORS)
    def test_payload(self, payload: bytes, packets: list[str | bytes]) -> None:
        assert encode_payload([EncodedPacket(data) for data in packets]) == payload
        assert list(decode_payload(payload)) == [decode_packet(data) for data in packets]

    def test_thousand_small_packets_come_in_order(self) -> None:
        """Bad input 21: an honest client may batch that many."""
        messages = [str(number) for number in range(1_000)]
        payload = encode_payload([EncodedPacket.message(message) for message in messages])
        assert [packet.data for packet in decode_payload(payload)] == messages

    @pytest.mark.parametrize("segment", MALFORMED.values(), ids=MALFORMED)
    def test_packets_before_a_malformed_one_are_yielded(self, segment: str) -> None:
        packets = decode_payload(b"4first\x1e4second\x1e" + segment.encode() + b"\x1e4never")
        assert [next(packets).data, next(packets).data] == ["first", "second"]
        with pytest.raises(ParseError):
            next(packets)
        assert list(packets) == []

    @pytest.mark.parametrize("payload", [b"", b"\x1e", b"\x1e4a", b"{", b"{}", b'["a123", "a456"]'])
    def test_payload_that_starts_with_no_packet_is_refused(self, payload: bytes) -> None:
        with pytest.raises(ParseError):
            next(decode_payload(payload))

    @pytest.mark.parametrize("payload", [b"4a\x1e", b"4a\x1e\x1e4b", b"4a\x1eb*"])
    def test_payload_with_an_empty_or_malformed_packet_is_refused(self, payload: bytes) -> None:
        with pytest.raises(ParseError):
            list(decode_payload(payload))

    @pytest.mark.parametrize(
        "payload", [b"4\xff", b"4a\x1e4\xc3", b"4\xc0\x80", b"4\xed\xa0\x80", b"4\xf4\x90\x80\x80", b"\x80"]
    )
    def test_payload_that_is_not_utf8_is_refused_as_a_whole(self, payload: bytes) -> None:
        with pytest.raises(ParseError):
            next(decode_payload(payload))
