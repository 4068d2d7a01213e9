"""`SocketIOParser`: the messages of one Engine.IO connection to Socket.IO packets.

Source: Socket.IO protocol v5, section "Packet encoding"; the reference's `socket.io-parser` (`Decoder`). Where
JavaScript's loose number conversions let more through (`2 ["a"]`, `51.0-`), only ASCII digits are taken here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...exceptions import SocketIOParseError
from .attachments import fill, parse_filled
from .json_text import LARGE, SHORT, decode, decode_large, depth, memory_size
from .options import SocketIOOptions
from .packets import RESERVED_EVENTS, PacketType, SocketIOPacket

#: Digits of an ack id or a number of attachments: those of the largest integer that JavaScript can count to (2**53).
MAX_DIGITS = 16
#: Characters of a namespace: its name is echoed to the client.
MAX_NAMESPACE_LENGTH = 512

_PLAIN_TYPES = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}
_DIGITS = frozenset("0123456789")
_JSON_WHITESPACE = " \t\n\r"


class SocketIOParser:
    """Reads the packets of one connection. Between calls it keeps one packet that waits for its attachments, with
    these, and nothing else.
    """

    def __init__(self, options: SocketIOOptions) -> None:
        self._options = options
        #: The packet that waits for attachments.
        self.pending: SocketIOPacket | None = None
        self._expected = self._size = 0
        self._attachments: list[bytes] = []
        #: The text that the waiting packet is to be parsed from again, and where its payload begins.
        self._text, self._position = "", 0
        #: A shorter text has too few brackets to be nested too deep.
        self._shallow = 2 * options.max_json_depth

    def feed(self, message: str | bytes) -> SocketIOPacket | None:
        """Takes the data of one Engine.IO message. Returns the packet that it completes; None while attachments are
        missing.

        Raises SocketIOParseError, after which the parser is not to be fed again.
        """
        if isinstance(message, bytes):
            return self._add_attachment(message)
        # "got plaintext data when reconstructing a packet"
        if self.pending is not None:
            raise SocketIOParseError("a text packet came while attachments are missing")
        start = message.find("[", 1, MAX_DIGITS + 2) if message[:1] == "2" else -1
        ack_id = message[1:start]
        if start == 1 or (start > 1 and ack_id.isascii() and ack_id.isdecimal()):
            # The fast path: an event in the main namespace.
            data = self._read_payload(PacketType.EVENT, message, start)
            size = len(message) if len(message) <= SHORT else memory_size(message)
            return SocketIOPacket(PacketType.EVENT, "/", data, int(ack_id) if ack_id else None, size)
        return self._read_packet(message)

    def clear(self) -> None:
        """Forgets the packet that waits for attachments."""
        self.pending = None
        self._size = 0
        self._attachments = []
        self._text = ""

    def _read_packet(self, text: str) -> SocketIOPacket | None:
        if text[:1] not in _TYPES:
            raise SocketIOParseError(f"unknown packet type {text[:1]!r}")
        packet_type, position = _TYPES[text[0]], 1
        attachments = 0
        if packet_type in _PLAIN_TYPES:
            attachments, position = self._read_attachment_count(text, position)
        namespace, position = _read_namespace(text, position)
        ack_id, position = _read_number(text, position)
        data = self._read_payload(packet_type, text, position) if position < len(text) else None
        packet_type = _PLAIN_TYPES.get(packet_type, packet_type)
        is_connect = packet_type is PacketType.CONNECT
        size = len(text[position:].encode(errors="replace")) if is_connect else memory_size(text)
        packet = SocketIOPacket(packet_type, namespace, data, ack_id, size)
        if not attachments:
            return packet
        self.pending, self._expected = packet, attachments
        if packet.size >= LARGE:
            # It takes many times its text, and may wait for long: it is parsed again when its attachments are there.
            packet.data, self._text, self._position = None, text, position
        return None

    def _read_attachment_count(self, text: str, position: int) -> tuple[int, int]:
        count, position = _read_number(text, position)
        # "Illegal attachments": none is an error too (CVE-2026-69185), or the next binary frame would have no owner.
        if not count or text[position : position + 1] != "-":
            raise SocketIOParseError("illegal number of attachments")
        # Checked at the header, before anything is kept (CVE-2026-33151).
        if count > self._options.max_attachments:
            raise SocketIOParseError(f"{count} attachments are more than SIO_MAX_ATTACHMENTS")
        return count, position + 1

    def _read_payload(self, packet_type: PacketType, text: str, position: int) -> Any:
        # Before it is parsed: what is too deep costs no memory.
        if len(text) > self._shallow and self._is_too_deep(text, position):
            raise SocketIOParseError("the payload is nested deeper than SIO_MAX_JSON_DEPTH")
        try:
            payload, end = (decode if len(text) < LARGE else decode_large)(text, position)
        except (ValueError, RecursionError):
            raise SocketIOParseError("the payload is not JSON") from None
        if end != len(text) and text[end:].strip(_JSON_WHITESPACE):
            raise SocketIOParseError("something follows the payload")
        # `isPayloadValid`; it keeps reserved names and anything unhashable from the handlers (CVE-2023-32695).
        if not _IS_VALID[packet_type](payload):
            raise SocketIOParseError(f"not the payload of a packet of type {packet_type.name}")
        return payload

    def _is_too_deep(self, text: str, position: int) -> bool:
        limit = self._options.max_json_depth
        # Nothing is nested deeper than it has opening brackets: only a payload with many is looked at more closely.
        if text.count("[", position) + text.count("{", position) <= limit:
            return False
        return depth(text[position:]) > limit

    def _add_attachment(self, attachment: bytes) -> SocketIOPacket | None:
        packet = self.pending
        # "got binary data when not reconstructing a packet"
        if packet is None:
            raise SocketIOParseError("an attachment came that no packet announced")
        self._attachments.append(attachment)
        self._size += len(attachment)
        if self._size > self._options.max_attachments_bytes:
            raise SocketIOParseError("the attachments are larger than SIO_MAX_ATTACHMENTS_BYTES")
        if len(self._attachments) < self._expected:
            return None
        attachments, text, position = self._attachments, self._text, self._position
        packet.size += self._size
        self.clear()
        if not text:
            fill(packet.data, attachments)
            return packet
        try:
            packet.data = parse_filled(text, position, attachments)
        except RecursionError:  # it was parsed from a shallower stack
            raise SocketIOParseError("the payload is nested too deep") from None
        return packet


_TYPES = {str(member.value): member for member in PacketType}


def _read_namespace(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] != "/":
        return "/", position
    end = text.find(",", position)
    namespace = text[position : end if end >= 0 else len(text)]
    if len(namespace) > MAX_NAMESPACE_LENGTH:
        raise SocketIOParseError("the namespace is too long")
    return namespace, position + len(namespace) + (end >= 0)


def _read_number(text: str, position: int) -> tuple[int | None, int]:
    end = position
    while text[end : end + 1] in _DIGITS:
        end += 1
        if end - position > MAX_DIGITS:
            raise SocketIOParseError("a number has too many digits")
    return (int(text[position:end]), end) if end > position else (None, position)


def _is_object(payload: Any) -> bool:
    return isinstance(payload, dict)


def _is_event(payload: Any) -> bool:
    if not isinstance(payload, list) or not payload:
        return False
    name = payload[0]
    if isinstance(name, str):
        return name not in RESERVED_EVENTS
    # socket.io-parser 4.0.4 and later take numbers as names.
    return isinstance(name, int | float) and not isinstance(name, bool)


def _is_list(payload: Any) -> bool:
    return isinstance(payload, list)


_IS_VALID: dict[PacketType, Callable[[Any], bool]] = {
    PacketType.CONNECT: _is_object,
    PacketType.DISCONNECT: lambda payload: False,
    PacketType.EVENT: _is_event,
    PacketType.ACK: _is_list,
    PacketType.CONNECT_ERROR: lambda payload: isinstance(payload, dict | str),
    PacketType.BINARY_EVENT: _is_event,
    PacketType.BINARY_ACK: _is_list,
}
