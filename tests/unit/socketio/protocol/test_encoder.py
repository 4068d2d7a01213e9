"""`PacketEncoder`: Socket.IO v5 packets on the wire, written and read back; and what cannot be written."""

from __future__ import annotations

import copy
import datetime
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import lazystr

from sio.exceptions import EncodingError
from sio.socketio.protocol.encoder import PacketEncoder
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.protocol.packets import PacketType, SocketIOPacket
from sio.socketio.protocol.parser import SocketIOParser
from tests.conformance.parsers.layers import from_socketio_packet
from tests.conformance.parsers.vectors import Vector, load

CONNECT, _, EVENT, ACK, CONNECT_ERROR = list(PacketType)[:5]
OPTIONS = SocketIOOptions(json_default=DjangoJSONEncoder().default)

PLACEHOLDERS = [f'{{"_placeholder":true,"num":{number}}}' for number in range(10)]

VECTORS = load("socketio")
CANONICAL = [vector for vector in VECTORS if vector.is_canonical]

in_canonical_vectors = pytest.mark.parametrize("vector", CANONICAL, ids=str)


def encode(packet: SocketIOPacket, options: SocketIOOptions = OPTIONS) -> list[str | bytes]:
    return PacketEncoder(options).encode(packet)


def encode_event(*args: Any) -> list[str | bytes]:
    return encode(SocketIOPacket(EVENT, data=["a", *args]))


def decode(messages: list[str | bytes]) -> SocketIOPacket:
    """Returns the packet that comes with the last message, and with none before it."""
    parser = SocketIOParser(OPTIONS)
    *first, last = [parser.feed(message) for message in messages]
    assert first == [None] * len(first)
    assert last is not None
    return last


def sent_argument(value: Any) -> Any:
    """Returns what a client gets for the argument of an event."""
    (header,) = encode_event(value)
    return json.loads(str(header)[1:])[1]


def assert_refused(*args: Any) -> None:
    with pytest.raises(EncodingError, match=r"cannot encode the event 'a'"):
        encode_event(*args)


class TestPacketEncoding:
    """Protocol section "Packet encoding"."""

    @in_canonical_vectors
    def test_packet_is_written(self, vector: Vector) -> None:
        assert encode(from_socketio_packet(*vector.packets)) == vector.wire

    @pytest.mark.parametrize("vector", VECTORS, ids=str)
    def test_packet_is_read(self, vector: Vector) -> None:
        assert decode(vector.wire) == from_socketio_packet(*vector.packets)

    @in_canonical_vectors
    def test_input_is_not_modified(self, vector: Vector) -> None:
        packet = from_socketio_packet(*vector.packets)
        before = copy.deepcopy(packet)
        encode(packet)
        assert packet == before

    def test_vectors_have_all_types(self) -> None:
        assert {int(vector.wire[0][0]) for vector in CANONICAL} == set(PacketType)

    def test_encoder_keeps_nothing_between_packets(self) -> None:
        encoder = PacketEncoder(OPTIONS)
        for vector in CANONICAL * 2:
            assert encoder.encode(from_socketio_packet(*vector.packets)) == vector.wire

    def test_parser_keeps_nothing_between_packets(self) -> None:
        parser = SocketIOParser(OPTIONS)
        for vector in VECTORS * 2:
            assert [parser.feed(message) for message in vector.wire][-1] == from_socketio_packet(*vector.packets)


class TestBinary:
    """Bytes become attachments, wherever they are."""

    @pytest.mark.parametrize("value", [b"\x00\x01", bytearray(b"\x00\x01"), memoryview(b"\x00\x01")])
    def test_bytes_like_value_is_an_attachment(self, value: Any) -> None:
        header, attachment = encode_event(value)
        assert header == f'51-["a",{PLACEHOLDERS[0]}]'
        assert attachment == b"\x00\x01"
        assert type(attachment) is bytes

    def test_same_bytes_twice_are_two_attachments(self) -> None:
        data = b"x"
        assert encode_event(data, data) == [f'52-["a",{PLACEHOLDERS[0]},{PLACEHOLDERS[1]}]', b"x", b"x"]

    def test_bytes_in_a_tuple_are_an_attachment(self) -> None:
        assert encode_event((1, b"x")) == [f'51-["a",[1,{PLACEHOLDERS[0]}]]', b"x"]

    def test_bytes_that_the_default_gives_are_an_attachment(self) -> None:
        options = SocketIOOptions(json_default=sorted)
        assert encode(SocketIOPacket(EVENT, data=["a", {b"x"}]), options) == [f'51-["a",[{PLACEHOLDERS[0]}]]', b"x"]

    def test_more_attachments_than_allowed_are_refused(self) -> None:
        """The clients' parsers refuse them too, and disconnect."""
        encode_event(*[b"x"] * 10)
        with pytest.raises(EncodingError, match=r"the event 'a': it has 11 attachments.* SIO_MAX_ATTACHMENTS.* is 10$"):
            encode_event(*[b"x"] * 11)

    def test_number_of_attachments_is_an_option(self) -> None:
        options = SocketIOOptions(max_attachments=2)
        assert len(encode(SocketIOPacket(ACK, data=[b"x"] * 2, id=1), options)) == 3
        with pytest.raises(EncodingError, match="the ACK packet"):
            encode(SocketIOPacket(ACK, data=[b"x"] * 3, id=1), options)

    @pytest.mark.parametrize("packet_type", [CONNECT, CONNECT_ERROR])
    def test_bytes_where_no_packet_carries_them_are_refused(self, packet_type: PacketType) -> None:
        with pytest.raises(EncodingError):
            encode(SocketIOPacket(packet_type, data={"message": "no", "data": b"x"}))


class TestJSON:
    """What a Django project sends, and what JavaScript reads."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (datetime.datetime(2030, 1, 2, 3, 4, 5, 678901, datetime.UTC), "2030-01-02T03:04:05.678Z"),
            (datetime.date(2030, 1, 2), "2030-01-02"),
            (datetime.time(3, 4, 5), "03:04:05"),
            (datetime.timedelta(days=1, seconds=2), "P1DT00H00M02S"),
            (Decimal("1.10"), "1.10"),
            (Decimal("NaN"), "NaN"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (lazystr("translated later"), "translated later"),
            ((1, 2), [1, 2]),
            ({1: "a", False: "b", None: "c", 1.5: "d"}, {"1": "a", "false": "b", "null": "c", "1.5": "d"}),
            (PacketType.EVENT, 2),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_value_is_written_as_django_does(self, value: Any, expected: Any) -> None:
        assert sent_argument(value) == expected
        assert sent_argument({"nested": [value]}) == {"nested": [expected]}

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    def test_number_that_is_no_json_is_refused(self, value: float) -> None:
        assert_refused(value)
        assert_refused({"nested": [value]})
        assert_refused({value: "as a key"})

    @pytest.mark.parametrize(
        "value",
        [{1, 2}, frozenset(), object(), len, 1j, {b"x": 1}, {(1,): 2}, 10**5_000],
        ids=lambda value: type(value).__name__,
    )
    def test_value_that_is_no_json_is_refused(self, value: Any) -> None:
        assert_refused(value)

    def test_circular_value_is_refused(self) -> None:
        circular: list[Any] = []
        circular.append(circular)
        assert_refused(circular)

    def test_value_that_is_nested_too_deep_is_refused(self) -> None:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        assert_refused(deep)

    def test_encoder_goes_on_after_an_error(self) -> None:
        encoder = PacketEncoder(OPTIONS)
        for value in ([b"x", {1}], [float("nan")], [b"x"] * 11):
            with pytest.raises(EncodingError):
                encoder.encode(SocketIOPacket(EVENT, data=["a", *value]))
            assert encoder.encode(SocketIOPacket(EVENT, data=["a", 1])) == ['2["a",1]']

    def test_options_know_no_other_types_by_default(self) -> None:
        with pytest.raises(EncodingError, match="Object of type UUID is not JSON serializable"):
            encode(SocketIOPacket(EVENT, data=["a", uuid.UUID(int=1)]), SocketIOOptions())

    def test_error_says_which_packet_it_was(self) -> None:
        with pytest.raises(EncodingError, match="the CONNECT_ERROR packet"):
            encode(SocketIOPacket(CONNECT_ERROR, data={"message": {1}}))

    @pytest.mark.parametrize("lone", ["\ud800", "x\udfff", "é\udc00€"])
    @pytest.mark.parametrize("binary", [[], [b"x"]])
    def test_lone_surrogate_is_escaped(self, lone: str, binary: list[bytes]) -> None:
        """Bad input 59: a packet is UTF-8, and the client gets what was sent."""
        messages = encode_event(lone, *binary)
        assert str(messages[0]).encode().isascii()
        assert decode(messages).data == ["a", lone, *binary]

    @pytest.mark.parametrize(
        "text", ["\x00", "\x1e", "\x1f\n\t", "\x7f", "\u2028\u2029", '"\\', "😀", "\u202eabc", "\ufeff"]
    )
    def test_text_comes_back_as_it_was(self, text: str) -> None:
        """Bad input 60: the separator of polling payloads never appears in a packet."""
        messages = encode_event(text, {text: text})
        assert "\x1e" not in str(messages[0])
        assert decode(messages).data == ["a", text, {text: text}]

    def test_control_characters_are_escaped(self) -> None:
        for number in range(0x20):
            assert chr(number) not in str(encode_event(chr(number))[0])


class TestWithoutEncoderInC(TestPacketEncoding, TestBinary, TestJSON):
    """The same tests where Python's `json` has no encoder in C, as on PyPy."""

    @pytest.fixture(autouse=True)
    def no_encoder_in_c(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
