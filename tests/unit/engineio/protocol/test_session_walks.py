"""Sessions that walk through random steps: whatever happens, no packet is lost or comes twice."""

from __future__ import annotations

import random

import pytest

from sio.engineio.protocol.options import EngineIOOptions
from sio.engineio.protocol.packets import EncodedPacket, PacketType, decode_packet
from sio.engineio.protocol.session import CLOSE_TIMEOUT, EngineIOSession
from sio.engineio.protocol.state import CloseReason, State, Transport
from tests.unit.engineio.protocol.session_helpers import emit, ping_if_needed


class Walk:
    """A session, what was emitted to it and what its client took, through random steps that a client and a server may
    take.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        transport = self.random.choice([*Transport, Transport.POLLING])
        bound = self.random.choice([400, 16_000_000])
        options = EngineIOOptions(300, 2_000, max_payload=30, upgrade_timeout=500, max_buffered_bytes=bound)
        self.session = EngineIOSession("sid", transport, options, 0)
        self.emitted: list[str | bytes] = []
        self.taken: list[str | bytes] = []
        self.reasons: set[CloseReason] = set()
        self.unanswered_pings = 0

    def step(self) -> None:
        """Does something random, and checks what must always be true."""
        often = [self.emit, self.poll, self.write, self.post, self.pass_time, self.probe, self.end_probe]
        seldom = [self.close, self.end, self.overlap, self.pause, self.resume, self.violate]
        self.random.choice(self.random.choices([often, seldom], [100, 1])[0])()
        self.check()

    def check(self) -> None:
        session = self.session
        assert self.taken == self.emitted[: len(self.taken)]
        assert session.is_closed is (session.reason is not None)
        if session.reason is not None:
            self.reasons.add(session.reason)
            assert session.deadline is None
        assert len(self.reasons) <= 1
        assert self.unanswered_pings <= 1
        assert session.deadline is None or session.deadline <= self.now + CLOSE_TIMEOUT

    # What the application does

    def emit(self) -> None:
        number = len(self.emitted)
        unit = [f"{number}" * self.random.randint(1, 20), str(number).encode() * 5][: self.random.randint(1, 2)]
        was_open = self.session.is_open
        if emit(self.session, *unit) and was_open:
            self.emitted += unit

    def close(self) -> None:
        self.session.close(CloseReason.FORCED_CLOSE, self.now)

    def end(self) -> None:
        self.session.end(CloseReason.SERVER_SHUTTING_DOWN, discard=self.random.random() < 0.5)

    def pause(self) -> None:
        if self.session.is_open:
            self.session.pause()

    def resume(self) -> None:
        if self.session.is_open:
            self.session.resume(self.now)

    # What the client does

    def poll(self) -> None:
        if self.session.transport is Transport.POLLING and not self.session.poll_open and not self.session.is_closed:
            self.session.open_poll()
        if self.session.poll_ready:
            self.take(self.session.take_payload())
            assert not self.session.poll_open

    def overlap(self) -> None:
        if self.session.poll_open:
            assert not self.session.open_poll()

    def post(self) -> None:
        wire = self.random.choice(["4hello", "6", "0", "5", b"hello"])
        if self.unanswered_pings:
            self.unanswered_pings, wire = 0, "3"
        self.session.receive_frame(wire, self.now)

    def violate(self) -> None:
        self.session.receive_frame(self.random.choice("12"), self.now)

    def probe(self) -> None:
        if self.session.state is State.POLLING:
            self.session.probe(self.now)
            self.session.probe_answered(self.now)

    def end_probe(self) -> None:
        if self.session.is_upgrading:
            if self.random.random() < 0.85:
                self.session.probe_failed()
            else:
                self.session.upgrade(self.now)

    def write(self) -> None:
        if self.session.transport is Transport.WEBSOCKET and (packet := self.session.next_packet()):
            self.take([packet])
        ping_if_needed(self.session, self.now)

    # What happens by itself

    def pass_time(self) -> None:
        self.now += self.random.choice([0.01, 0.1, 0.1, 0.3])
        self.session.handle_timeout(self.now)
        assert self.session.deadline is None or self.session.deadline > self.now

    def take(self, packets: list[EncodedPacket]) -> None:
        decoded = [decode_packet(packet.data) for packet in packets]
        self.taken += [packet.data for packet in decoded if packet.type is PacketType.MESSAGE]
        self.unanswered_pings += [packet.type for packet in decoded].count(PacketType.PING)

    def close_and_deliver(self) -> None:
        """The server closes, and the client takes the rest."""
        self.close()
        while not self.session.is_closed:
            self.poll()
            self.write()
            self.post()
            self.pass_time()


@pytest.mark.parametrize("seed", range(60))
def test_every_packet_is_taken_once_and_in_order(seed: int) -> None:
    """By whichever transport, and in whatever order things happen; and the session ends once."""
    walk = Walk(seed)
    for _ in range(200):
        walk.step()
    walk.close_and_deliver()
    walk.check()
    if walk.session.reason is CloseReason.FORCED_CLOSE:
        assert walk.taken == walk.emitted
