"""Upgrade, close, emits and polls in any order: nothing is lost, comes twice or out of order.

Hypothesis walks through the session without its I/O, beside a small model that knows what must follow. The examples are
the same in each run; where one fails, it is the shortest that does.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sio.engineio.protocol.options import EngineIOOptions
from sio.engineio.protocol.packets import EncodedPacket, PacketType, decode_packet
from sio.engineio.protocol.session import NOOP_INTERVAL, EngineIOSession
from sio.engineio.protocol.state import CloseReason, Transport

PROFILE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)

INTERVAL, TIMEOUT, UPGRADE_TIMEOUT = 3.0, 2.0, 1.0
#: Time that passes in one step: from nothing to more than any timeout of a session that is alive.
durations = st.sampled_from([0.0, 0.02, 0.12, 0.12, 0.3, 1.0, 2.5])


#: Sizes of packets that are sent together. Each step may begin with some: a walk without them would show little.
units = st.lists(st.integers(1, 40), max_size=3)


class SessionMachine(RuleBasedStateMachine):
    """`EngineIOSession`, between an application, a client and a clock."""

    @initialize(
        transport=st.sampled_from([Transport.POLLING, Transport.POLLING, Transport.WEBSOCKET]),
        max_payload=st.sampled_from([1, 30, 1_000_000]),
        max_packets=st.sampled_from([5, 10_000]),
        max_bytes=st.sampled_from([100, 16_000_000]),
        patience=st.integers(0, 60),
        pongs=st.sampled_from([True, True, False]),
    )
    def open(
        self, transport: Transport, max_payload: int, max_packets: int, max_bytes: int, patience: int, pongs: bool
    ) -> None:
        options = EngineIOOptions(
            int(INTERVAL * 1000),
            int(TIMEOUT * 1000),
            max_payload=max_payload,
            upgrade_timeout=int(UPGRADE_TIMEOUT * 1000),
            max_buffered_packets=max_packets,
            max_buffered_bytes=max_bytes,
        )
        self.now = 0.0
        self.session = EngineIOSession("sid", transport, options, self.now)
        # Before so many steps nobody ends it, or most would end before they upgrade.
        self.patience = patience
        self.pongs = pongs
        # The model: where the session must be.
        self.transport = transport
        self.is_open, self.is_closed = True, False
        self.close_reason: CloseReason | None = None
        self.probed_at: float | None = None
        self.noops_since: float | None = None
        self.polled_at: float | None = None
        self.alive_at = self.now
        # What must come, and what came: messages, and all packets.
        self.sent: list[str | bytes] = []
        self.messages: list[str | bytes] = []
        self.packets: list[str | bytes] = []

    def may_end(self) -> bool:
        return self.patience <= 0

    # The application

    @rule(unit=units, is_binary=st.booleans())
    def emit(self, unit: list[int], is_binary: bool = False) -> None:
        packets: list[str | bytes] = [f"{len(self.sent) + n}:".ljust(size, ".") for n, size in enumerate(unit)]
        if is_binary:
            packets[1:] = [str(packet).encode() for packet in packets[1:]]
        is_taken = self.session.send([EncodedPacket.message(packet) for packet in packets])
        assert is_taken or self.is_open
        if self.is_open and is_taken:
            self.sent += packets

    @rule()
    def send_directly(self) -> None:
        """What finds nothing before it goes to the WebSocket at once."""
        packet = EncodedPacket.message(f"{len(self.sent)}:")
        if self.session.send_directly(packet):
            assert self.is_open
            assert self.transport is Transport.WEBSOCKET
            self.sent.append(f"{len(self.sent)}:")
            self.taken([packet.data])

    @precondition(may_end)
    @rule(unit=units)
    def close(self, unit: list[int]) -> None:
        self.emit(unit)
        self.session.close(CloseReason.FORCED_CLOSE, self.now)
        if self.is_open:
            self.is_open, self.close_reason = False, CloseReason.FORCED_CLOSE

    @precondition(may_end)
    @rule(
        unit=units, how=st.sampled_from(["end", "end and discard", "close packet", "ping of the client", "second poll"])
    )
    def break_off(self, unit: list[int], how: str) -> None:
        """Ends it at once, in one of the ways that there are."""
        self.emit(unit)
        was_open = self.is_open
        if how == "close packet":
            self.session.receive(decode_packet("1"), self.now)
            self.ended(CloseReason.TRANSPORT_CLOSE)
        elif how == "ping of the client":
            self.session.receive(decode_packet("2"), self.now)
            if was_open:  # "packet received with closed socket"
                self.ended(CloseReason.TRANSPORT_ERROR)
        elif how != "second poll":
            self.session.end(CloseReason.SERVER_SHUTTING_DOWN, discard=how == "end and discard")
            self.ended(CloseReason.SERVER_SHUTTING_DOWN)
        else:
            self.wait_with_a_poll()
            if self.polled_at is not None and not self.is_closed:
                assert not self.session.open_poll()
                self.ended(CloseReason.TRANSPORT_ERROR)

    def ended(self, reason: CloseReason | None) -> None:
        if not self.is_closed:
            self.is_open, self.is_closed, self.close_reason = False, True, reason
            self.probed_at = self.noops_since = None

    # The client

    @rule(unit=units, promptly=st.booleans(), count=st.integers(1, 5))
    def take(self, unit: list[int], promptly: bool, count: int) -> None:
        """It takes what there is, on the transport on which it is. A poll may be answered later."""
        self.emit(unit)
        if self.transport is Transport.WEBSOCKET and self.polled_at is None:
            self.write(count)
            return
        if self.polled_at is None and not self.is_closed:
            assert self.session.open_poll()
            self.polled_at = self.now
        if promptly:
            self.answer_poll()

    def wait_with_a_poll(self) -> None:
        """It polls until it has all that there is, and once more."""
        while self.transport is Transport.POLLING and self.polled_at is None and not self.is_closed:
            self.take([], True, 1)

    def answer_poll(self) -> None:
        if not self.session.poll_ready:
            return
        assert self.polled_at is not None
        self.polled_at = None
        was_closed = self.is_closed
        answer = [packet.data for packet in self.session.take_payload()]
        if self.transport is Transport.WEBSOCKET:
            assert answer == ["1"], "what is buffered goes to the WebSocket"
            return
        self.taken(answer)
        assert answer, "the answer to a poll has a packet"
        if was_closed:
            assert answer[-1] in ("1", "6")
        elif answer[-1] == "1":
            self.ended(self.close_reason)

    def write(self, count: int) -> None:
        for _ in range(count):
            packet = self.session.next_packet()
            if packet is None:
                if self.session.is_closed:
                    self.ended(self.close_reason)
                break
            assert not self.is_closed
            self.taken([packet.data])
        if self.session.needs_ping:
            self.session.handle_timeout(self.now)

    @precondition(lambda self: self.transport is Transport.POLLING and self.is_open and self.probed_at is None)
    @rule(unit=units, polls=st.booleans(), is_answered=st.sampled_from([True, True, False]), duration=durations)
    def probe(self, unit: list[int], polls: bool, is_answered: bool, duration: float) -> None:
        """A WebSocket comes, often while a poll waits. Its client may be gone before it is answered."""
        self.emit(unit)
        if polls:
            self.wait_with_a_poll()
        self.session.probe(self.now)
        self.probed_at = self.now
        if is_answered:
            self.session.probe_answered(self.now)
            self.noops_since = self.now
        self.pass_time(duration)

    @precondition(lambda self: self.probed_at is not None)
    @rule(unit=units, polls=st.booleans(), is_lost=st.sampled_from([False, False, True]))
    def end_probe(self, unit: list[int], polls: bool, is_lost: bool) -> None:
        if polls:
            self.wait_with_a_poll()
            if self.probed_at is None:  # it had been closed, and took all
                return
        self.emit(unit)
        if is_lost:
            self.session.probe_failed()
        else:
            self.session.upgrade(self.now)
            self.transport = Transport.WEBSOCKET
        self.probed_at = self.noops_since = None

    # What it sends

    @rule(packet=st.sampled_from(["3", "4hello", b"hello", "6", "5", "0"]))
    def receive(self, packet: str | bytes) -> None:
        data = self.session.receive(decode_packet(packet), self.now)
        is_message = self.is_open and packet in ("4hello", b"hello")
        assert data == (packet[-5:] if is_message else None)
        if self.is_open and packet == "3":
            self.alive_at = self.now

    # The clock

    @rule(duration=durations)
    def pass_time(self, duration: float) -> None:
        self.answer_poll()  # that takes no time
        until = self.now + duration
        while not self.session.is_closed and self.session.deadline is not None and self.session.deadline <= until:
            self.now = max(self.now, self.session.deadline)
            self.session.handle_timeout(self.now)
        self.now = until
        self.follow_time()

    def follow_time(self) -> None:
        if self.probed_at is not None and self.now >= self.probed_at + UPGRADE_TIMEOUT:
            self.probed_at = self.noops_since = None
        if self.session.is_closed and not self.is_closed:
            if self.session.reason is CloseReason.PING_TIMEOUT:
                assert self.now >= self.alive_at + TIMEOUT, "a client that answers stays"
            self.ended(self.session.reason)

    # What must always be true

    def taken(self, packets: list[str | bytes]) -> None:
        self.packets += packets
        decoded = [decode_packet(packet) for packet in packets]
        self.messages += [packet.data for packet in decoded if packet.type is PacketType.MESSAGE]
        if self.pongs and any(packet.type is PacketType.PING for packet in decoded):
            self.receive("3")

    @invariant()
    def time_goes_on(self) -> None:
        self.patience -= 1

    @invariant()
    def what_came_is_what_was_sent_so_far(self) -> None:
        assert self.messages == self.sent[: len(self.messages)]

    @invariant()
    def the_handshake_came_first_and_once(self) -> None:
        opens = [number for number, packet in enumerate(self.packets) if str(packet)[:1] == "0"]
        assert opens == [0][: len(self.packets)] or self.is_closed

    @invariant()
    def the_session_is_where_it_must_be(self) -> None:
        session = self.session
        assert (session.is_open, session.is_closed) == (self.is_open, self.is_closed)
        assert session.transport is self.transport
        assert session.is_upgrading is (self.probed_at is not None)
        assert session.reason is (self.close_reason if self.is_closed else None)
        assert session.poll_open is (self.polled_at is not None)
        assert (session.deadline is None) is self.is_closed

    @invariant()
    def no_poll_waits_when_it_need_not(self) -> None:
        if self.polled_at is None:
            assert not self.session.poll_ready
        elif self.is_closed or not self.is_open or self.transport is Transport.WEBSOCKET:
            assert self.session.poll_ready
        elif self.noops_since is not None and self.now >= max(self.polled_at, self.noops_since) + NOOP_INTERVAL:
            assert self.session.poll_ready, "a waiting poll holds up the upgrade"

    def teardown(self) -> None:
        """Closed in an orderly way, a session lets its client have all that it was sent."""
        if not hasattr(self, "session"):
            return
        self.close([])
        for _ in range(len(self.sent) + 10):
            self.receive("3")
            self.take([], True, 5)
        assert self.is_closed
        self.what_came_is_what_was_sent_so_far()
        if self.close_reason is CloseReason.FORCED_CLOSE:
            assert self.messages == self.sent


TestSession = SessionMachine.TestCase
TestSession.settings = settings(PROFILE, max_examples=400, stateful_step_count=40)


def test_session_that_ends_between_the_upgrade_and_the_answer_to_its_poll_hands_out_nothing() -> None:
    """A walk that once failed."""
    session = EngineIOSession("sid", Transport.POLLING, EngineIOOptions(), 0)
    for _ in range(2):
        assert session.open_poll()
        if session.poll_ready:
            session.take_payload()
    session.probe(0)
    session.upgrade(0)
    session.send([EncodedPacket.message("late")])
    session.end(CloseReason.TRANSPORT_CLOSE)
    assert [packet.data for packet in session.take_payload()] == ["1"]
    assert session.next_packet() is None
