"""`EngineIOConnection`: the I/O of one session. The transports drive it, and it pumps what the application sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from time import perf_counter
from typing import Any, Protocol

from ..aio.tasks import OwnedTasks
from ..exceptions import EngineIOParseError
from .admission import Admission
from .application import EngineIOApplication
from .asgi import Send
from .backpressure import Backpressure
from .flow import Flow
from .lag import LagWatch
from .log import Log
from .protocol.options import EngineIOOptions
from .protocol.packets import EncodedPacket, Packet, encode_payload
from .protocol.session import EngineIOSession
from .protocol.state import CloseReason, Transport
from .registry import SessionRegistry
from .socket import EngineIOSocket
from .turns import TURN_BYTES, LongPackets
from .upgrades import UpgradeWatch
from .writer import Writer


class SessionHost(Protocol):
    """What a connection asks of its server."""

    app: EngineIOApplication
    registry: SessionRegistry[EngineIOConnection]
    admission: Admission
    unfinished: set[asyncio.Task[Any]]
    slow_consumers: int
    lag: LagWatch
    upgrades: UpgradeWatch
    long_packets: LongPackets


class EngineIOConnection:
    """One session with its event loop, for the transports. `socket` is what the application sees of it.

    An `interrupt` ends what a transport waits for: it is called when that has happened, or when the session is over.
    """

    def __init__(
        self, server: SessionHost, transport: Transport, options: EngineIOOptions, scope: MutableMapping[str, Any]
    ) -> None:
        self._server = server
        self._app = server.app
        self._loop = asyncio.get_running_loop()
        self._opened_at = now = self._loop.time()
        self.session = EngineIOSession(server.registry.new_sid(), transport, options, now)
        self.sid = self.session.sid
        self.scope = scope
        self.tasks = OwnedTasks(server.unfinished)
        self.flow = Flow(self.session, server.long_packets, self._loop)
        self.backpressure = Backpressure(self.session)
        self._timer: asyncio.Handle | None = None
        #: The deadline that the timer is for. The handle need not know: uvloop gives one without `when` if it is past.
        self._armed_for: float | None = None
        self._is_finished = False
        #: What writes to the WebSocket that carries the session.
        self._writer: Writer | None = None
        #: What middleware raised there.
        self._write_error: BaseException | None = None
        #: Interrupts the WebSocket that carries the session.
        self._interrupt_websocket: Callable[[], None] | None = None
        #: Interrupts the WebSocket that probes.
        self._interrupt_probe: Callable[[], None] | None = None
        #: Interrupts the GET that waits.
        self._interrupt_poll: Callable[[], None] | None = None
        #: Interrupts the POST whose body is read.
        self._interrupt_post: Callable[[], None] | None = None
        #: Whether a POST is under way.
        self.post_open = False
        self.socket = EngineIOSocket(self, scope)

    def open(self) -> None:
        """Makes the session known. To be called once, before the handshake is answered."""
        self._server.admission.open(self)  # first: the application may establish the session at once
        self._app.on_connect(self.socket)  # before it is known: no message can come before the application is ready
        if self.session.is_closed:
            return  # the application ended it
        self._server.registry.add(self)
        Log.SESSION_OPENED.log(self.scope.get("client"), self.session.transport)
        self._update()

    def abandon(self) -> None:
        """The session could not open: frees its place. The connection and its socket would else keep one another."""
        self._server.admission.release(self)
        del self.socket

    # What the socket uses

    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool:
        """`EngineIOSocket.send_packets`."""
        session, writer = self.session, self._writer
        if writer is not None and not writer.is_blocked and len(packets) == 1 and session.send_directly(packets[0]):
            # The fast path: a WebSocket whose client keeps up. Nothing is queued, woken or scheduled.
            writer.write(packets[0])
            return True
        if volatile and (not session.is_writable or (writer is not None and writer.is_blocked)):
            return False
        if not session.send(packets):
            self._server.slow_consumers += 1
            self.end(self.backpressure.cut(self.scope.get("client")))
            return True
        self._pump()
        if session.needs_ping:
            # At once, and not when the loop turns: an application that never waits would have sent everything before.
            self._ping()
        return True

    def establish(self) -> None:
        """`EngineIOSocket.establish`."""
        self._server.admission.establish(self)

    def close(self, reason: CloseReason = CloseReason.FORCED_CLOSE) -> None:
        """`EngineIOSocket.close`."""
        self.session.close(reason, self._loop.time())
        self._update()

    def end(self, reason: CloseReason, *, discard: bool = False) -> None:
        """`EngineIOSocket.end`."""
        self.session.end(reason, discard=discard)
        self._update()

    def pause_reading(self) -> None:
        """`EngineIOSocket.pause_reading`."""
        if not self._is_finished:
            self.flow.pause()
            self._update()

    def resume_reading(self) -> None:
        """`EngineIOSocket.resume_reading`."""
        if self.flow.is_paused:
            self.flow.resume()
            self._update()

    # Reading

    async def wait_for_long_packet(self) -> None:
        """Waits until a packet may be handled that may take long."""
        if not self._server.long_packets.are_due:
            try:
                await self.flow.wait_for_long_packet()
            finally:
                self._update()

    def receive_frame(self, frame: str | bytes) -> float | None:
        """Takes one WebSocket frame from the client. Returns for how many seconds nothing more is to be read, if so."""
        began = perf_counter()
        try:
            self._dispatch(self.session.receive_frame(frame, self._loop.time()))
        except EngineIOParseError:
            self.end(CloseReason.PARSE_ERROR)
        return self.flow.turn.spend(len(frame), began, perf_counter())

    async def receive_packets(self, packets: Iterator[Packet]) -> bool:
        """Takes the packets of a POST. False if reading was paused: the rest is to be taken once it is not."""
        try:
            for packet in packets:
                if len(packet.data) > TURN_BYTES:
                    await self.wait_for_long_packet()
                began = perf_counter()
                self._dispatch(self.session.receive(packet, self._loop.time()))
                pause = self.flow.turn.spend(len(packet.data), began, perf_counter())
                if self.flow.is_paused:
                    return False
                if pause is not None:
                    await asyncio.sleep(pause)
                if not self.session.is_open:
                    return True
        except EngineIOParseError:
            self.end(CloseReason.PARSE_ERROR)
        return True

    def _dispatch(self, data: str | bytes | None) -> None:
        if data is None:
            self._update()  # a control packet may have moved timers or ended the session
        else:
            self._app.on_message(self.socket, data)

    def when_finished(self, interrupt: Callable[[], None]) -> None:
        """Interrupts the reading of a POST's body at the end of the session."""
        self._interrupt_post = interrupt

    # Polling

    def open_poll(self) -> bool:
        """Registers a GET. False if another one waits, which is answered with the end of the session."""
        opened = self.session.open_poll()
        self._update()
        return opened

    def when_poll_ready(self, interrupt: Callable[[], None]) -> None:
        """Interrupts the GET, which cannot be answered yet, when it can."""
        self._interrupt_poll = interrupt

    def take_payload(self) -> bytes:
        """Takes the body that answers the GET. Only when it can be answered."""
        payload = encode_payload(self.session.take_payload())
        self._update()
        return payload

    # WebSocket and upgrade

    def attach(self, send: Send, interrupt: Callable[[], None]) -> None:
        """A WebSocket carries the session from now on. It is interrupted at the end of the session."""
        self._writer = Writer(send, self, self.session.options.max_payload)
        self._interrupt_websocket = interrupt
        self._update()
        if self._is_finished:
            interrupt()

    def detach(self) -> BaseException | None:
        """The WebSocket carries nothing any more. Returns what middleware raised when it was written to."""
        if self._writer is not None:
            self._writer.cancel()
        self._writer = None
        error, self._write_error = self._write_error, None
        return error

    def probe(self) -> None:
        """A WebSocket came for this session. Raises InvalidTransition if it may not have one."""
        self.session.probe(self._loop.time())
        self._update()

    def when_probe_failed(self, interrupt: Callable[[], None]) -> None:
        """Interrupts the WebSocket that probes when the time for it is up, or the session over."""
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

    async def end_and_wait(self) -> None:
        """The ASGI server cancelled a transport of the session: ends it, and gives its hooks a moment to finish."""
        self.end(CloseReason.SERVER_SHUTTING_DOWN)
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
        elif self.session.needs_ping:
            self._ping()
        else:
            self._arm_timer()

    on_writable = _update  # the WebSocket took what it did not take at once

    def on_write_failed(self, error: BaseException | None) -> None:
        """The WebSocket takes nothing any more."""
        self._write_error = error
        self.end(CloseReason.TRANSPORT_CLOSE if error is None else CloseReason.TRANSPORT_ERROR)

    def _pump(self) -> None:
        """Writes what there is, or wakes what can."""
        session, writer = self.session, self._writer
        while writer is not None and not writer.is_blocked and (packet := session.next_packet()) is not None:
            writer.write(packet)
        if self._interrupt_poll is not None and session.poll_ready:
            self._interrupt_poll()
            self._interrupt_poll = None
        if self.backpressure.drained is not None:  # asked here, since mostly nobody waits
            self.backpressure.update()

    def _ping(self) -> None:
        self.session.ping(self._loop.time())
        self._update()

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
        assert due is not None
        self._server.lag.timer_ran(now - due)
        self.session.handle_timeout(now)
        self._update()

    def _finish(self) -> None:
        """The one door out: whatever ended the session comes through here, once."""
        if self._is_finished:
            return
        self._is_finished = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._armed_for = None
        self.flow.resume()
        for interrupt in filter(None, (self._interrupt_websocket, self._interrupt_post)):
            interrupt()
        self._server.registry.remove(self)
        self._server.admission.linger(self)
        reason = self.session.reason
        assert reason is not None
        self._server.upgrades.session_ended(self.session, self._loop.time() - self._opened_at)
        Log.SESSION_CLOSED.log(self.scope.get("client"), reason)
        # Each of the two would else keep the other until the garbage collector comes by.
        socket = self.socket
        del self.socket
        try:
            # Last, the application: whatever its hook does, it finds everything undone.
            self._app.on_disconnect(socket, reason)
        finally:
            # Clients that come and go must not leave more behind than there are places.
            self.tasks.end(lambda: self._server.admission.release(self))
