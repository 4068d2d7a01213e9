"""The heartbeat of a session: its pings, the wait for their pongs, and what extends it."""

from __future__ import annotations

import pytest

from sio.engineio.protocol.state import CloseReason
from tests.unit.engineio.protocol.session_helpers import (
    MESSAGE,
    PONG,
    Start,
    answer,
    assert_open,
    assert_over,
    both_transports,
    emit,
    poll,
    polling,
    upgrading,
    websocket,
    written,
)


class TestHeartbeat:
    """Protocol section "Heartbeat"; items 19 to 21 of the semantics, bad inputs 26 to 28."""

    @both_transports
    def test_server_pings_after_the_interval(self, start: Start) -> None:
        session = start()
        assert session.deadline == 25
        session.handle_timeout(24.9)
        assert session.next_packet() is None
        session.handle_timeout(25)
        assert written(session) == ["2"]

    def test_interval_and_timeout_are_milliseconds(self) -> None:
        session = websocket(ping_interval=500, ping_timeout=250)
        assert session.deadline == 0.5
        session.handle_timeout(0.5)
        assert session.deadline == 0.75

    @both_transports
    def test_session_ends_without_pong(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.handle_timeout(44.9)
        assert_open(session)
        session.handle_timeout(45)
        assert_over(session, CloseReason.PING_TIMEOUT)

    def test_vanished_poller_ends_without_any_request(self) -> None:
        """Seed defect D5: nothing but time passes."""
        session = polling()
        while session.deadline is not None:
            now = session.deadline
            session.handle_timeout(now)
        assert now == 45
        assert_over(session, CloseReason.PING_TIMEOUT)

    @both_transports
    def test_pong_restarts_the_interval(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.receive(PONG, 31)
        assert session.deadline == 31 + 25
        session.handle_timeout(56)
        assert written(session) == ["2", "2"]

    @both_transports
    def test_client_that_answers_stays(self, start: Start) -> None:
        """Seed defect D1: the period is the interval and the round trip, not interval and timeout."""
        session, pings = start(), []
        for _ in range(10):
            pings.append(session.deadline)
            session.handle_timeout(pings[-1])
            session.receive_frame("3", pings[-1] + 1)
        assert pings == [25 + 26 * number for number in range(10)]
        assert_open(session)

    def test_late_timer_gives_the_pong_its_full_time(self) -> None:
        session = websocket()
        session.handle_timeout(100)
        assert session.deadline == 120

    def test_only_one_ping_is_outstanding(self) -> None:
        session = polling()
        session.handle_timeout(25)
        for now in range(25, 45):
            session.handle_timeout(now)
        assert poll(session) == ["2"]

    def test_time_for_the_pong_starts_when_the_ping_is_queued(self) -> None:
        session = polling()
        session.handle_timeout(25)
        session.open_poll()
        assert answer(session) == ["2"]
        assert session.deadline == 45

    def test_ping_answers_a_waiting_poll(self) -> None:
        session = polling()
        session.open_poll()
        assert not session.poll_ready
        session.handle_timeout(25)
        assert answer(session) == ["2"]

    @both_transports
    def test_unsolicited_pongs_start_nothing(self, start: Start) -> None:
        session = start()
        for _ in range(10_000):
            session.receive(PONG, 10)
        assert session.deadline == 25
        session.handle_timeout(25)
        assert written(session) == ["2"]

    def test_second_pong_starts_nothing(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.receive(PONG, 26)
        session.receive(PONG, 40)
        assert session.deadline == 26 + 25

    @pytest.mark.parametrize("frame", ["4hello", b"hello", "bAAEC", "6", "0", "5"])
    def test_packet_extends_the_wait_for_a_pong_once(self, frame: str | bytes) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.receive_frame(frame, 40)
        assert session.deadline == 60
        session.receive_frame(frame, 50)
        assert session.deadline == 60
        session.handle_timeout(60)
        assert_over(session, CloseReason.PING_TIMEOUT)

    def test_wait_for_the_next_pong_is_extended_again(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.receive(MESSAGE, 30)
        session.receive(PONG, 35)
        session.handle_timeout(60)
        session.receive(MESSAGE, 70)
        assert session.deadline == 90

    def test_packet_before_the_ping_extends_nothing(self) -> None:
        session = websocket()
        session.receive(MESSAGE, 20)
        session.handle_timeout(25)
        assert session.deadline == 45

    @both_transports
    def test_ping_of_the_client_ends_the_session(self, start: Start) -> None:
        """ "invalid heartbeat direction"."""
        session = start()
        session.receive_frame("2", 1)
        assert_over(session, CloseReason.TRANSPORT_ERROR)

    def test_full_buffer_does_not_swallow_the_ping(self) -> None:
        """Exactly one ping per interval: a client that takes its packets in time can answer it."""
        session = websocket(max_buffered_packets=1)
        emit(session, "fills the buffer")
        session.handle_timeout(25)
        assert written(session) == ["4fills the buffer", "2"]


class TestPausedReading:
    """While the server does not read, no pong can come."""

    def test_pong_is_not_missed_of_a_client_that_took_the_ping(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        assert written(session) == ["2"]
        session.pause()
        for now in (45, 65, 1_000):
            session.handle_timeout(now)
            assert_open(session)

    @both_transports
    def test_client_that_does_not_take_the_ping_is_gone(self, start: Start) -> None:
        session = start()
        session.pause()
        session.handle_timeout(25)
        session.handle_timeout(45)
        assert_over(session, CloseReason.PING_TIMEOUT)

    def test_pong_has_its_full_time_after_the_pause(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.pause()
        session.resume(100)
        assert session.deadline == 120
        session.handle_timeout(120)
        assert_over(session, CloseReason.PING_TIMEOUT)

    def test_ping_goes_out_during_the_pause(self) -> None:
        session = websocket()
        session.pause()
        session.handle_timeout(25)
        assert written(session) == ["2"]
        session.resume(30)
        assert session.deadline == 50

    def test_pause_without_a_ping_leaves_the_interval(self) -> None:
        session = websocket()
        session.pause()
        session.resume(10)
        assert session.deadline == 25

    @both_transports
    def test_resumed_session_that_is_over_waits_for_nothing(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.pause()
        session.end(CloseReason.TRANSPORT_CLOSE)
        session.resume(26)
        assert_over(session, CloseReason.TRANSPORT_CLOSE)

    def test_resumed_session_that_closes_waits_no_longer_for_its_pong(self) -> None:
        session = polling()
        session.handle_timeout(25)
        session.pause()
        session.close(CloseReason.FORCED_CLOSE, 26)
        session.resume(27)
        assert session.deadline == 25 + 20


class TestHeartbeatAcrossTheUpgrade:
    """Item 33."""

    def test_ping_interval_runs_on(self) -> None:
        session = upgrading()
        session.upgrade(5)
        assert session.deadline == 25

    def test_pong_has_its_full_time_again_after_the_upgrade(self) -> None:
        """The ping may have gone out by polling, and its answer with it."""
        session = polling()
        session.handle_timeout(25)
        session.probe(40)
        session.upgrade(44)
        assert session.deadline == 64
        session.receive(PONG, 50)
        assert session.deadline == 75

    def test_ping_is_sent_while_the_websocket_probes(self) -> None:
        session = polling()
        session.probe(24)
        session.handle_timeout(25)
        assert poll(session) == ["2"]

    def test_ping_timeout_during_the_upgrade_ends_the_session(self) -> None:
        session = polling(upgrade_timeout=100_000)
        session.handle_timeout(25)
        session.probe(26)
        session.probe_answered(27)
        session.handle_timeout(45)
        assert_over(session, CloseReason.PING_TIMEOUT)

    def test_buffered_ping_goes_to_the_websocket(self) -> None:
        session = upgrading(upgrade_timeout=100_000)
        session.handle_timeout(25)
        session.upgrade(26)
        assert written(session) == ["2"]
