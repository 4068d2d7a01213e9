"""Socket.IO packets as Engine.IO packets: encoded once, however many clients get them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engineio.protocol.packets import EncodedPacket
from .protocol.encoder import PacketEncoder
from .protocol.options import SocketIOOptions
from .protocol.packets import RESERVED_EVENTS, PacketType, SocketIOPacket


def check_event(event: Any) -> None:
    """Raises TypeError or ValueError for what is no event name that may be emitted."""
    if not isinstance(event, str):
        raise TypeError(f"an event name is a str, not {event!r}")
    if event in RESERVED_EVENTS:
        raise ValueError(f"{event!r} is a reserved event name")


class Encoding:
    """Encodes packets under the options in force. It is bound to one thread."""

    def __init__(self, options: Callable[[], SocketIOOptions]) -> None:
        self._options = options
        #: The encoder, and the options that it is for.
        self._encoder: tuple[SocketIOOptions, PacketEncoder] | None = None

    def event(self, namespace: str, event: str, args: Sequence[Any], ack_id: int | None = None) -> list[EncodedPacket]:
        """Encodes an event: its header and its attachments. Raises EncodingError, and TypeError or ValueError for what
        is no event name.
        """
        check_event(event)
        return self.packet(SocketIOPacket(PacketType.EVENT, namespace, [event, *args], ack_id))

    def packet(self, packet: SocketIOPacket) -> list[EncodedPacket]:
        """Encodes a packet: its header and its attachments. Raises EncodingError."""
        options = self._options()
        if self._encoder is None or self._encoder[0] is not options:
            self._encoder = options, PacketEncoder(options)
        return [EncodedPacket.message(data) for data in self._encoder[1].encode(packet)]
