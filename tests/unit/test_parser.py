"""What clients send, well-formed and not. The vectors of well-formed packets are in `test_socketio_packets.py`.

The numbers are those of the rows of the table of bad inputs.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from sio.socketio.options import SocketIOOptions
from sio.socketio.packets import RESERVED_EVENTS, PacketType, ParseError, SocketIOPacket
from sio.socketio.parser import MAX_DIGITS, MAX_NAMESPACE_LENGTH, SocketIOParser

OPTIONS = SocketIOOptions()
ATTACHMENT = '{"_placeholder":true,"num":0}'
HEADER = f'51-["a",{ATTACHMENT}]'

#: Headers that are refused as soon as they come.
MALFORMED = {
    # 40
    "zero attachments": '50-["x"]',
    "zero attachments of an ack": "60-0[]",
    "zeros attachments": '5000-["x"]',
    "many attachments": '5999999-["x"]',
    "one attachment too many": '511-["x"]',
    "5000 digits of attachments": "5" + "1" * 5_000 + '-["x"]',
    "two numbers of attachments": "5-1-[]",
    "fraction of attachments": '51.5-["x"]',
    "whole number with a point": '51.0-["x"]',
    "exponent": '51e0-["x"]',
    "hexadecimal": '50x1-["x"]',
    "plus": '5+1-["x"]',
    "space before the number": '5 1-["x"]',
    "space after the number": '51 -["x"]',
    "superscript number of attachments": '5²-["x"]',
    "Arabic number of attachments": '5٣-["x"]',
    "no number of attachments": '5-["x"]',
    "no dash": '51["x"]',
    "nothing after the number": "51",
    "nothing after the type": "5",
    "nothing after the type of an ack": "6",
    # 44
    "type 7": '7["a"]',
    "type 8": "8",
    "type 9": "9",
    "type -": "-",
    "type x": 'x["a"]',
    "type of Engine.IO": 'b["a"]',
    "space as the type": ' 2["a"]',
    "type outside ASCII": '٢["a"]',
    "empty message": "",
    # 45
    "EVENT with an object": "2{}",
    "EVENT with an object with a name": '2{"0":"a"}',
    "EVENT with a string": '2"a"',
    "EVENT with null": "2null",
    "EVENT with false": "2false",
    "EVENT without a name": "2[]",
    "null as the name": "2[null]",
    "object as the name": "2[{}]",
    "object with toString as the name": '2[{"toString":"foo"}]',
    "array as the name": "2[[]]",
    "true as the name": "2[true]",
    "EVENT of a namespace with an object": "2/a,{}",
    "EVENT with an ack id and an object": "21{}",
    "BINARY_EVENT with an object": f"51-{ATTACHMENT}",
    "BINARY_EVENT with an attachment as the name": f"51-[{ATTACHMENT}]",
    "BINARY_EVENT without a name": "51-[]",
    # 49
    "negative ack id": '2-1["a"]',
    "ack id with a plus": '2+1["a"]',
    "ack id with a space": '2 1["a"]',
    "ack id with a space behind": '21 ["a"]',
    "ack id with a point": '21.5["a"]',
    "ack id with an underscore": '21_0["a"]',
    "superscript ack id": '2²["a"]',
    "superscript after a digit": '21²["a"]',
    "Arabic ack id": '2٣["a"]',
    "ack id with too many digits": "2" + "1" * (MAX_DIGITS + 1) + '["a"]',
    "ack id of 5000 digits": "2" + "1" * 5_000 + '["a"]',
    "ack id of 5000 digits of an ack": "3" + "1" * 5_000 + "[]",
    # 53
    "ACK with an object": "31{}",
    "ACK with a string": '31"a"',
    "ACK with null": "31null",
    "BINARY_ACK with an object": f"61-1{ATTACHMENT}",
    # 56
    "NaN": '2["a",NaN]',
    "Infinity": '2["a",{"b":[Infinity]}]',
    "-Infinity": '2["a",-Infinity]',
    "NaN as the name": "2[NaN]",
    # 57
    "integer of 5000 digits": '2["a",' + "1" * 5_000 + "]",
    # 62 and the other types
    "CONNECT with a string": '0"x"',
    "CONNECT with an array": "0[1]",
    "CONNECT with null": "0null",
    "CONNECT with true": "0true",
    "DISCONNECT with an object": "1{}",
    "DISCONNECT with an array": "1[]",
    "DISCONNECT with null": "1null",
    "CONNECT_ERROR with an array": "4[]",
    "CONNECT_ERROR with null": "4null",
    "CONNECT_ERROR with a number": "4/a,1.5",
    # 71
    "namespace that is too long": "0/" + "x" * MAX_NAMESPACE_LENGTH + ",",
    "namespace that is too long, without a comma": "0/" + "x" * MAX_NAMESPACE_LENGTH,
    "namespace of a megabyte": "2/" + "x" * 1_000_000 + ',["a"]',
    "namespace without a slash": '2a,["a"]',
    # JSON
    "half of an array": '2["a"',
    "half of a string": '2["a',
    "trailing comma": '2["a",]',
    "single quotes": "2['a']",
    "leading zero": '2["a",01]',
    "number without a fraction": '2["a",1.]',
    "control character in a string": '2["a\n"]',
    "NUL in a string": '2["a\x00"]',
    "invalid escape": '2["\\x41"]',
    "half of an escape": '2["\\u00"]',
    "comment": '2["a"/**/]',
    "byte order mark": '2\ufeff["a"]',
    "word after the payload": '2["a"]x',
    "array after the payload": '2["a"]["b"]',
    "brace after the payload": '2["a"]}',
    "NUL after the payload": '2["a"]\x00',
    "no-break space after the payload": '2["a"]\u00a0',
    "line separator after the payload": '2/a,["a"]\u2028',
    "information separator after the payload": '2["a"]\x1c',
    "space before the payload": '2 ["a"]',
}

#: Arguments of a BINARY_EVENT with one attachment that it cannot be put into (43).
MALFORMED_PLACEHOLDERS = [
    '{"_placeholder":true}',
    '{"_placeholder":true,"num":-1}',
    '{"_placeholder":true,"num":1}',
    '{"_placeholder":true,"num":999999999999999999999}',
    '{"_placeholder":true,"num":"0"}',
    '{"_placeholder":true,"num":"splice"}',
    '{"_placeholder":true,"num":0.0}',
    '{"_placeholder":true,"num":0.5}',
    '{"_placeholder":true,"num":true}',
    '{"_placeholder":true,"num":false}',
    '{"_placeholder":true,"num":null}',
    '{"_placeholder":true,"num":[0]}',
    '{"_placeholder":true,"num":{}}',
    f'{{"deep":[[{{"_placeholder":true,"num":{ATTACHMENT}}}]]}}',
]


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


class TestMalformedHeaders:
    """What is refused at once."""

    @pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED)
    def test_message_is_refused(self, message: str) -> None:
        assert_refused(message)

    @pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED)
    def test_refused_message_leaves_nothing_behind(self, message: str) -> None:
        """No attachment is awaited that could be collected."""
        fed = parser()
        with pytest.raises(ParseError):
            fed.feed(message)
        assert fed.pending is None
        with pytest.raises(ParseError):
            fed.feed(b"attachment")

    @pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
    @pytest.mark.parametrize("header", ["2", "2/a,", "25", "51-"])
    def test_reserved_event_is_refused(self, name: str, header: str) -> None:
        """46."""
        assert_refused(f'{header}["{name}",{ATTACHMENT}]')

    def test_reserved_event_in_disguise_is_refused(self) -> None:
        assert_refused('2["\\u0063onnect"]')

    @pytest.mark.parametrize("depth", [101, 5_000, 100_000])
    def test_payload_that_is_nested_too_deep_is_refused(self, depth: int) -> None:
        """55."""
        assert_refused(nested(depth))

    def test_objects_count_for_the_depth(self) -> None:
        for depth in (100, 5_000):
            assert_refused('2["a",' + '{"a":' * depth + "1" + "}" * depth + "]")

    def test_brackets_that_never_close_are_refused(self) -> None:
        assert_refused("2" + "[" * 100_000)

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


class TestLenience:
    """What looks odd, and is taken as the reference does."""

    @pytest.mark.parametrize(
        ("message", "packet"),
        [
            ("2", SocketIOPacket(PacketType.EVENT)),
            ("21", SocketIOPacket(PacketType.EVENT, id=1)),
            ("3", SocketIOPacket(PacketType.ACK)),
            ("4", SocketIOPacket(PacketType.CONNECT_ERROR)),
            ("0/chat", SocketIOPacket(PacketType.CONNECT, "/chat")),
            ("0/", SocketIOPacket(PacketType.CONNECT)),
            ("0/,", SocketIOPacket(PacketType.CONNECT)),
            ('2/,["a"]', SocketIOPacket(PacketType.EVENT, data=["a"])),
            ('2/chat["a"]', SocketIOPacket(PacketType.EVENT, '/chat["a"]')),
            ("0/a?b=c,{}", SocketIOPacket(PacketType.CONNECT, "/a?b=c", {})),
            ('2[ "a" , 1 ]', SocketIOPacket(PacketType.EVENT, data=["a", 1])),
            ('2["a"] \t\r\n', SocketIOPacket(PacketType.EVENT, data=["a"])),
            ('2/a,["a"] \n', SocketIOPacket(PacketType.EVENT, "/a", ["a"])),
            ('2007["a"]', SocketIOPacket(PacketType.EVENT, data=["a"], id=7)),
            ("1/a", SocketIOPacket(PacketType.DISCONNECT, "/a")),
            ("32[]", SocketIOPacket(PacketType.ACK, data=[], id=2)),
        ],
    )
    def test_message_is_taken(self, message: str, packet: SocketIOPacket) -> None:
        assert parse(message) == packet

    @pytest.mark.parametrize("name", ["1", "1.5", "-0", "1e3", '""', '"message"', '"error"', '"é"', '"a.b"', '"a b"'])
    def test_name_of_an_event_is_a_string_or_a_number(self, name: str) -> None:
        """47, 48: whether anything handles it is not for the parser to say."""
        assert parse(f"2[{name}]").type is PacketType.EVENT

    @pytest.mark.parametrize("name", ["__class__", "on_connect", "send", "handle_error", "../x", "x" * 1_000_000])
    def test_name_that_is_nobodys_is_an_ordinary_one(self, name: str) -> None:
        assert parse(f'2["{name}"]').data == [name]

    @pytest.mark.parametrize("digits", ["0", "1", "0" * MAX_DIGITS, "9" * MAX_DIGITS])
    def test_ack_id_has_as_many_digits_as_javascript_counts(self, digits: str) -> None:
        """51."""
        assert parse(f'2{digits}["a"]').id == int(digits)

    def test_namespace_may_be_long(self) -> None:
        namespace = "/" + "x" * (MAX_NAMESPACE_LENGTH - 1)
        assert parse(f"0{namespace},").namespace == parse(f"0{namespace}").namespace == namespace

    def test_depth_within_the_limit_is_taken(self) -> None:
        assert parse(nested(100)).data[0] == "a"

    def test_depth_is_an_option(self) -> None:
        assert parse(nested(3), max_json_depth=3).data == ["a", [[]]]
        assert_refused(nested(4), max_json_depth=3)

    def test_many_brackets_side_by_side_are_not_deep(self) -> None:
        assert len(parse('2["a"' + ",[],{}" * 1_000 + "]").data) == 2_001

    def test_brackets_in_a_string_are_not_deep(self) -> None:
        assert parse('2["' + "[{" * 1_000 + '"]').data == ["[{" * 1_000]

    @pytest.mark.parametrize(
        ("payload", "argument"),
        [
            (str(2**64), 2**64),
            (str(-(2**80)), -(2**80)),
            ('"\\ud800"', "\ud800"),
            ('"\\ud83d\\ude00"', "😀"),
            ('"\\u0000\\u001e\\u2028"', "\x00\x1e\u2028"),
            ('"\u2028\x7f"', "\u2028\x7f"),
            ('{"a":1,"a":2}', {"a": 2}),
            ('{"__proto__":{"x":1},"constructor":0}', {"__proto__": {"x": 1}, "constructor": 0}),
            ('{"":[null,true,false]}', {"": [None, True, False]}),
            ('{"_placeholder":true,"num":5}', {"_placeholder": True, "num": 5}),
        ],
    )
    def test_argument_is_read(self, payload: str, argument: Any) -> None:
        """58 to 61, and 43: a placeholder in a packet without attachments is plain data."""
        assert parse(f'2["a",{payload}]').data == ["a", argument]
        assert parse(f'2/a,["a",{payload}]').data == ["a", argument]

    def test_object_with_many_keys_is_read(self) -> None:
        keys = ",".join(f'"{number}":{number}' for number in range(100_000))
        assert len(parse(f'2["a",{{{keys}}}]').data[1]) == 100_000


class TestAttachments:
    """A packet is complete with its last attachment, in the place of its placeholder."""

    @pytest.mark.parametrize(
        ("header", "attachments", "data"),
        [
            (HEADER, [b"x"], ["a", b"x"]),
            (HEADER, [b""], ["a", b""]),
            (
                f'51-["a",{{"b":[{{"c":{ATTACHMENT}}}]}},null,[],{{}}]',
                [b"x"],
                ["a", {"b": [{"c": b"x"}]}, None, [], {}],
            ),
            (f'52-["a",{{"_placeholder":true,"num":1}},{ATTACHMENT}]', [b"0", b"1"], ["a", b"1", b"0"]),
            (f'51-["a",{ATTACHMENT},{ATTACHMENT}]', [b"x"], ["a", b"x", b"x"]),
            ('51-["a"]', [b"x"], ["a"]),
            ('51-["a",{"_placeholder":false,"num":7}]', [b"x"], ["a", {"_placeholder": False, "num": 7}]),
            ('51-["a",{"_placeholder":1,"num":7}]', [b"x"], ["a", {"_placeholder": 1, "num": 7}]),
            ('51-["a",{"_placeholder":"true"}]', [b"x"], ["a", {"_placeholder": "true"}]),
            ('51-["a",{"_placeholder":true,"num":-0}]', [b"x"], ["a", b"x"]),
            (f'51-["a",{{"_placeholder":true,"num":0,"more":{ATTACHMENT}}}]', [b"x"], ["a", b"x"]),
            ("51-", [b"x"], None),
            ('501-["a"]', [b"x"], ["a"]),
        ],
    )
    def test_attachments_are_put_in_their_places(self, header: str, attachments: list[bytes], data: Any) -> None:
        assert parse(header, *attachments).data == data

    def test_placeholders_are_found_as_deep_as_json_may_be(self) -> None:
        packet = parse('51-["a",' + "[" * 98 + ATTACHMENT + "]" * 98 + "]", b"x")
        value = packet.data[1]
        for _ in range(98):
            (value,) = value
        assert value == b"x"

    @pytest.mark.parametrize("placeholder", MALFORMED_PLACEHOLDERS)
    def test_placeholder_without_an_attachment_is_refused(self, placeholder: str) -> None:
        """43."""
        assert_refused(f'51-["a",{placeholder}]', b"x")

    def test_refused_placeholder_leaves_nothing_behind(self) -> None:
        fed = parser()
        fed.feed(f'51-["a",{MALFORMED_PLACEHOLDERS[0]}]')
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

    def test_attachment_that_nothing_announced_is_refused(self) -> None:
        """36."""
        assert_refused(b"x")

    def test_attachment_after_a_complete_packet_is_refused(self) -> None:
        fed = parser()
        fed.feed(HEADER)
        assert fed.feed(b"x") is not None
        with pytest.raises(ParseError):
            fed.feed(b"y")

    @pytest.mark.parametrize("text", ['2["a"]', HEADER, "0", "1", "", "junk"])
    @pytest.mark.parametrize("attachments", [[], [b"x"]])
    def test_text_while_attachments_are_missing_is_refused(self, text: str, attachments: list[bytes]) -> None:
        """37."""
        assert_refused('52-["a"]', *attachments, text)

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
