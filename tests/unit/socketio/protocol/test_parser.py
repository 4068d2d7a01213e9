"""`SocketIOParser`: what clients send, well-formed and not.

The numbers of bad inputs are those of the rows of their table.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pytest

from sio.exceptions import SocketIOParseError
from sio.socketio import parser as documented
from sio.socketio.protocol.json_text import LARGE
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.protocol.packets import RESERVED_EVENTS, PacketType, SocketIOPacket
from sio.socketio.protocol.parser import MAX_DIGITS, SocketIOParser
from tests.conformance.parsers.layers import socketio_packet
from tests.conformance.parsers.vectors import Vector, load

ATTACHMENT = '{"_placeholder":true,"num":0}'
HEADER = f'51-["a",{ATTACHMENT}]'

INVALID = load("socketio-invalid")


def parser(**options: Any) -> SocketIOParser:
    return SocketIOParser(SocketIOOptions(**options))


def parse(*messages: str | bytes, **options: Any) -> SocketIOPacket:
    """Returns the packet that comes with the last message."""
    fed = parser(**options)
    packets = [fed.feed(message) for message in messages]
    assert packets[:-1] == [None] * (len(messages) - 1)
    assert packets[-1] is not None
    return packets[-1]


def assert_refused(*messages: str | bytes, **options: Any) -> None:
    """The last message is refused, and nothing of it is kept."""
    fed = parser(**options)
    for message in messages[:-1]:
        fed.feed(message)
    with pytest.raises(SocketIOParseError):
        fed.feed(messages[-1])


def nested(depth: int) -> str:
    """Returns an event with `depth` arrays in one another, the outermost one included."""
    return '2["a",' + "[" * (depth - 1) + "]" * (depth - 1) + "]"


class TestInvalid:
    """The parser refuses these at once."""

    @pytest.mark.parametrize("vector", INVALID, ids=str)
    def test_last_message_is_refused(self, vector: Vector) -> None:
        fed = parser()
        packets = [fed.feed(message) for message in vector.wire[:-1]]
        assert [socketio_packet(packet) for packet in packets if packet is not None] == vector.packets
        with pytest.raises(SocketIOParseError):
            fed.feed(vector.wire[-1])

    @pytest.mark.parametrize("vector", [vector for vector in INVALID if len(vector.wire) == 1], ids=str)
    def test_refused_header_leaves_nothing_behind(self, vector: Vector) -> None:
        """No attachment is awaited that could be collected."""
        fed = parser()
        with pytest.raises(SocketIOParseError):
            fed.feed(vector.wire[0])
        assert fed.pending is None
        with pytest.raises(SocketIOParseError):
            fed.feed(b"attachment")

    def test_all_reserved_events_are_refused(self) -> None:
        """Bad input 46."""
        assert {f'2["{name}"]' for name in RESERVED_EVENTS} <= {vector.wire[0] for vector in INVALID}

    @pytest.mark.parametrize("seed", range(20))
    def test_garbage_is_a_packet_or_a_parse_error(self, seed: int) -> None:
        randomness = random.Random(seed)
        for _ in range(500):
            garbage = "".join(randomness.choices('0123456789-/,[]{}":ae \\\x00²\ud800', k=randomness.randint(0, 12)))
            fed = parser()
            try:
                assert fed.feed(garbage) is not None or fed.pending is not None
            except SocketIOParseError:
                assert fed.pending is None


class TestBounds:
    """The parser takes what is within the bounds."""

    def test_ack_id_has_as_many_digits_as_javascript_counts(self) -> None:
        """Bad input 51: the parser takes all of them, though JavaScript rounds some."""
        assert parse("2" + "9" * MAX_DIGITS + '["a"]').id == 10**MAX_DIGITS - 1

    def test_depth_is_an_option(self) -> None:
        assert parse(nested(3), max_json_depth=3).data == ["a", [[]]]
        assert_refused(nested(4), max_json_depth=3)

    def test_many_brackets_side_by_side_are_not_deep(self) -> None:
        assert len(parse('2["a"' + ",[],{}" * 1_000 + "]").data) == 2_001

    def test_brackets_in_a_string_are_not_deep(self) -> None:
        assert parse('2["' + "[{" * 1_000 + '"]').data == ["[{" * 1_000]

    def test_object_with_many_keys_is_read(self) -> None:
        keys = ",".join(f'"{number}":{number}' for number in range(100_000))
        assert len(parse(f'2["a",{{{keys}}}]').data[1]) == 100_000


class TestAttachments:
    """A packet is complete with its last attachment, in the place of its placeholder."""

    def test_placeholders_are_found_as_deep_as_json_may_be(self) -> None:
        packet = parse('51-["a",' + "[" * 98 + ATTACHMENT + "]" * 98 + "]", b"x")
        value = packet.data[1]
        for _ in range(98):
            (value,) = value
        assert value == b"x"

    def test_refused_placeholder_leaves_nothing_behind(self) -> None:
        fed = parser()
        fed.feed('51-["a",{"_placeholder":true}]')
        with pytest.raises(SocketIOParseError):
            fed.feed(b"x" * 1_000)
        assert fed.pending is None

    @pytest.mark.parametrize("depth", [600, 2_000, 5_000])
    def test_depth_is_refused_or_read_whatever_the_limit(self, depth: int) -> None:
        """The parser raises nothing else than what it promises."""
        fed = parser(max_json_depth=10_000)
        try:
            fed.feed('51-["a",' + "[" * depth + "]" * depth + "]")
            assert fed.feed(b"x") is not None
        except SocketIOParseError:
            assert fed.pending is None

    def test_zero_attachments_await_none(self) -> None:
        """Bad input 39: neither the header nor a binary message after it is kept."""
        fed = parser()
        for message in ('50-["x"]', b"1", b"2"):
            with pytest.raises(SocketIOParseError):
                fed.feed(message)
        assert fed.pending is None

    def test_number_of_attachments_is_an_option(self) -> None:
        """Bad input 40."""
        assert_refused('53-["a"]', max_attachments=2)
        assert parse('52-["a"]', b"x", b"y", max_attachments=2).data == ["a"]

    def test_size_of_attachments_is_an_option(self) -> None:
        assert_refused('52-["a"]', b"xy", b"z", max_attachments_bytes=2)
        fed = parser(max_attachments_bytes=2)
        for _ in range(2):  # each packet may have as much
            assert fed.feed('52-["a"]') is None
            assert fed.feed(b"x") is None
            assert fed.feed(b"y") is not None
        assert_refused('511-["a"]')
        assert parse('510-["a"]', *[b"x"] * 10).data == ["a"]


class TestPending:
    """Bad input 41: the parser keeps a packet while attachments are missing, and can drop it."""

    def test_packet_that_waits_is_shown(self) -> None:
        fed = parser()
        assert fed.pending is None
        fed.feed('52-/a,7["a"]')
        assert fed.pending == SocketIOPacket(PacketType.EVENT, "/a", ["a"], 7)
        fed.feed(b"x")
        assert fed.pending is not None

    def test_packet_that_is_complete_is_not_kept(self) -> None:
        fed = parser()
        fed.feed(HEADER)
        fed.feed(b"x")
        assert fed.pending is None

    def test_cleared_parser_starts_anew(self) -> None:
        """In the reference: "should resume decoding after calling destroy()"."""
        fed = parser()
        fed.feed('52-["a"]')
        fed.feed(b"x")
        fed.clear()
        assert fed.pending is None
        assert fed.feed('2["b"]') == SocketIOPacket(PacketType.EVENT, data=["b"])
        fed.feed('51-["c",{"_placeholder":true,"num":0}]')
        assert fed.feed(b"y") == SocketIOPacket(PacketType.EVENT, data=["c", b"y"])

    def test_parsers_share_nothing(self) -> None:
        first, second = parser(), parser()
        first.feed(HEADER)
        assert second.feed('2["b"]') is not None

    def test_packets_follow_one_another(self) -> None:
        fed = parser()
        for number in range(100):
            assert fed.feed(f'2["{number}"]') == SocketIOPacket(PacketType.EVENT, data=[str(number)])
            assert fed.feed(HEADER) is None
            assert fed.feed(bytes([number])) == SocketIOPacket(PacketType.EVENT, data=["a", bytes([number])])


class TestLargePackets:
    """A large packet that waits for its attachments is kept as text."""

    PLACEHOLDERS = '{"_placeholder":true,"num":0},[[{"a":{"_placeholder":true,"num":1}}]]'
    HEADER = f'52-/a,7["a",{PLACEHOLDERS},"{"x" * LARGE}"]'
    DATA: ClassVar[list[Any]] = ["a", b"zero", [[{"a": b"one"}]], "x" * LARGE]

    def test_only_the_text_of_a_large_one_is_kept(self) -> None:
        fed = parser()
        assert fed.feed(self.HEADER) is None
        assert fed.pending is not None
        assert fed.pending.data is None
        assert fed.feed(b"zero") is None
        packet = fed.feed(b"one")
        assert packet == SocketIOPacket(PacketType.EVENT, "/a", self.DATA, 7)
        assert packet.size >= len(self.HEADER) + len(b"zeroone")
        assert fed.pending is None

    def test_next_packet_has_nothing_of_it(self) -> None:
        fed = parser()
        fed.feed(self.HEADER)
        fed.clear()
        fed.feed('51-["b",{"_placeholder":true,"num":0}]')
        assert fed.feed(b"x") == SocketIOPacket(PacketType.EVENT, data=["b", b"x"])

    @pytest.mark.parametrize("end", ['"', "", ",]", "]]"])
    def test_large_header_that_is_no_json_is_refused_at_once(self, end: str) -> None:
        with pytest.raises(SocketIOParseError):
            parser().feed(f'51-["a","{"x" * LARGE}"{end}')

    def test_large_packet_without_its_attachment_is_refused(self) -> None:
        fed = parser()
        fed.feed('51-["a",{"_placeholder":true,"num":1},"' + "x" * LARGE + '"]')
        with pytest.raises(SocketIOParseError):
            fed.feed(b"x")

    @pytest.mark.parametrize("text", ["NaN", "[Infinity", "9" * 5_000])
    def test_large_text_refuses_what_a_small_one_does(self, text: str) -> None:
        with pytest.raises(SocketIOParseError):
            parser().feed(f'2["a","{"x" * LARGE}",{text}]')

    @pytest.mark.parametrize("depth", [600, 800, 2_000, 5_000])
    def test_depth_is_refused_or_read_whatever_the_limit(self, depth: int) -> None:
        """The parser raises nothing else than what it promises, also when it parses for the second time."""
        fed = parser(max_json_depth=10_000)

        def feed_deeper(frames: int) -> Any:
            return feed_deeper(frames - 1) if frames else fed.feed(b"x")

        try:
            fed.feed('51-["a","' + "x" * LARGE + '",' + "[" * depth + "]" * depth + "]")
            assert feed_deeper(200) is not None
        except SocketIOParseError:
            assert fed.pending is None


class TestSize:
    """A packet says how much memory it takes."""

    @pytest.mark.parametrize(
        ("text", "size"), [('0{"a":"é"}', 10), ("0", 0), ('0/ns,{"a":1}', 7), ('2["a"]', 6), ('2/ns,["a"]', 10)]
    )
    def test_size_of_a_short_packet(self, text: str, size: int) -> None:
        packet = parser().feed(text)
        assert packet is not None
        assert packet.size == size


def test_documented_path_has_the_same_class() -> None:
    assert documented.SocketIOParser is SocketIOParser
