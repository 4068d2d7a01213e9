"""The outgoing packets of one session: a queue with a bound, and with an eye on what its client really takes."""

from __future__ import annotations

from collections.abc import Sequence

from .options import EngineIOOptions
from .packets import PING, EncodedPacket


class Outbox:
    """Packets leave in the order in which they came, whatever transport takes them.

    On a WebSocket, what was sent is not yet received: Daphne's `send` never waits, whatever the client takes. So a ping
    is needed as soon as half a buffer was sent since the last one, and after a whole buffer that follows a ping nothing
    more leaves until the pong is there. The queue then fills, and the client is seen to be slow.
    """

    def __init__(self, options: EngineIOOptions) -> None:
        self._options = options
        #: As many bytes may leave without a ping between them.
        self._ping_after = options.max_buffered_bytes / 2
        #: A list, since an empty deque is 760 bytes for each idle client. What is taken off its front has a bound.
        self._packets: list[EncodedPacket] = []
        self._bytes = 0
        self._unconfirmed_bytes = 0
        self._ping_sent = False
        #: Whether a ping is still in the queue.
        self.has_ping = False

    def __bool__(self) -> bool:
        return bool(self._packets)

    def put(self, packets: Sequence[EncodedPacket]) -> bool:
        """Adds packets that must stay together. Returns False, with nothing added, if they would pass the bound.

        An empty queue takes whatever it is given: a packet larger than the bound is no fault of the client.
        """
        size = sum([packet.size for packet in packets])
        options = self._options
        if self._packets and (
            len(self._packets) + len(packets) > options.max_buffered_packets
            or self._bytes + size > options.max_buffered_bytes
        ):
            return False
        self._packets.extend(packets)
        self._bytes += size
        return True

    def put_ping(self) -> None:
        """Adds a ping, before all others if it is needed. No bound keeps it out: its answer will be waited for."""
        if self.needs_ping:
            self._packets.insert(0, PING)
        else:
            self._packets.append(PING)
        self._bytes += PING.size
        self.has_ping = True

    def clear(self) -> None:
        """Drops all packets."""
        self._packets.clear()
        self._bytes = 0
        self.has_ping = False

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits, and the client need not show first that it reads."""
        return not self._packets and self._unconfirmed_bytes <= self._ping_after

    @property
    def is_congested(self) -> bool:
        """Whether the queue is more than half full."""
        options = self._options
        return len(self._packets) * 2 > options.max_buffered_packets or self._bytes * 2 > options.max_buffered_bytes

    # WebSocket: one packet at a time

    def send_directly(self, packet: EncodedPacket) -> bool:
        """Whether a packet may be sent at once, since nothing waits before it and no ping is needed; it then counts as
        sent.
        """
        # In line what `is_clear` says: this is the path of every packet.
        if self._packets or self._unconfirmed_bytes > self._ping_after:
            return False
        self._unconfirmed_bytes += packet.size
        return True

    def take_next(self) -> EncodedPacket | None:
        """Takes the next packet. None if there is none, or if the client has to answer a ping first."""
        if not self._packets or (self._ping_sent and self._unconfirmed_bytes > self._options.max_buffered_bytes):
            return None
        packet = self._packets.pop(0)
        self._leaves(packet)
        if packet is PING:
            self._ping_sent, self._unconfirmed_bytes = True, 0
        else:
            self._unconfirmed_bytes += packet.size
        return packet

    @property
    def needs_ping(self) -> bool:
        """Whether so much was sent since the last ping that the client should show that it reads."""
        return not self._ping_sent and self._unconfirmed_bytes > self._ping_after

    def confirm(self) -> None:
        """The client answered a ping, so it has all that was sent before."""
        self._ping_sent = False
        self._unconfirmed_bytes = 0

    # Polling: as much as a payload holds

    def take_batch(self) -> list[EncodedPacket]:
        """Takes packets up to `max_payload` bytes of payload, but one at least: what is over it is sent alone."""
        count = 0
        room = self._options.max_payload
        for packet in self._packets:
            room -= len(packet.segment) + bool(count)  # and its separator
            if room < 0 and count:
                break
            count += 1
        batch = self._packets[:count]
        del self._packets[:count]
        for packet in batch:
            self._leaves(packet)
        return batch

    def _leaves(self, packet: EncodedPacket) -> None:
        self._bytes -= packet.size
        if packet is PING:
            self.has_ping = False
