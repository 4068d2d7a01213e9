"""`Encoding`: Socket.IO packets as Engine.IO packets."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sio import EncodingError
from sio.engineio.protocol.packets import EncodedPacket
from sio.socketio.encoding import Encoding, check_event
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.protocol.packets import RESERVED_EVENTS, PacketType, SocketIOPacket


def wire(packets: list[EncodedPacket]) -> list[str | bytes]:
    """Returns packets as they are in the frames of a WebSocket."""
    return [packet.data for packet in packets]


@pytest.mark.parametrize("event", ["x", "", "message", "Connect", "é", "error"])
def test_string_is_an_event_name(event: str) -> None:
    check_event(event)


@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS))
def test_reserved_name_is_refused(event: str) -> None:
    with pytest.raises(ValueError, match=f"^'{event}' is a reserved event name$"):
        check_event(event)


@pytest.mark.parametrize("event", [1, None, b"x", ["x"]])
def test_other_name_than_a_string_is_refused(event: Any) -> None:
    with pytest.raises(TypeError, match=r"^an event name is a str, not "):
        check_event(event)


class TestEvent:
    @pytest.mark.parametrize(
        ("namespace", "args", "ack_id", "messages"),
        [
            ("/", (), None, ['42["x"]']),
            ("/", (1, None), 0, ['420["x",1,null]']),
            ("/a", ({"b": []},), 12, ['42/a,12["x",{"b":[]}]']),
            ("/", (b"1",), None, ['451-["x",{"_placeholder":true,"num":0}]', b"1"]),
        ],
    )
    def test_event_is_its_header_and_its_attachments(
        self, namespace: str, args: tuple[Any, ...], ack_id: int | None, messages: list[str | bytes]
    ) -> None:
        assert wire(Encoding(SocketIOOptions).event(namespace, "x", args, ack_id)) == messages

    def test_reserved_name_is_refused(self) -> None:
        with pytest.raises(ValueError, match="reserved"):
            Encoding(SocketIOOptions).event("/", "disconnect", ())

    def test_value_that_cannot_be_encoded_is_refused(self) -> None:
        encoding = Encoding(SocketIOOptions)
        with pytest.raises(EncodingError, match="the event 'x'"):
            encoding.event("/", "x", (object(),))
        assert len(encoding.event("/", "x", (1,))) == 1


class TestPacket:
    def test_packet_of_any_type_is_encoded(self) -> None:
        packet = SocketIOPacket(PacketType.CONNECT, "/a", {"sid": "1"})
        assert wire(Encoding(SocketIOOptions).packet(packet)) == ['40/a,{"sid":"1"}']

    def test_options_in_force_count(self) -> None:
        """Settings may change between two packets."""
        options = SocketIOOptions()
        encoding = Encoding(lambda: options)
        value = uuid.UUID(int=1)
        with pytest.raises(EncodingError):
            encoding.event("/", "x", (value,))
        options = SocketIOOptions(json_default=str)
        assert wire(encoding.event("/", "x", (value,))) == [f'42["x","{value}"]']
        options = SocketIOOptions(max_attachments=1)
        with pytest.raises(EncodingError):
            encoding.event("/", "x", (b"1", b"2"))
