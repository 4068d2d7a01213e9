"""What a session buffers for its client, and what it makes of a client that takes nothing."""

from __future__ import annotations

import pytest

from sio.engineio.protocol.packets import EncodedPacket
from sio.engineio.protocol.session import EngineIOSession
from sio.engineio.protocol.state import CloseReason
from tests.unit.engineio.protocol.session_helpers import (
    PONG,
    Start,
    assert_open,
    assert_over,
    emit,
    ping_if_needed,
    poll,
    polling,
    upgrading,
    websocket,
    written,
)


class TestBuffer:
    """The buffer is bounded in packets and bytes; a unit is taken as a whole or not at all."""

    def test_packets_over_the_bound_are_refused(self) -> None:
        session = websocket(max_buffered_packets=3)
        assert emit(session, "a", "b", "c")
        assert not emit(session, "d")
        assert written(session) == ["4a", "4b", "4c"]

    def test_bytes_over_the_bound_are_refused(self) -> None:
        session = websocket(max_buffered_bytes=10)
        assert emit(session, "1234")
        assert not emit(session, "12345")
        assert emit(session, "1234")
        assert written(session) == ["41234", "41234"]

    @pytest.mark.parametrize("options", [{"max_buffered_packets": 3}, {"max_buffered_bytes": 6}])
    def test_unit_that_does_not_fit_is_refused_as_a_whole(self, options: dict[str, int]) -> None:
        session = websocket(**options)
        emit(session, "a", "b")
        assert not emit(session, "c", "d")
        assert written(session) == ["4a", "4b"]

    @pytest.mark.parametrize("options", [{"max_buffered_packets": 1}, {"max_buffered_bytes": 1}])
    def test_unit_of_any_size_fits_into_an_empty_buffer(self, options: dict[str, int]) -> None:
        session = websocket(**options)
        assert emit(session, "header", b"attachment")
        assert not emit(session, "more")
        assert written(session) == ["4header", b"attachment"]

    def test_client_that_takes_its_packets_makes_room(self) -> None:
        session = websocket(max_buffered_packets=2, max_buffered_bytes=20)
        for number in range(100):
            assert emit(session, f"{number:08}", b"x")
            assert written(session) == [f"4{number:08}", b"x"]

    def test_session_is_congested_when_more_than_half_full(self) -> None:
        session = websocket(max_buffered_packets=4, max_buffered_bytes=100)
        emit(session, "a", "b")
        assert not session.is_congested
        emit(session, "c")
        assert session.is_congested
        session.next_packet()
        assert not session.is_congested

    def test_bytes_congest_a_session_too(self) -> None:
        session = websocket(max_buffered_bytes=100)
        emit(session, "x" * 49)
        assert not session.is_congested
        emit(session, "")
        assert session.is_congested

    def test_shared_packet_is_not_copied(self) -> None:
        packet = EncodedPacket.message("to all")
        sessions = [websocket(), websocket()]
        for session in sessions:
            session.send([packet])
        assert all(session.next_packet() is packet for session in sessions)


class TestUnconfirmedBytes:
    """What was sent on a WebSocket is not yet received. A pong shows that it is; a client that takes nothing (bad input
    76) sends none.

    The open packet and a message of half a buffer are a little more than half a buffer.
    """

    HALF = "x" * 4_999

    def slow(self) -> EngineIOSession:
        """Returns a session that was sent half a buffer, a ping and more than a whole buffer, none of it confirmed."""
        session = websocket(max_buffered_bytes=10_000)
        for _ in range(4):
            emit(session, self.HALF)
            written(session)
            ping_if_needed(session, 1)
        return session

    def test_ping_is_due_at_once_after_half_a_buffer(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        emit(session, self.HALF)
        assert not session.needs_ping
        session.next_packet()
        assert session.needs_ping
        session.ping(1)
        assert not session.needs_ping
        assert written(session) == ["2"]
        assert session.deadline == 21

    def test_ping_goes_before_what_waits(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        emit(session, self.HALF, "a", "b")
        session.next_packet()
        session.ping(1)
        assert written(session) == ["2", "4a", "4b"]

    def test_only_one_ping_is_outstanding(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        session.handle_timeout(25)
        emit(session, self.HALF)
        written(session)
        assert not session.needs_ping
        assert session.deadline == 45

    def test_nothing_leaves_after_a_whole_buffer_that_follows_a_ping(self) -> None:
        session = self.slow()
        emit(session, "waits")
        assert session.next_packet() is None
        assert_open(session)

    def test_pong_lets_the_rest_go(self) -> None:
        session = self.slow()
        emit(session, "a", "b")
        session.receive(PONG, 2)
        assert written(session) == ["4a", "4b"]

    def test_buffer_of_a_client_that_does_not_read_fills(self) -> None:
        session = self.slow()
        accepted = [emit(session, self.HALF) for _ in range(4)]
        assert accepted == [True, True, False, False]
        assert session.is_congested

    def test_client_that_does_not_read_is_gone_at_the_timeout(self) -> None:
        session = self.slow()
        session.handle_timeout(21)
        assert_over(session, CloseReason.PING_TIMEOUT)

    def test_client_that_reads_is_sent_any_amount(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        for now in range(100):
            assert emit(session, self.HALF)
            packets = written(session)
            session.handle_timeout(now)
            ping_if_needed(session, now)
            packets += written(session)
            assert packets.count("4" + self.HALF) == 1
            if "2" in packets:
                session.receive(PONG, now)
        assert_open(session)

    def test_rest_of_a_closing_session_goes_without_a_pong(self) -> None:
        session = self.slow()
        emit(session, "the last one")
        session.close(CloseReason.FORCED_CLOSE, 2)
        assert written(session) == ["4the last one"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_closing_session_asks_for_no_pong(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        emit(session, self.HALF, "a")
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert written(session) == ["4" + self.HALF, "4a"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_polling_client_shows_that_it_reads_by_polling(self) -> None:
        session = polling(max_buffered_bytes=10_000)
        for _ in range(100):
            assert emit(session, self.HALF)
            assert poll(session) == ["4" + self.HALF]
        assert session.deadline == 25


class TestWritable:
    """Whether a packet would leave at once, and may pass by the buffer."""

    @pytest.mark.parametrize(
        ("start", "is_writable", "is_direct"),
        [(websocket, True, True), (polling, False, False), (upgrading, False, False)],
    )
    def test_idle_session(self, start: Start, is_writable: bool, is_direct: bool) -> None:
        session = start()
        assert session.is_writable is is_writable
        assert session.send_directly(EncodedPacket.message("a")) is is_direct
        assert session.next_packet() is None

    def test_waiting_poll_takes_a_packet_at_once(self) -> None:
        session = polling()
        session.open_poll()
        assert session.is_writable
        emit(session, "a")
        assert not session.is_writable

    def test_websocket_takes_nothing_at_once_while_packets_wait(self) -> None:
        session = websocket()
        emit(session, "a")
        assert not session.is_writable
        assert not session.send_directly(EncodedPacket.message("b"))
        assert written(session) == ["4a"]
        assert session.is_writable

    def test_upgraded_session_sends_directly(self) -> None:
        session = upgrading()
        session.upgrade(1)
        assert session.send_directly(EncodedPacket.message("a"))

    @pytest.mark.parametrize("start", [polling, websocket])
    def test_session_that_closes_or_is_over_sends_nothing_directly(self, start: Start) -> None:
        session = start()
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert not session.is_writable
        assert not session.send_directly(EncodedPacket.message("a"))
        session.end(CloseReason.FORCED_CLOSE)
        assert not session.is_writable
        assert not session.send_directly(EncodedPacket.message("a"))
