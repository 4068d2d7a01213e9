"""One Engine.IO session without its I/O: how it opens, what it reads, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sio.engineio.protocol.options import EngineIOOptions
from sio.engineio.protocol.session import EngineIOSession
from sio.engineio.protocol.state import CloseReason, Transport
from sio.exceptions import EngineIOParseError
from tests.unit.engineio.protocol.session_helpers import (
    CLOSE,
    MESSAGE,
    Start,
    assert_open,
    assert_over,
    both_transports,
    emit,
    polling,
    upgrading,
    websocket,
    written,
)


class TestOpenPacket:
    """Protocol section "Handshake"."""

    @pytest.mark.parametrize(
        ("transport", "transports", "upgrades"),
        [
            (Transport.POLLING, ("polling", "websocket"), ["websocket"]),
            (Transport.POLLING, ("polling",), []),
            (Transport.WEBSOCKET, ("polling", "websocket"), []),
        ],
    )
    def test_open_packet_comes_first(self, transport: Transport, transports: Any, upgrades: list[str]) -> None:
        session = EngineIOSession("a-sid", transport, EngineIOOptions(300, 200, 1_000, transports=transports), 0)
        packet = session.next_packet()
        assert packet is not None
        assert str(packet.data)[0] == "0"
        expected = {"sid": "a-sid", "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000}
        assert list(json.loads(packet.data[1:]).items()) == list(expected.items())

    def test_open_packet_is_compact(self) -> None:
        session = EngineIOSession("x", Transport.WEBSOCKET, EngineIOOptions(), 0)
        assert written(session) == [
            '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
        ]

    @pytest.mark.parametrize("transport", Transport)
    def test_session_starts_on_the_transport_of_its_handshake(self, transport: Transport) -> None:
        session = EngineIOSession("x", transport, EngineIOOptions(), 0)
        assert session.transport is transport
        assert_open(session)


class TestReceiving:
    """What the client sends; items 14 and 15 of the semantics, bad inputs 29, 30 and 35."""

    @pytest.mark.parametrize(
        ("frame", "data"), [("4", ""), ("4hello", "hello"), ("4€", "€"), (b"", b""), (b"4", b"4"), ("bAAEC", b"\0\1\2")]
    )
    @pytest.mark.parametrize("now", [1, 26])
    def test_message_is_returned(self, frame: str | bytes, data: str | bytes, now: int) -> None:
        """With a ping outstanding as without."""
        session = websocket()
        session.handle_timeout(now)
        assert session.receive_frame(frame, now) == data

    @pytest.mark.parametrize("frame", ["0", '0{"sid":"x"}', "5", "6", "3", "3probe", "6x"])
    @both_transports
    def test_session_ignores_packet_out_of_place(self, start: Start, frame: str) -> None:
        session = start()
        assert session.receive_frame(frame, 1) is None
        assert_open(session)
        assert session.next_packet() is None

    @pytest.mark.parametrize("frame", ["", "x", "9", "7hello", "B"])
    @pytest.mark.parametrize("now", [1, 26])
    def test_malformed_frame_raises(self, frame: str, now: int) -> None:
        session = websocket()
        session.handle_timeout(now)
        with pytest.raises(EngineIOParseError):
            session.receive_frame(frame, now)

    @both_transports
    def test_close_packet_ends_the_session(self, start: Start) -> None:
        session = start()
        session.receive_frame("1", 1)
        assert_over(session, CloseReason.TRANSPORT_CLOSE)

    @pytest.mark.parametrize("end", [EngineIOSession.close, EngineIOSession.end], ids=["closing", "closed"])
    def test_message_to_a_session_that_closes_is_dropped(self, end: Callable[..., None]) -> None:
        session = polling()
        end(session, CloseReason.FORCED_CLOSE, **({"now": 1} if end is EngineIOSession.close else {}))
        assert session.receive_frame("4hello", 2) is None
        assert session.receive(MESSAGE, 2) is None


class TestEnd:
    """Whatever ends a session, it ends once."""

    @pytest.mark.parametrize("reason", CloseReason)
    @both_transports
    def test_reason_is_kept(self, start: Start, reason: CloseReason) -> None:
        session = start()
        session.end(reason)
        assert_over(session, reason)

    @both_transports
    def test_first_reason_stays(self, start: Start) -> None:
        session = start()
        session.end(CloseReason.PARSE_ERROR)
        session.end(CloseReason.TRANSPORT_CLOSE, discard=True)
        session.receive(CLOSE, 1)
        session.handle_timeout(1_000)
        assert_over(session, CloseReason.PARSE_ERROR)

    @both_transports
    def test_buffer_is_freed(self, start: Start) -> None:
        session = start(max_buffered_packets=4)
        emit(session, "a", "b", "c")
        session.end(CloseReason.TRANSPORT_CLOSE)
        assert session.next_packet() is None
        assert not session.is_congested

    def test_what_is_sent_after_it_is_dropped(self) -> None:
        session = websocket()
        session.end(CloseReason.TRANSPORT_CLOSE)
        assert emit(session, "late")
        assert session.next_packet() is None

    def test_transport_stays_known(self) -> None:
        session = websocket()
        session.end(CloseReason.TRANSPORT_CLOSE)
        assert session.transport is Transport.WEBSOCKET


class TestDeadline:
    """`handle_timeout` may be called at any time."""

    @pytest.mark.parametrize("start", [polling, websocket, upgrading])
    def test_early_call_does_nothing(self, start: Start) -> None:
        session = start()
        deadline = session.deadline
        session.handle_timeout(0.05)
        assert session.deadline == deadline
        assert session.next_packet() is None

    def test_upgrade_and_noop_can_be_due_together(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(10)
        assert not session.poll_ready
        assert session.deadline == 25

    def test_end_by_one_timer_leaves_the_others_undone(self) -> None:
        session = polling(upgrade_timeout=20_000)
        session.handle_timeout(25)
        session.probe(25)
        session.probe_answered(25)
        session.handle_timeout(45)
        assert_over(session, CloseReason.PING_TIMEOUT)
