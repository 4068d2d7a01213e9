"""The I/O of one session: its timers, what transports wait for, what comes and goes, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.test import override_settings

from sio.engineio import CloseReason, EngineIOOptions, EngineIOServer
from sio.engineio.connection import EngineIOConnection
from sio.engineio.protocol.packets import decode_payload
from sio.engineio.protocol.state import Transport
from sio.engineio.turns import TURN_BYTES, LongPackets
from sio.exceptions import InvalidTransition, Unavailable
from tests.asgi import APP, Poller, WebSocket
from tests.sessions import sessions
from tests.unit.engineio.applications import Recorder, open_session
from tests.unit.engineio.clients import turns

FAST_HEARTBEAT = override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=30, SIO_ENGINEIO_PING_TIMEOUT_MS=20)


class TestHeartbeat:
    @FAST_HEARTBEAT
    async def test_silent_websocket_is_closed(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        await client.open()
        assert await client.receive() == "2"
        await client.closed()
        assert recorder.reasons == [CloseReason.PING_TIMEOUT]

    @FAST_HEARTBEAT
    async def test_poll_is_pinged_and_closed(self, recorder: Recorder) -> None:
        client = Poller(APP)
        await client.open()
        assert (await client.get()).text == "2"
        assert (await client.get()).text == "1"
        assert recorder.reasons == [CloseReason.PING_TIMEOUT]

    @FAST_HEARTBEAT
    async def test_client_that_never_polls_is_removed(self, recorder: Recorder) -> None:
        await Poller(APP).open()
        while not recorder.reasons:
            await asyncio.sleep(0.005)
        assert (recorder.reasons, len(sessions)) == ([CloseReason.PING_TIMEOUT], 0)

    @override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=20, SIO_ENGINEIO_PING_TIMEOUT_MS=1000)
    async def test_pongs_keep_the_session(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        await client.open()
        for _ in range(4):
            assert await client.receive() == "2"
            client.send("3")
        assert recorder.reasons == []
        client.disconnect()
        await client.finished()


class Interrupt:
    """What a transport waits with: counts how often it is called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class Connected:
    """A connection without a transport, and its application."""

    def __init__(self, transport: Transport = Transport.POLLING, **options: Any) -> None:
        self.app = Recorder()
        self.server = EngineIOServer(lambda: EngineIOOptions(**options), self.app)
        self.server.long_packets = LongPackets(asyncio.get_running_loop().time)
        self.connection = open_session(self.server, transport)
        self.sent: list[Any] = []
        self.interrupt = Interrupt()

    async def send(self, message: Any) -> None:
        """The `send` of a WebSocket that takes everything."""
        self.sent.append(message.get("text"))

    def attach(self, send: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self.connection.attach(send or self.send, self.interrupt)


class TestInterrupt:
    """An interrupt ends what a transport waits for: that has happened, or the session is over."""

    async def test_poll_is_interrupted_when_it_can_be_answered(self) -> None:
        connected = Connected()
        connection = connected.connection
        assert connection.open_poll()
        connection.take_payload()
        assert connection.open_poll()
        connection.when_poll_ready(connected.interrupt)
        assert connected.interrupt.count == 0
        connected.app.socket.send("a")
        connected.app.socket.send("b")
        assert connected.interrupt.count == 1
        assert connection.take_payload() == b"4a\x1e4b"

    async def test_poll_is_interrupted_at_the_end(self) -> None:
        connected = Connected()
        connected.connection.open_poll()
        connected.connection.take_payload()
        connected.connection.open_poll()
        connected.connection.when_poll_ready(connected.interrupt)
        connected.connection.end(CloseReason.FORCED_CLOSE)
        assert (connected.interrupt.count, connected.connection.take_payload()) == (1, b"1")

    async def test_reading_of_a_body_is_interrupted_at_the_end(self) -> None:
        connected = Connected()
        connected.connection.when_finished(connected.interrupt)
        connected.app.socket.send("a")
        assert connected.interrupt.count == 0
        for _ in range(2):
            connected.connection.end(CloseReason.FORCED_CLOSE)
        assert connected.interrupt.count == 1

    async def test_websocket_is_interrupted_at_the_end(self) -> None:
        connected = Connected(Transport.WEBSOCKET)
        connected.attach()
        assert connected.interrupt.count == 0
        connected.connection.end(CloseReason.FORCED_CLOSE)
        assert connected.interrupt.count == 1

    async def test_websocket_of_a_session_that_is_over_is_interrupted_at_once(self) -> None:
        connected = Connected(Transport.WEBSOCKET)
        connected.connection.end(CloseReason.FORCED_CLOSE)
        connected.attach()
        assert connected.interrupt.count == 1

    @pytest.mark.parametrize(
        "fail",
        [
            EngineIOConnection.probe_failed,
            lambda connection: connection.end(CloseReason.FORCED_CLOSE),
            lambda connection: asyncio.sleep(10.1),
        ],
        ids=["gone", "over", "too late"],
    )
    async def test_probe_is_interrupted_when_it_has_failed(self, fail: Any) -> None:
        connected = Connected()
        connected.connection.probe()
        connected.connection.when_probe_failed(connected.interrupt)
        waiting = fail(connected.connection)
        if waiting is not None:
            await waiting
        assert connected.interrupt.count == 1
        with pytest.raises(InvalidTransition):
            connected.connection.upgrade()

    async def test_probe_that_became_the_transport_is_interrupted_no_more(self) -> None:
        connected, upgraded = Connected(), Interrupt()
        connected.connection.probe()
        connected.connection.when_probe_failed(upgraded)
        connected.connection.probe_answered()
        connected.connection.upgrade()
        connected.attach()
        connected.connection.end(CloseReason.FORCED_CLOSE)
        assert (upgraded.count, connected.interrupt.count) == (0, 1)


class TestWebSocket:
    async def test_gets_what_was_buffered_when_it_is_attached(self) -> None:
        connected = Connected(Transport.WEBSOCKET)
        connected.app.socket.send("a", "b")
        connected.attach()
        assert [text[0] for text in connected.sent] == ["0", "4", "4"]

    async def test_gets_nothing_after_it_was_detached(self) -> None:
        connected = Connected(Transport.WEBSOCKET)
        connected.attach()
        assert connected.connection.detach() is None
        connected.app.socket.send("a")
        assert len(connected.sent) == 1

    @pytest.mark.parametrize(
        ("error", "kept", "reason"),
        [
            (LookupError(), True, CloseReason.TRANSPORT_ERROR),
            (OSError("gone"), False, CloseReason.TRANSPORT_CLOSE),
        ],
    )
    async def test_error_of_middleware_is_kept_for_its_transport(
        self, error: Exception, kept: bool, reason: CloseReason
    ) -> None:
        async def send(message: Any) -> None:
            raise error

        connected = Connected(Transport.WEBSOCKET)
        connected.attach(send)
        assert connected.app.reasons == [reason]
        assert connected.connection.detach() is (error if kept else None)
        assert connected.connection.detach() is None


class TestReceiving:
    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            ("4hello", None),
            ("3", None),
            ("1", CloseReason.TRANSPORT_CLOSE),
            ("2", CloseReason.TRANSPORT_ERROR),
            ("x", CloseReason.PARSE_ERROR),
        ],
    )
    async def test_frame(self, frame: str, reason: CloseReason | None) -> None:
        connected = Connected(Transport.WEBSOCKET)
        connected.connection.receive_frame(frame)
        assert connected.app.messages == (["hello"] if frame == "4hello" else [])
        assert connected.app.reasons == ([] if reason is None else [reason])

    @pytest.mark.parametrize(
        ("body", "messages", "reason"),
        [
            (b"4a\x1e4b", ["a", "b"], None),
            (b"4a\x1ex\x1e4b", ["a"], CloseReason.PARSE_ERROR),
            (b"4a\x1e1\x1e4b", ["a"], CloseReason.TRANSPORT_CLOSE),
        ],
    )
    async def test_packets_of_a_post(self, body: bytes, messages: list[str], reason: CloseReason | None) -> None:
        connected = Connected()
        assert await connected.connection.receive_packets(decode_payload(body))
        assert connected.app.messages == messages
        assert connected.app.reasons == ([] if reason is None else [reason])

    @pytest.mark.parametrize("kind", ["frame", "post"])
    async def test_long_packet_waits_for_the_one_of_another_client(self, kind: str) -> None:
        """Nothing is read from the client meanwhile, so that it owes no pong."""
        loop = asyncio.get_running_loop()
        connected, text = Connected(Transport.WEBSOCKET, ping_interval=100, ping_timeout=100), "x" * TURN_BYTES
        connected.attach()
        connected.server.long_packets.took(0, 0.5)
        connection = connected.connection
        if kind == "frame":
            await connection.wait_for_long_packet()
        else:
            await connection.receive_packets(decode_payload(f"4{text}x".encode()))
        assert loop.time() == 1
        assert connected.app.reasons == []
        assert len(connected.app.messages) == (kind == "post")
        await asyncio.sleep(1)
        assert connected.app.reasons == [CloseReason.PING_TIMEOUT]

    async def test_packets_after_a_pause_are_left(self) -> None:
        class Pausing(Recorder):
            def on_message(self, socket: Any, data: str | bytes) -> None:
                super().on_message(socket, data)
                socket.pause_reading()

        app = Pausing()
        connection = open_session(EngineIOServer(app=app))
        packets = decode_payload(b"4a\x1e4b")
        found = []
        while not await connection.receive_packets(packets):
            found.append(list(app.messages))
            app.socket.resume_reading()
        assert found == [["a"], ["a", "b"]]


class TestEnd:
    async def test_application_hears_of_it_once_and_finds_everything_undone(self) -> None:
        found: list[tuple[int, bool]] = []

        class Looking(Recorder):
            def on_disconnect(self, socket: Any, reason: CloseReason) -> None:
                super().on_disconnect(socket, reason)
                found.append((len(server.registry), socket.is_open))
                socket.end(CloseReason.PARSE_ERROR)
                socket.send("nobody gets it")

        app = Looking()
        server = EngineIOServer(app=app)
        open_session(server).end(CloseReason.FORCED_CLOSE)
        assert (app.reasons, found) == ([CloseReason.FORCED_CLOSE], [(0, False)])

    async def test_place_is_free_again_when_nothing_runs_any_more(self) -> None:
        connected = Connected(max_sessions=1)
        may_end = asyncio.Event()
        connected.connection.tasks.create(may_end.wait())
        connected.connection.tasks.hold()
        connected.connection.end(CloseReason.FORCED_CLOSE)
        places = [has_place(connected.server)]
        may_end.set()
        await turns()
        places.append(has_place(connected.server))
        connected.connection.tasks.let_go()
        places.append(has_place(connected.server))
        assert places == [False, False, True]

    async def test_place_is_free_again_though_the_application_fails(self) -> None:
        class Failing(Recorder):
            def on_disconnect(self, socket: Any, reason: CloseReason) -> None:
                raise LookupError

        server = EngineIOServer(lambda: EngineIOOptions(max_sessions=1), Failing())
        connection = open_session(server)
        with pytest.raises(LookupError):
            connection.end(CloseReason.FORCED_CLOSE)
        assert has_place(server)

    async def test_end_and_wait_waits_for_the_hooks_in_time(self) -> None:
        loop = asyncio.get_running_loop()
        for seconds, waited in ((1, 1), (60, 2)):
            connected, began = Connected(), loop.time()
            task = connected.connection.tasks.create(asyncio.sleep(seconds))
            await connected.connection.end_and_wait()
            assert loop.time() - began == pytest.approx(waited)
            assert connected.app.reasons == [CloseReason.SERVER_SHUTTING_DOWN]
            task.cancel()

    async def test_timer_of_a_session_that_is_over_does_not_run(self) -> None:
        connected = Connected()
        connected.connection.end(CloseReason.FORCED_CLOSE)
        await asyncio.sleep(300)
        assert connected.app.reasons == [CloseReason.FORCED_CLOSE]


def has_place(server: EngineIOServer) -> bool:
    """Whether another session may open."""
    try:
        server.check_admission(server.options())
    except Unavailable:
        return False
    return True
