"""What clients send, well-formed and not. The vectors of well-formed packets are those of `test_socketio_packets.py`.

The numbers are those of the rows of the table of bad inputs.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from sio.socketio.options import SocketIOOptions
from sio.socketio.packets import RESERVED_EVENTS, PacketType, ParseError, SocketIOPacket
from sio.socketio.parser import MAX_DIGITS, SocketIOParser
from tests.conformance.parsers.layers import socketio_packet
from tests.conformance.parsers.vectors import Vector, load

OPTIONS = SocketIOOptions()
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
    with pytest.raises(ParseError):
        fed.feed(messages[-1])


def nested(depth: int) -> str:
    """Returns an event with `depth` arrays in one another, the outermost one included."""
    return '2["a",' + "[" * (depth - 1) + "]" * (depth - 1) + "]"


class TestInvalid:
    """What is refused at once."""

    @pytest.mark.parametrize("vector", INVALID, ids=str)
    def test_last_message_is_refused(self, vector: Vector) -> None:
        fed = parser()
        packets = [fed.feed(message) for message in vector.wire[:-1]]
        assert [socketio_packet(packet) for packet in packets if packet is not None] == vector.packets
        with pytest.raises(ParseError):
            fed.feed(vector.wire[-1])

    @pytest.mark.parametrize("vector", [vector for vector in INVALID if len(vector.wire) == 1], ids=str)
    def test_refused_header_leaves_nothing_behind(self, vector: Vector) -> None:
        """No attachment is awaited that could be collected."""
        fed = parser()
        with pytest.raises(ParseError):
            fed.feed(vector.wire[0])
        assert fed.pending is None
        with pytest.raises(ParseError):
            fed.feed(b"attachment")

    def test_all_reserved_events_are_refused(self) -> None:
        """46."""
        assert {f'2["{name}"]' for name in RESERVED_EVENTS} <= {vector.wire[0] for vector in INVALID}

    @pytest.mark.parametrize("seed", range(20))
    def test_garbage_is_a_packet_or_a_parse_error(self, seed: int) -> None:
        randomness = random.Random(seed)
        for _ in range(500):
            garbage = "".join(randomness.choices('0123456789-/,[]{}":ae \\\x00²\ud800', k=randomness.randint(0, 12)))
            fed = parser()
            try:
                assert fed.feed(garbage) is not None or fed.pending is not None
            except ParseError:
                assert fed.pending is None


class TestBounds:
    """What is within the bounds is taken."""

    def test_ack_id_has_as_many_digits_as_javascript_counts(self) -> None:
        """51: all that there are, though JavaScript rounds some of them."""
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
        with pytest.raises(ParseError):
            fed.feed(b"x" * 1_000)
        assert fed.pending is None

    @pytest.mark.parametrize("depth", [600, 2_000, 5_000])
    def test_depth_is_refused_or_read_whatever_the_limit(self, depth: int) -> None:
        """The parser raises nothing else than what it promises."""
        fed = parser(max_json_depth=10_000)
        try:
            fed.feed('51-["a",' + "[" * depth + "]" * depth + "]")
            assert fed.feed(b"x") is not None
        except ParseError:
            assert fed.pending is None

    def test_zero_attachments_await_none(self) -> None:
        """39: neither the header nor a binary message after it is kept."""
        fed = parser()
        for message in ('50-["x"]', b"1", b"2"):
            with pytest.raises(ParseError):
                fed.feed(message)
        assert fed.pending is None

    def test_number_of_attachments_is_an_option(self) -> None:
        """40."""
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
    """41: what is kept while attachments are missing, and that it can be dropped."""

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
        """The reference: "should resume decoding after calling destroy()"."""
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
