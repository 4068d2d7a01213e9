"""How Socket.IO packets are written.

Source: Socket.IO protocol v5, section "Packet encoding"; the reference's `socket.io-parser` (`Encoder`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ...exceptions import EncodingError
from .options import SocketIOOptions
from .packets import PacketType, SocketIOPacket

_BINARY_TYPES = {PacketType.EVENT: PacketType.BINARY_EVENT, PacketType.ACK: PacketType.BINARY_ACK}


class PacketEncoder:
    """Writes packets: JSON as JavaScript reads it, without NaN, Infinity or lone surrogates, and with bytes as
    attachments.
    """

    def __init__(self, options: SocketIOOptions) -> None:
        self._max_attachments = options.max_attachments
        self._compact = _JSONWriter(options.json_default, ensure_ascii=False)
        self._escaped = _JSONWriter(options.json_default, ensure_ascii=True)

    def encode(self, packet: SocketIOPacket) -> list[str | bytes]:
        """Returns the header and the attachments, each the data of one Engine.IO message. Raises EncodingError."""
        if packet.data is None:
            return [_header(packet.type, packet)]
        try:
            payload, attachments = self._encode_json(packet.data)
        except (TypeError, ValueError, RecursionError) as error:
            raise EncodingError(f"cannot encode {_title(packet)}: {error}") from error
        if not attachments:
            return [_header(packet.type, packet) + payload]
        if packet.type not in _BINARY_TYPES:
            raise EncodingError(f"cannot encode {_title(packet)}: it cannot carry binary data")
        if len(attachments) > self._max_attachments:
            raise EncodingError(
                f"cannot encode {_title(packet)}: it has {len(attachments)} attachments, and SIO_MAX_ATTACHMENTS, "
                f"which the clients have too, is {self._max_attachments}"
            )
        return [f"{_header(_BINARY_TYPES[packet.type], packet, len(attachments))}{payload}", *attachments]

    def _encode_json(self, data: Any) -> tuple[str, list[bytes]]:
        payload, attachments = self._compact.write(data)
        if not payload.isascii():
            try:
                payload.encode()
            except UnicodeEncodeError:  # a lone surrogate, which cannot be sent as UTF-8: JSON can escape it
                return self._escaped.write(data)
        return payload, attachments


def _header(packet_type: PacketType, packet: SocketIOPacket, attachments: int = 0) -> str:
    count = f"{attachments}-" if attachments else ""
    namespace = "" if packet.namespace == "/" else packet.namespace + ","
    ack_id = "" if packet.id is None else packet.id
    return f"{packet_type:d}{count}{namespace}{ack_id}"


def _title(packet: SocketIOPacket) -> str:
    return f"the event {packet.data[0]!r}" if packet.type is PacketType.EVENT else f"the {packet.type.name} packet"


class _JSONWriter:
    """Writes JSON, and puts bytes aside as it meets them, so that a packet without binary costs no walk through its
    data.
    """

    def __init__(self, json_default: Callable[[Any], Any], *, ensure_ascii: bool) -> None:
        self._json_default = json_default
        self._ensure_ascii = ensure_ascii
        self._attachments: list[bytes] = []
        #: What is being written, by its id: how a circle is noticed.
        self._markers: dict[int, Any] = {}
        self._write = self._make_write()

    def _make_write(self) -> Callable[[Any, int], Iterable[str]]:
        """Returns the function that `json.JSONEncoder.encode` makes anew for each call, which is most of its time."""
        make: Callable[..., Callable[[Any, int], Iterable[str]]] | None = getattr(json.encoder, "c_make_encoder", None)
        if make is None:  # an interpreter that has it not in C
            encoder = json.JSONEncoder(
                ensure_ascii=self._ensure_ascii, allow_nan=False, separators=(",", ":"), default=self._default
            )
            return lambda data, level: encoder.iterencode(data)
        escape = json.encoder.encode_basestring_ascii if self._ensure_ascii else json.encoder.encode_basestring
        return make(self._markers, self._default, escape, None, ":", ",", False, False, False)

    def write(self, data: Any) -> tuple[str, list[bytes]]:
        """Returns the JSON and its attachments. Raises TypeError, ValueError or RecursionError."""
        self._attachments = attachments = list[bytes]()
        try:
            return "".join(self._write(data, 0)), attachments
        except BaseException:
            self._markers.clear()  # an encoding that failed leaves nothing behind
            raise

    def _default(self, value: Any) -> Any:
        # JSON has no bytes, so the encoder asks here for each of them, in the order in which they stand.
        if isinstance(value, bytes | bytearray | memoryview):
            self._attachments.append(bytes(value))
            return {"_placeholder": True, "num": len(self._attachments) - 1}
        return self._json_default(value)
