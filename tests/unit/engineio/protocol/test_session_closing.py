"""A session that the server closes: it delivers what is buffered, and ends."""

from __future__ import annotations

import pytest

from sio.engineio.protocol.session import CLOSE_TIMEOUT
from sio.engineio.protocol.state import CloseReason, State
from sio.exceptions import InvalidTransition
from tests.unit.engineio.protocol.session_helpers import (
    Start,
    answer,
    assert_open_for_delivery,
    assert_over,
    both_transports,
    emit,
    poll,
    polling,
    upgrading,
    websocket,
    written,
)


class TestClosing:
    """The server closes; items 16 to 18 of the semantics."""

    def test_waiting_poll_is_answered_at_once(self) -> None:
        session = polling()
        session.open_poll()
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert_open_for_delivery(session)
        assert answer(session) == ["1"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_next_poll_gets_the_packets_and_the_one_after_the_close(self) -> None:
        session = polling()
        emit(session, "a", "b")
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert poll(session) == ["4a", "4b"]
        assert_open_for_delivery(session)
        assert poll(session) == ["6", "1"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_waiting_poll_gets_the_packets_and_the_next_one_the_close(self) -> None:
        session = polling()
        session.open_poll()
        emit(session, "a")
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert answer(session) == ["4a"]
        assert poll(session) == ["6", "1"]

    def test_poll_without_packets_gets_the_close(self) -> None:
        session = polling()
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert poll(session) == ["6", "1"]

    def test_packets_over_the_maximum_come_before_the_close(self) -> None:
        session = polling(max_payload=3)
        emit(session, "a", "b", "c", "d")
        session.close(CloseReason.FORCED_CLOSE, 1)
        taken = [poll(session) for _ in range(5)]
        assert taken == [["4a"], ["4b"], ["4c"], ["4d"], ["6", "1"]]

    def test_client_that_does_not_poll_is_waited_for_half_a_minute(self) -> None:
        session = polling()
        emit(session, "a")
        session.close(CloseReason.SERVER_SHUTTING_DOWN, 1)
        assert session.deadline == 31
        session.handle_timeout(31)
        assert_over(session, CloseReason.SERVER_SHUTTING_DOWN)
        assert session.next_packet() is None

    def test_websocket_is_drained(self) -> None:
        session = websocket()
        emit(session, "a", "b")
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert_open_for_delivery(session)
        assert written(session) == ["4a", "4b"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_websocket_that_takes_nothing_is_waited_for_half_a_minute(self) -> None:
        session = websocket()
        emit(session, "a")
        session.close(CloseReason.FORCED_CLOSE, 1)
        session.handle_timeout(31)
        assert_over(session, CloseReason.FORCED_CLOSE)

    @both_transports
    def test_client_that_is_gone_is_kept_no_longer_than_without_the_close(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.close(CloseReason.FORCED_CLOSE, 26)
        assert session.deadline == 45
        session.handle_timeout(44)
        assert_open_for_delivery(session)
        session.handle_timeout(45)
        assert_over(session, CloseReason.PING_TIMEOUT)

    @both_transports
    def test_no_ping_is_sent_any_more(self, start: Start) -> None:
        session = start()
        session.close(CloseReason.FORCED_CLOSE, 24)
        emit(session, "dropped")
        session.handle_timeout(25)
        assert_open_for_delivery(session)
        assert session.deadline == 25 + 20

    def test_client_has_so_long_to_take_the_rest(self) -> None:
        session = polling(ping_interval=100_000)
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert session.deadline == 1 + CLOSE_TIMEOUT
        session.handle_timeout(1 + CLOSE_TIMEOUT)
        assert_over(session, CloseReason.FORCED_CLOSE)

    @both_transports
    def test_what_is_sent_after_it_is_dropped(self, start: Start) -> None:
        session = start()
        emit(session, "before")
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert emit(session, "after")
        assert written(session) == ["4before"]

    @both_transports
    def test_only_the_first_close_counts(self, start: Start) -> None:
        session = start()
        session.close(CloseReason.FORCED_CLOSE, 1)
        session.close(CloseReason.SERVER_SHUTTING_DOWN, 20)
        assert session.deadline == 31
        session.handle_timeout(31)
        assert_over(session, CloseReason.FORCED_CLOSE)

    @both_transports
    def test_close_after_the_end_does_nothing(self, start: Start) -> None:
        session = start()
        session.end(CloseReason.TRANSPORT_CLOSE)
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert_over(session, CloseReason.TRANSPORT_CLOSE)

    def test_overlapping_poll_ends_a_closing_session(self) -> None:
        session = polling()
        session.open_poll()
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert not session.open_poll()
        assert_over(session, CloseReason.TRANSPORT_ERROR)


class TestClosingDuringTheUpgrade:
    """Item 31 and bad input 34: buffered packets first, then the close, by whichever transport."""

    def test_upgrade_of_a_closing_session_delivers_by_websocket(self) -> None:
        session = upgrading()
        emit(session, "a")
        session.close(CloseReason.FORCED_CLOSE, 1)
        session.upgrade(2)
        assert written(session) == ["4a"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_failed_probe_of_a_closing_session_delivers_by_polling(self) -> None:
        session = upgrading()
        emit(session, "a")
        session.close(CloseReason.FORCED_CLOSE, 1)
        session.probe_failed()
        assert poll(session) == ["4a"]
        assert poll(session) == ["6", "1"]
        assert_over(session, CloseReason.FORCED_CLOSE)

    def test_poll_of_a_closing_session_ends_the_probe(self) -> None:
        session = upgrading()
        session.open_poll()
        session.close(CloseReason.FORCED_CLOSE, 1)
        assert answer(session) == ["1"]
        assert_over(session, CloseReason.FORCED_CLOSE)
        assert not session.is_upgrading

    def test_upgrade_times_out_while_the_session_closes(self) -> None:
        session = upgrading()
        session.close(CloseReason.FORCED_CLOSE, 1)
        session.handle_timeout(10)
        assert session.state is State.CLOSING_POLLING
        assert session.deadline == 31

    def test_upgrade_does_not_revive_the_heartbeat_of_a_closing_session(self) -> None:
        session = polling()
        session.handle_timeout(25)
        session.probe(26)
        session.close(CloseReason.FORCED_CLOSE, 27)
        session.upgrade(28)
        assert session.deadline == 25 + 20

    def test_end_during_the_upgrade_is_the_end_of_the_probe(self) -> None:
        session = upgrading()
        session.end(CloseReason.TRANSPORT_CLOSE)
        assert not session.is_upgrading
        with pytest.raises(InvalidTransition):
            session.upgrade(1)
        assert_over(session, CloseReason.TRANSPORT_CLOSE)
