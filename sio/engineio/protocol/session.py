"""One Engine.IO session without its I/O: what it takes from the client, what it has to send, and when.

Feed it what the client sent and what the time is; take from it what to send, when to come back, and whether it is over.
It never waits and never looks at a clock: `now` is monotonic seconds, `deadline` says when `handle_timeout` wants to be
called.

Source: Engine.IO protocol v4, sections "Heartbeat" and "Upgrade"; the reference's `engine.io/lib/socket.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .handshake import handshake_answer
from .heartbeat import Heartbeat, Timer, Timers
from .options import EngineIOOptions
from .outbox import Outbox
from .packets import CLOSE, NOOP, EncodedPacket, Packet, PacketType, decode_packet
from .state import OPEN_STATES, UPGRADING_STATES, WEBSOCKET_STATES, CloseReason, Input, State, Transport, transition

#: While a WebSocket probes, waiting polls are answered this often (`_maybeUpgrade`), in seconds.
NOOP_INTERVAL = 0.1
#: How long a closing session waits for its client to take the rest (`closeTimeout` of `polling.ts`), in seconds.
CLOSE_TIMEOUT = 30.0
#: Timers that are so much later than due, in seconds, show that the process stood still and not its clients. A server
#: that has more to do than it can is late by less, and for long.
LAG = 1.0


class EngineIOSession:
    """The state of one session. An `EngineIOConnection` owns it and does its I/O; the two transports share it."""

    def __init__(self, sid: str, transport: Transport, options: EngineIOOptions, now: float) -> None:
        self.sid = sid
        self.options = options
        #: Why the session ended; None while it has not.
        self.reason: CloseReason | None = None
        #: Whether a GET waits for packets.
        self.poll_open = False
        self._outbox = Outbox(options)
        self._timers: Timers = {}
        self._heartbeat = Heartbeat(options, self._timers, self._outbox, now)
        #: Whether `ping` is to be called at once, to see if the client still reads what it is sent.
        self.needs_ping = False
        self._noop_due = False
        self._close_reason = CloseReason.FORCED_CLOSE
        self._closed_during_poll = False
        self._final_poll_packet = CLOSE
        self._set_state(State.POLLING if transport is Transport.POLLING else State.WEBSOCKET)
        self.send([EncodedPacket(PacketType.OPEN + handshake_answer(sid, options, transport))])

    # State

    def _set_state(self, state: State) -> None:
        self.state = state
        #: Whether packets are taken from and for the client.
        self.is_open = state in OPEN_STATES
        #: Whether the session is over.
        self.is_closed = state is State.CLOSED
        #: Whether a packet may go to the WebSocket at once, with nothing before it. It then counts as sent.
        self.send_directly: Callable[[EncodedPacket], bool] = (
            self._outbox.send_directly if state is State.WEBSOCKET else _not_directly
        )
        # The transport of a closed session is the one that it closed on.
        if state is not State.CLOSED:
            self.transport = Transport.WEBSOCKET if state in WEBSOCKET_STATES else Transport.POLLING

    @property
    def is_upgrading(self) -> bool:
        """Whether a WebSocket probes."""
        return self.state in UPGRADING_STATES

    def close(self, reason: CloseReason, now: float) -> None:
        """Closes once the buffered packets are delivered. What is sent from now on is dropped. Idempotent."""
        if not self.is_open:
            return
        self._set_state(transition(self.state, Input.CLOSE))
        self._close_reason = reason
        self._closed_during_poll = self.poll_open
        self.needs_ping = False
        self._timers[Timer.CLOSE] = now + CLOSE_TIMEOUT
        self._heartbeat.stop(now)

    def end(self, reason: CloseReason, *, discard: bool = False) -> None:
        """The session is over at once; only a poll that waits is still answered. `discard` drops what it had
        buffered. Idempotent.
        """
        if self.is_closed:
            return
        # A poll that waits is answered with what is left, so the buffer is kept for it.
        if discard or not self.poll_open or self.transport is Transport.WEBSOCKET:
            self._outbox.clear()
        self._set_state(transition(self.state, Input.END))
        self.reason = reason
        self.needs_ping = False
        self._timers.clear()

    # Upgrade

    def probe(self, now: float) -> None:
        """A WebSocket came for this session. Raises InvalidTransition if it may not have one."""
        self._set_state(transition(self.state, Input.PROBE))
        self._timers[Timer.UPGRADE] = now + self.options.upgrade_timeout / 1000

    def probe_answered(self, now: float) -> None:
        """The WebSocket was sent the `3probe`: polls are now kept short, so that the client can leave polling."""
        if self.is_upgrading:  # while it was sent, the time may have run out, or the session ended
            self._timers[Timer.NOOP] = now + NOOP_INTERVAL

    def probe_failed(self) -> None:
        """The WebSocket is gone, or said what it should not have: polling goes on."""
        self._end_probe(Input.PROBE_FAILED)

    def upgrade(self, now: float) -> None:
        """The client sent the `5` packet: the session is on the WebSocket, and so is everything buffered."""
        self._end_probe(Input.UPGRADE)
        # The ping may have been on the way by polling: its answer gets the full time again.
        self._heartbeat.restart(now)

    def _end_probe(self, trigger: Input) -> None:
        self._set_state(transition(self.state, trigger))
        self._timers.pop(Timer.UPGRADE, None)
        self._timers.pop(Timer.NOOP, None)
        self._noop_due = False

    # Input

    def receive_frame(self, encoded: str | bytes, now: float) -> str | bytes | None:
        """Takes one WebSocket frame. Returns the data of a message, else None. Raises EngineIOParseError."""
        # The fast path: on most frames of most sessions, reading a message is these comparisons and one slice.
        if encoded[:1] == "4" and self.is_open and not self._heartbeat.awaits_pong:
            return encoded[1:]
        return self.receive(decode_packet(encoded), now)

    def receive(self, packet: Packet, now: float) -> str | bytes | None:
        """Takes one packet. Returns the data of a message, else None. What comes when the session closes is dropped."""
        if not self.is_open:
            # "packet received with closed socket" (`onPacket`); that the client closes too is good to know.
            if packet.type is PacketType.CLOSE:
                self._on_close(now)
            return None
        if self._heartbeat.awaits_pong and packet.type is not PacketType.PONG:
            self._heartbeat.extend(now)
        if packet.type is PacketType.MESSAGE:
            return packet.data
        handler = _CONTROL_PACKETS.get(packet.type)
        if handler is not None:
            handler(self, now)
        return None

    def _on_pong(self, now: float) -> None:
        self._heartbeat.pong(now)

    def _on_ping(self, now: float) -> None:
        # "invalid heartbeat direction": in v4 the server pings.
        self.end(CloseReason.TRANSPORT_ERROR)

    def _on_close(self, now: float) -> None:
        self._final_poll_packet = NOOP
        self.end(CloseReason.TRANSPORT_CLOSE)

    # Output

    def send(self, packets: Sequence[EncodedPacket]) -> bool:
        """Buffers packets that must stay together, as one unit. What a closing or closed session gets is dropped.

        Returns False, with nothing buffered, when the client is too slow: its buffer is full.
        """
        return self._outbox.put(packets) if self.is_open else True

    @property
    def is_writable(self) -> bool:
        """Whether a packet would leave at once, by the WebSocket or with the poll that waits."""
        return self._outbox.is_clear and (self.poll_open or self.state is State.WEBSOCKET)

    @property
    def is_congested(self) -> bool:
        """Whether the session is open, and its buffer more than half full: a sender that can wait should."""
        return self.is_open and self._outbox.is_congested

    def next_packet(self) -> EncodedPacket | None:
        """Takes the next packet for the WebSocket. None when there is none; a closing session has then ended."""
        packet = self._outbox.take_next()
        if packet is None:
            if self.state is State.CLOSING_WEBSOCKET and not self._outbox:
                self.end(self._close_reason)
        elif self.is_open and not self._heartbeat.awaits_pong and self._outbox.needs_ping:
            self.needs_ping = True
        return packet

    def open_poll(self) -> bool:
        """A GET came to wait for packets. False if another one waits: the session has then ended ("overlap from
        client").
        """
        # "overlap from client": the reference gives up the session rather than guess which of the two is alive.
        if self.poll_open:
            self.end(CloseReason.TRANSPORT_ERROR)
            return False
        self.poll_open = True
        return True

    @property
    def poll_ready(self) -> bool:
        """Whether the waiting GET can be answered."""
        if not self.poll_open:
            return False
        return bool(self._outbox) or self._noop_due or self.state not in (State.POLLING, State.UPGRADING)

    def take_payload(self) -> list[EncodedPacket]:
        """Takes the answer to the waiting GET, which waits no more. Not to be called unless `poll_ready`."""
        closed_during_poll, self._closed_during_poll = self._closed_during_poll, False
        self.poll_open = self._noop_due = False
        if self.transport is Transport.WEBSOCKET:
            return [CLOSE]  # upgraded meanwhile: the buffer goes to the WebSocket
        batch = self._outbox.take_batch()
        if self.is_closed:
            return [*batch, self._final_poll_packet]
        if batch:
            return batch
        if self.is_open:
            return [NOOP]
        self.end(self._close_reason)
        # `doClose` of polling.ts: a poll that waits gets the close alone, a later one gets it appended to a noop.
        return [CLOSE] if closed_during_poll else [NOOP, CLOSE]

    # Time

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` is to be called; None when there is nothing to wait for."""
        return min(self._timers.values(), default=None)

    def handle_timeout(self, now: float) -> None:
        """Does what is due. Sends pings, fails upgrades, ends the session; calling it early does nothing.

        Called too late, it gives the client its time anew: what the client said in time may wait to be read.
        """
        for timer in [timer for timer, due in self._timers.items() if due <= now]:
            # What one timer does may have stopped the others: the end of a session stops all.
            due = self._timers.pop(timer, None)
            if due is None:
                continue
            patience = self._patience(timer)
            if patience is not None and now - due >= min(LAG, patience):
                # As often as that happens: each time, the process stood still for as long again.
                self._timers[timer] = now + patience
            else:
                _TIMEOUTS[timer](self, now)

    def _patience(self, timer: Timer) -> float | None:
        """How long the client has for what a timer waits for; None for a timer that does not wait for the client."""
        if timer is Timer.PONG:
            return self.options.ping_timeout / 1000
        if timer is Timer.UPGRADE:
            return self.options.upgrade_timeout / 1000
        return CLOSE_TIMEOUT if timer is Timer.CLOSE else None

    def ping(self, now: float) -> None:
        """Sends a ping now."""
        self.needs_ping = False
        self._heartbeat.ping(now)

    def pause(self) -> None:
        """The server stopped reading from the client: a pong that may wait to be read is not missed."""
        self._heartbeat.pause()

    def resume(self, now: float) -> None:
        """The server reads again."""
        if not self.is_closed:
            self._heartbeat.resume(now)

    def _on_ping_due(self, now: float) -> None:
        self.ping(now)

    def _on_pong_missing(self, now: float) -> None:
        if self._heartbeat.on_pong_missing(now):
            self.end(CloseReason.PING_TIMEOUT)

    def _on_upgrade_timeout(self, now: float) -> None:
        self.probe_failed()

    def _on_noop_due(self, now: float) -> None:
        self._timers[Timer.NOOP] = now + NOOP_INTERVAL
        self._noop_due = self.poll_open

    def _on_close_timeout(self, now: float) -> None:
        self.end(self._close_reason)


def _not_directly(packet: EncodedPacket) -> bool:
    return False


# OPEN, UPGRADE outside an upgrade, and NOOP are ignored, as in the reference (`onPacket`).
_CONTROL_PACKETS: dict[PacketType, Callable[[EngineIOSession, float], None]] = {
    PacketType.PING: EngineIOSession._on_ping,
    PacketType.PONG: EngineIOSession._on_pong,
    PacketType.CLOSE: EngineIOSession._on_close,
}

_TIMEOUTS: dict[Timer, Callable[[EngineIOSession, float], None]] = {
    Timer.PING: EngineIOSession._on_ping_due,
    Timer.PONG: EngineIOSession._on_pong_missing,
    Timer.UPGRADE: EngineIOSession._on_upgrade_timeout,
    Timer.NOOP: EngineIOSession._on_noop_due,
    Timer.CLOSE: EngineIOSession._on_close_timeout,
}
