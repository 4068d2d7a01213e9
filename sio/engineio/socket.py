"""`EngineIOSocket`: a session with its event loop. It pumps what is sent to the live transport or the waiting poll."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from time import perf_counter
from typing import Any

from . import standstill, upgrades
from .app import EngineIOApplication
from .options import EngineIOOptions
from .packets import EncodedPacket, Packet, ParseError, encode_payload
from .registry import SessionRegistry
from .session import EngineIOSession
from .state import Reason, Transport
from .tasks import SessionTasks, release
from .turns import TURN_BYTES, Turn, long_packets
from .writer import Send, Writer

logger = logging.getLogger("sio.engineio")


class EngineIOSocket:
    """One Engine.IO connection, as the application sees it.

    `sid` is a secret of the client: whoever knows it can speak for the connection. `scope` is the ASGI scope of the
    handshake request. All methods are to be called on the event loop of the connection.
    """

    def __init__(
        self,
        transport: Transport,
        options: EngineIOOptions,
        scope: MutableMapping[str, Any],
        app: EngineIOApplication,
        registry: SessionRegistry,
    ) -> None:
        self.scope = scope
        #: Whose requests may carry the session, as `sio.users` has it.
        self.owner: Any = None
        self._loop = asyncio.get_running_loop()
        self._opened_at = now = self._loop.time()
        self.session = EngineIOSession(registry.new_sid(), transport, options, now)
        self.sid = self.session.sid
        self._app = app
        self._registry = registry
        self._timer: asyncio.Handle | None = None
        #: The deadline that the timer is for. The handle need not know: uvloop gives one without `when` if it is past.
        self._armed_for: float | None = None
        #: What hooks and handlers run in. It outlives the transport, and may outlive the session.
        self.tasks = SessionTasks()
        self._finished = False
        self._interrupt: Callable[[], None] | None = None
        self._interrupt_probe: Callable[[], None] | None = None
        self._interrupt_post: Callable[[], None] | None = None
        #: That of the WebSocket that carries the session, and what middleware raised there.
        self._writer: Writer | None = None
        self._write_error: BaseException | None = None
        #: How the waiting poll is told to be answered. What a paused reader and emitters each wait on.
        self._poll: Callable[[], None] | None = None
        self._reading: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self.post_open, self.turn = False, Turn()

    def open(self) -> None:
        """Makes the session known. To be called once, before the handshake is answered."""
        self._app.on_connect(self)  # first: no message can come before it is ready
        self._registry.add(self)
        logger.debug("Session of %s opened by %s", self.scope.get("client"), self.transport)
        self._update()

    # What the application uses

    @property
    def transport(self) -> Transport:
        """The transport that the session is on."""
        return self.session.transport

    @property
    def is_open(self) -> bool:
        """Whether packets can still be sent."""
        return self.session.is_open

    def send(self, *messages: str | bytes) -> None:
        """Sends messages, next to one another. On a closing session they are dropped."""
        self.send_packets([EncodedPacket.message(message) for message in messages])

    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool:
        """Sends packets that may be shared with other sockets, as one unit. Returns False if they are `volatile` and
        were dropped, since they could not leave at once. A client that leaves its buffer full is cut off.
        """
        writer = self._writer
        if writer is not None and not writer.is_blocked and len(packets) == 1 and self.session.pass_by(packets[0]):
            # The fast path: a WebSocket whose client keeps up. Nothing is queued, woken or scheduled.
            writer.write(packets[0])
            return True
        if volatile and (not self.session.is_writable or (writer is not None and writer.is_blocked)):
            return False
        if not self.session.send(packets):
            self._registry.slow_consumers += 1
            logger.warning("Cut the slow consumer %s: its buffer of packets is full", self.scope.get("client"))
            self.end(Reason.TRANSPORT_ERROR)
            return True
        self._pump()
        if self.session.is_ping_due:
            # At once, and not when the loop turns: who sends without a pause would have sent all before.
            self.session.handle_timeout(self._loop.time())
            self._update()
        return True

    def joined(self) -> None:
        """The client joined a namespace: it is none of those that SIO_MAX_UNJOINED_SESSIONS bounds. Idempotent."""
        self._registry.joined(self)

    @property
    def is_congested(self) -> bool:
        """Whether the client lags behind: who can wait should `drain`."""
        return self.session.is_open and self.session.is_congested

    async def drain(self) -> None:
        """Waits until the client has taken enough of what it was sent; returns at once unless it lags behind."""
        while self.is_congested:
            if self._drained is None:
                self._drained = self._loop.create_future()
            # Shielded: several may wait for the one future, and cancelling one of them must not cancel it.
            await asyncio.shield(self._drained)

    def close(self, reason: Reason = Reason.FORCED_CLOSE) -> None:
        """Closes the connection once what was sent is delivered. Idempotent."""
        self.session.close(reason, self._loop.time())
        self._update()

    def end(self, reason: Reason, *, discard: bool = False) -> None:
        """Ends the connection at once. Idempotent. `discard` drops what was sent and is not delivered."""
        self.session.end(reason, discard=discard)
        self._update()

    def pause_reading(self) -> None:
        """Takes nothing more from the client until `resume_reading`; meanwhile no pong is demanded of it."""
        if self._reading is None and not self._finished:
            self._reading = self._loop.create_future()
            self.session.pause()
            self._update()

    def resume_reading(self) -> None:
        """Reads again from the client."""
        if self._reading is not None:
            release(self._reading)
            self._reading = None
            self.session.resume(self._loop.time())
            self._update()

    # What the transports use

    @property
    def is_paused(self) -> bool:
        """Whether nothing may be read from the client."""
        return self._reading is not None

    async def wait_readable(self) -> None:
        """Waits while reading is paused."""
        while self._reading is not None and self.session.is_open:
            await asyncio.shield(self._reading)

    async def wait_turn(self) -> None:
        """Waits until a long packet may be handled. The client's pong may stand behind it, and is not missed."""
        if long_packets.are_due:
            return
        self.session.pause()
        try:
            await long_packets.wait(self.turn.long_at)
        finally:
            if self._reading is None:
                self.session.resume(self._loop.time())
                self._update()

    def on_readable(self, interrupt: Callable[[], None]) -> None:
        """The POST whose packets wait wants to be interrupted when reading goes on."""
        if self._reading is None:
            interrupt()
        else:
            self._reading.add_done_callback(lambda _: interrupt())

    def receive_frame(self, frame: str | bytes) -> float | None:
        """Takes one WebSocket frame from the client. Returns for how many seconds nothing more is to be read, if so."""
        began = perf_counter()
        try:
            self._dispatch(self.session.receive_frame(frame, self._loop.time()))
        except ParseError:
            self.end(Reason.PARSE_ERROR)
        return self.turn.spend(len(frame), began, perf_counter())

    async def receive_packets(self, packets: Iterator[Packet]) -> bool:
        """Takes the packets of a POST. False if reading was paused: the rest is to be taken once it is not."""
        try:
            for packet in packets:
                if len(packet.data) > TURN_BYTES:
                    await self.wait_turn()
                began = perf_counter()
                self._dispatch(self.session.receive(packet, self._loop.time()))
                pause = self.turn.spend(len(packet.data), began, perf_counter())
                if self._reading is not None:
                    return False
                if pause is not None:
                    await asyncio.sleep(pause)
                if not self.session.is_open:
                    return True
        except ParseError:
            self.end(Reason.PARSE_ERROR)
        return True

    def _dispatch(self, data: str | bytes | None) -> None:
        if data is None:
            self._update()  # a control packet may have moved timers or ended the session
        else:
            self._app.on_message(self, data)

    def open_poll(self) -> bool:
        """Registers a GET. False if another one waits, which is answered with the end of the session."""
        opened = self.session.open_poll()
        self._update()
        return opened

    @property
    def poll_ready(self) -> bool:
        """Whether the GET can be answered without waiting."""
        return self.session.poll_ready

    def on_poll_ready(self, interrupt: Callable[[], None]) -> None:
        """The GET, which cannot be answered yet, wants to be interrupted when it can."""
        self._poll = interrupt

    def take_payload(self) -> bytes:
        """Takes the body that answers the GET. Only when it can be answered."""
        payload = encode_payload(self.session.take_payload())
        self._update()
        return payload

    def probe(self) -> None:
        """A WebSocket came for this session. Raises InvalidTransition if it may not have one."""
        self.session.probe(self._loop.time())
        self._update()

    def attach(self, send: Send, interrupt: Callable[[], None]) -> None:
        """A WebSocket carries the session from now on. It wants to be interrupted at its end."""
        self._writer = Writer(send, self, self.session.options.max_payload)
        self._interrupt = interrupt
        self._update()
        if self._finished:
            interrupt()

    def detach(self) -> BaseException | None:
        """The WebSocket carries nothing any more. Returns what middleware raised when it was written to."""
        if self._writer is not None:
            self._writer.cancel()
        self._writer = None
        error, self._write_error = self._write_error, None
        return error

    def on_finish_of_post(self, interrupt: Callable[[], None]) -> None:
        """The POST whose body is read wants to be interrupted at the end of the session."""
        self._interrupt_post = interrupt

    def on_probe_failed(self, interrupt: Callable[[], None]) -> None:
        """The WebSocket that probes wants to be interrupted when the time for it is up, or the session over."""
        self._interrupt_probe = interrupt

    def probe_answered(self) -> None:
        """The WebSocket was sent its `3probe`."""
        self.session.probe_answered(self._loop.time())
        self._update()

    def probe_failed(self) -> None:
        """The WebSocket that probed is gone. Idempotent."""
        if self.session.is_upgrading:
            self.session.probe_failed()
            self._update()

    def upgrade(self) -> None:
        """The WebSocket that probed becomes the transport."""
        self._interrupt_probe = None
        self.session.upgrade(self._loop.time())
        self._update()

    async def shut_down(self) -> None:
        """The ASGI server cancelled a transport of the session: ends it, and gives its hooks a moment to finish."""
        self.end(Reason.SERVER_SHUTTING_DOWN)
        await self.tasks.wait(self.session.options.shutdown_timeout / 1000)

    # The pump

    def _update(self) -> None:
        """Follows the session after anything may have changed in it: its output, its deadline, its end."""
        self._pump()
        if self._interrupt_probe is not None and not self.session.is_upgrading:
            self._interrupt_probe()
            self._interrupt_probe = None
        if self.session.is_closed:
            self._finish()
        else:
            self._arm_timer()

    def _pump(self) -> None:
        """Writes what there is, or wakes who can."""
        session, writer = self.session, self._writer
        while writer is not None and not writer.is_blocked and (packet := session.next_packet()) is not None:
            writer.write(packet)
        if self._poll is not None and session.poll_ready:
            self._poll()
            self._poll = None
        if self._drained is not None and not (session.is_open and session.is_congested):
            release(self._drained)
            self._drained = None

    on_writable = _update  # the WebSocket took what it did not take at once

    def on_write_failed(self, error: BaseException | None) -> None:
        """The WebSocket takes nothing any more."""
        self._write_error = error
        self.end(Reason.TRANSPORT_CLOSE if error is None else Reason.TRANSPORT_ERROR)

    def _arm_timer(self) -> None:
        deadline = self.session.deadline
        if deadline == self._armed_for:
            return  # most updates move no deadline
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._on_timer)
        self._armed_for = deadline

    def _on_timer(self) -> None:
        now, due = self._loop.time(), self._armed_for
        self._timer = self._armed_for = None
        if due:  # 0: a ping that goes out of turn
            standstill.watch.timer_ran(now - due)
        self.session.handle_timeout(now)
        self._update()

    def _finish(self) -> None:
        """The one door out: whatever ended the session comes through here, once."""
        if self._finished:
            return
        self._finished = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._armed_for = None
        if self._reading is not None:
            release(self._reading)
            self._reading = None
        for interrupt in filter(None, (self._interrupt, self._interrupt_post)):
            interrupt()
        # Last, the application: whatever its hook does, it finds everything undone.
        self._registry.remove(self, lingers=True)
        reason = self.session.reason
        assert reason is not None
        upgrades.watch.session_ended(self.session, self._loop.time() - self._opened_at)
        logger.debug("Session of %s closed: %s", self.scope.get("client"), reason)
        try:
            self._app.on_disconnect(self, reason)
        finally:
            # Clients that come and go must not leave more behind than there are places.
            self.tasks.end_session(lambda: self._registry.release(self))
