"""`EngineIOSocket`: what an application may do with a session, without any request."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import pytest

from sio.engineio import CloseReason, EngineIOOptions, EngineIOServer, EngineIOSocket
from sio.engineio.protocol.packets import EncodedPacket
from sio.engineio.protocol.state import Transport

from .applications import Recorder, open_session
from .clients import turns


class Session:
    """A session on polling, its client and its application."""

    def __init__(self, transport: Transport = Transport.POLLING, **options: Any) -> None:
        self.app = Recorder()
        self.server = EngineIOServer(lambda: EngineIOOptions(**options), self.app)
        self.scope: dict[str, Any] = {"type": "http", "client": None}
        self.connection = open_session(self.server, transport, self.scope)
        self.socket: EngineIOSocket = self.connection.socket

    def take(self) -> list[str]:
        """Takes what a poll is answered with."""
        assert self.connection.open_poll()
        return self.connection.take_payload().decode().split("\x1e")


class TestIdentity:
    async def test_sid_and_scope_are_those_of_the_handshake(self) -> None:
        session = Session()
        assert session.server.registry.get(session.socket.sid) is session.connection
        assert session.socket.scope is session.scope

    @pytest.mark.parametrize("transport", list(Transport))
    async def test_transport_is_where_the_session_is(self, transport: Transport) -> None:
        assert Session(transport).socket.transport is transport

    async def test_transport_follows_the_upgrade(self) -> None:
        session = Session()
        session.connection.probe()
        assert session.socket.transport is Transport.POLLING
        session.connection.upgrade()
        assert session.socket.transport is Transport.WEBSOCKET

    async def test_application_may_keep_weak_references_and_attributes(self) -> None:
        socket = Session().socket
        socket.name = "alice"  # type: ignore[attr-defined]
        assert [known.name for known in weakref.WeakSet([socket])] == ["alice"]  # type: ignore[attr-defined]


class TestSend:
    async def test_messages_stay_next_to_one_another(self) -> None:
        session = Session()
        session.socket.send("a", b"\x00", "b")
        assert session.take()[1:] == ["4a", "bAA==", "4b"]

    async def test_messages_after_the_close_are_dropped(self) -> None:
        session = Session()
        session.socket.send("in time")
        session.socket.close()
        session.socket.send("too late")
        assert session.take()[1:] == ["4in time"]

    async def test_packets_may_be_shared(self) -> None:
        packets = [EncodedPacket.message("shared")]
        sessions = [Session(), Session()]
        assert all(session.socket.send_packets(packets) for session in sessions)
        assert [session.take()[1:] for session in sessions] == [["4shared"]] * 2

    async def test_volatile_packets_need_a_client_that_is_ready(self) -> None:
        session = Session()
        session.take()
        packets = [EncodedPacket.message("now or never")]
        assert session.socket.send_packets(packets, volatile=True) is False
        assert session.connection.open_poll()
        assert session.socket.send_packets(packets, volatile=True) is True
        assert session.connection.take_payload() == b"4now or never"

    async def test_client_that_leaves_its_buffer_full_is_cut_off(self, caplog: pytest.LogCaptureFixture) -> None:
        session = Session(max_buffered_packets=3)
        session.socket.send("1")
        session.socket.send("2", "3")
        assert session.app.reasons == [CloseReason.TRANSPORT_ERROR]
        assert session.server.slow_consumers == 1
        assert caplog.messages == ["Cut the slow consumer None: its buffer of packets is full"]


class TestDrain:
    async def test_returns_at_once_unless_the_client_lags_behind(self) -> None:
        session = Session(max_buffered_packets=10)
        session.socket.send(*"1234")
        assert not session.socket.is_congested
        await session.socket.drain()

    @pytest.mark.parametrize(
        "release",
        [Session.take, lambda session: session.socket.close(), lambda session: session.socket.end("ping timeout")],
        ids=["taken", "closed", "ended"],
    )
    async def test_waits_until_there_is_nothing_to_wait_for(self, release: Any) -> None:
        session = Session(max_buffered_packets=10)
        session.socket.send(*"12345")
        assert session.socket.is_congested
        drained = [asyncio.ensure_future(session.socket.drain()) for _ in range(3)]
        await turns()
        assert not any(task.done() for task in drained)
        release(session)
        await asyncio.gather(*drained)
        assert not session.socket.is_congested


class TestEnd:
    async def test_close_delivers_what_is_buffered_first(self) -> None:
        session = Session()
        session.socket.send("last")
        session.socket.close()
        assert (session.socket.is_open, session.app.reasons) == (False, [])
        assert session.take()[1:] == ["4last"]
        assert session.take() == ["6", "1"]
        assert session.app.reasons == [CloseReason.FORCED_CLOSE]

    @pytest.mark.parametrize("reason", list(CloseReason))
    async def test_close_and_end_have_the_reason_that_came_first(self, reason: CloseReason) -> None:
        for end in (EngineIOSocket.close, EngineIOSocket.end):
            session = Session(Transport.WEBSOCKET)
            end(session.socket, reason)
            session.socket.close(CloseReason.PARSE_ERROR)
            session.connection.attach(_take, lambda: None)
            session.socket.end(CloseReason.PARSE_ERROR)
            assert session.app.reasons == [reason]

    @pytest.mark.parametrize(("discard", "last"), [(False, ["4last", "1"]), (True, ["1"])])
    async def test_end_answers_the_poll_that_waits(self, discard: bool, last: list[str]) -> None:
        session = Session()
        session.take()
        assert session.connection.open_poll()
        session.socket.send("last")
        session.socket.end(CloseReason.FORCED_CLOSE, discard=discard)
        assert session.app.reasons == [CloseReason.FORCED_CLOSE]
        assert session.connection.take_payload().decode().split("\x1e") == last

    async def test_tasks_outlive_the_session(self) -> None:
        session = Session()
        may_end = asyncio.Event()
        task = session.socket.create_task(may_end.wait())
        session.socket.end(CloseReason.FORCED_CLOSE)
        assert session.server.unfinished == {task}
        may_end.set()
        await task
        await turns()
        assert session.server.unfinished == set()


class TestReading:
    async def test_is_paused_and_resumed(self) -> None:
        socket = Session().socket
        states = [socket.is_paused]
        for call in (socket.pause_reading, socket.pause_reading, socket.resume_reading, socket.resume_reading):
            call()
            states.append(socket.is_paused)
        assert states == [False, True, True, False, False]

    async def test_cannot_be_paused_after_the_end(self) -> None:
        session = Session()
        session.socket.pause_reading()
        session.socket.end(CloseReason.FORCED_CLOSE)
        assert not session.socket.is_paused
        session.socket.pause_reading()
        assert not session.socket.is_paused

    async def test_client_that_is_not_read_owes_no_pong(self) -> None:
        session = Session(ping_interval=1_000, ping_timeout=1_000)
        session.take()
        session.socket.pause_reading()
        await asyncio.sleep(1.5)
        assert session.take() == ["2"]
        await asyncio.sleep(10)
        assert session.socket.is_open
        session.socket.resume_reading()
        await asyncio.sleep(1.5)
        assert session.app.reasons == [CloseReason.PING_TIMEOUT]


async def _take(message: Any) -> None:
    """The `send` of a WebSocket that takes everything."""
