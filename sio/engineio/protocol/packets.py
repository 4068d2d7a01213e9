"""Engine.IO v4 packets: one WebSocket frame, or one segment of an HTTP long-polling payload.

Source: Engine.IO protocol v4, sections "Packet encoding" and "Payload encoding"; the reference's `engine.io-parser`.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...exceptions import EngineIOParseError

#: Between two segments of a payload (U+001E, "record separator").
SEPARATOR = "\x1e"


class PacketType(StrEnum):
    """The seven packet types by their first character on the wire."""

    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


_TYPES = {member.value: member for member in PacketType}


@dataclass(frozen=True, slots=True)
class Packet:
    """A decoded packet. `data` is bytes only in a binary MESSAGE."""

    type: PacketType
    data: str | bytes = ""


class _Nothing(bytes):
    """No bytes, and something nevertheless."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


class _EmptyFrame(dict[str, Any]):
    """The ASGI message of a binary frame without content.

    Daphne sends `message["bytes"]` if `message.get("bytes")` is true, and so would drop an empty frame. The other
    servers send what is not None. Middleware that copies the message makes a plain dict of it.
    """

    def get(self, key: str, default: Any = None) -> Any:
        value = super().get(key, default)
        return _Nothing() if value == b"" else value

    def copy(self) -> _EmptyFrame:
        return _EmptyFrame(self)


EMPTY_FRAME = _EmptyFrame(type="websocket.send", bytes=b"")


class EncodedPacket:
    """An outgoing packet in wire form.

    It is made once, however many sessions it is sent to, and each form is derived at most once: the shared instance is
    what makes a broadcast cost one encoding.
    """

    __slots__ = ("_frame", "_segment", "data", "size")

    def __init__(self, data: str | bytes) -> None:
        #: str: the type character and the text; bytes: the content of a binary MESSAGE.
        self.data = data
        #: Bytes of the WebSocket form, for the bounds of buffers.
        self.size = len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
        self._frame: dict[str, Any] | None = None
        self._segment: bytes | None = None

    @classmethod
    def message(cls, data: str | bytes) -> EncodedPacket:
        """Returns the MESSAGE packet that carries `data`."""
        return cls("4" + data if isinstance(data, str) else bytes(data))

    @property
    def frame(self) -> dict[str, Any]:
        """The ASGI message that sends this packet as one WebSocket frame. Receivers share it: it must not be
        changed.
        """
        frame = self._frame
        if frame is None:
            if isinstance(self.data, str):
                frame = {"type": "websocket.send", "text": self.data}
            else:
                frame = {"type": "websocket.send", "bytes": self.data} if self.data else EMPTY_FRAME
            self._frame = frame
        return frame

    @property
    def segment(self) -> bytes:
        """This packet as a segment of a polling payload: UTF-8, binary as `b` and base64."""
        if self._segment is None:
            if isinstance(self.data, str):
                self._segment = self.data.encode()
            else:
                self._segment = b"b" + binascii.b2a_base64(self.data, newline=False)
        return self._segment


PING = EncodedPacket(PacketType.PING)
NOOP = EncodedPacket(PacketType.NOOP)
CLOSE = EncodedPacket(PacketType.CLOSE)
PROBE_PONG = EncodedPacket(PacketType.PONG + "probe")


def encode_packet(packet: Packet) -> EncodedPacket:
    """Returns a packet in wire form: `data` is its WebSocket frame, `segment` its segment of a payload."""
    if isinstance(packet.data, bytes):
        return EncodedPacket(packet.data)
    return EncodedPacket(packet.type + packet.data)


def decode_packet(encoded: str | bytes) -> Packet:
    """Decodes one WebSocket frame or one segment of a payload.

    Bytes are a binary MESSAGE; text that starts with `b` is one in base64, which the reference accepts on both
    transports. Raises EngineIOParseError.
    """
    # "if the encoded packet is binary, it is a message": no type character is spent on it.
    if isinstance(encoded, bytes):
        return Packet(PacketType.MESSAGE, encoded)
    if encoded[:1] == "b":
        return Packet(PacketType.MESSAGE, _decode_base64(encoded[1:]))
    packet_type = _TYPES.get(encoded[:1])
    if packet_type is None:
        raise EngineIOParseError(f"unknown packet type {encoded[:1]!r}")
    return Packet(packet_type, encoded[1:])


def _decode_base64(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:  # binascii.Error, and characters outside ASCII
        return _decode_base64_as_node(encoded)


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64_OF_URLS = bytes.maketrans(b"-_", b"+/")
_NO_BASE64 = bytes(set(range(256)) - set(_BASE64) - set(b"-_"))


def _decode_base64_as_node(encoded: str) -> bytes:
    """Decodes base64 as `Buffer.from` of Node does, which takes anything.

    Clients of other languages count on it: Java's breaks the line after each 76 characters, others leave out the `=`
    or write `-_` for `+/`. It ends at the first `=`; whatever else is no base64 is skipped.
    """
    # Node looks at the low byte of each UTF-16 unit: `Ł`, U+0141, is an `A` to it.
    characters = encoded.encode() if encoded.isascii() else encoded.encode("utf-16-le", "surrogatepass")[::2]
    content = characters.partition(b"=")[0].translate(_BASE64_OF_URLS, _NO_BASE64)
    if len(content) % 4 == 1:
        content = content[:-1]  # six bits are no byte
    return binascii.a2b_base64(content + b"=" * (-len(content) % 4))


def decode_payload(body: bytes) -> Iterator[Packet]:
    """Yields the packets of a POST body one by one.

    An empty body is one empty, hence malformed, packet. Raises EngineIOParseError at the first packet that cannot be
    decoded; those before it have been yielded by then, as in the reference.
    """
    try:
        # As a whole, and not segment by segment: a character may not reach over a separator, and invalid bytes hide
        # anywhere.
        text = body.decode()
    except UnicodeDecodeError:
        raise EngineIOParseError("the payload is not UTF-8") from None
    del body  # the text may have to wait for a client that is not read, and so do its segments: in one piece
    start = 0
    while (end := text.find(SEPARATOR, start)) >= 0:
        yield decode_packet(text[start:end])
        start = end + 1
    yield decode_packet(text[start:])


def encode_payload(packets: list[EncodedPacket]) -> bytes:
    """Returns the body of a poll's response."""
    return b"\x1e".join([packet.segment for packet in packets])
