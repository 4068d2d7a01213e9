"""A session that moves from polling to WebSocket, or tries to."""

from __future__ import annotations

import pytest

from sio.engineio.protocol.session import NOOP_INTERVAL
from sio.engineio.protocol.state import CloseReason, State, Transport
from sio.exceptions import InvalidTransition
from tests.unit.engineio.protocol.session_helpers import (
    Start,
    answer,
    assert_open,
    assert_over,
    emit,
    poll,
    polling,
    upgrading,
    websocket,
    written,
)


class TestUpgrade:
    """Protocol section "Upgrade"; items 25 to 33 of the semantics, bad inputs 9 and 31 to 34."""

    def test_packets_flow_by_polling_while_the_websocket_probes(self) -> None:
        session = upgrading()
        assert session.is_upgrading
        assert session.transport is Transport.POLLING
        emit(session, "a")
        assert poll(session) == ["4a"]

    def test_waiting_poll_gets_a_noop_after_a_tenth_of_a_second(self) -> None:
        """Seed defect D3: a client that waits for its poll to end can go on."""
        session = upgrading()
        session.open_poll()
        assert session.deadline == NOOP_INTERVAL == 0.1
        assert not session.poll_ready
        session.handle_timeout(0.1)
        assert answer(session) == ["6"]

    def test_each_poll_gets_a_noop_until_the_upgrade_ends(self) -> None:
        session = upgrading()
        for _ in range(50):
            session.open_poll()
            assert not session.poll_ready
            assert session.deadline is not None
            session.handle_timeout(session.deadline)
            assert answer(session) == ["6"]

    def test_noop_is_not_kept_for_a_poll_to_come(self) -> None:
        session = upgrading()
        session.handle_timeout(0.1)
        session.open_poll()
        assert not session.poll_ready

    def test_packet_replaces_the_noop(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(0.1)
        emit(session, "a")
        assert answer(session) == ["4a"]
        session.open_poll()
        assert not session.poll_ready

    def test_unanswered_probe_sends_no_noops(self) -> None:
        session = polling()
        session.probe(0)
        session.open_poll()
        assert session.deadline == 10
        session.handle_timeout(9)
        assert not session.poll_ready

    def test_buffered_packets_go_to_the_websocket_in_order(self) -> None:
        session = upgrading()
        emit(session, "a", b"\x00", "c")
        session.upgrade(1)
        assert session.transport is Transport.WEBSOCKET
        emit(session, "d")
        assert written(session) == ["4a", b"\x00", "4c", "4d"]
        assert_open(session)

    def test_upgrade_is_accepted_without_a_probe(self) -> None:
        """Item 27: the first frame of the WebSocket may be the `5`."""
        session = polling()
        session.probe(0)
        session.upgrade(1)
        assert session.state is State.WEBSOCKET

    def test_poll_that_waits_during_the_upgrade_is_answered_with_close(self) -> None:
        """Item 28; what is buffered is for the WebSocket."""
        session = upgrading()
        session.open_poll()
        session.upgrade(1)
        emit(session, "a")
        assert answer(session) == ["1"]
        assert written(session) == ["4a"]
        assert_open(session)

    def test_noop_that_was_due_does_not_reach_the_upgraded_session(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(0.1)
        session.upgrade(0.2)
        assert answer(session) == ["1"]
        assert written(session) == []

    def test_upgrade_that_takes_too_long_fails(self) -> None:
        session = upgrading(upgrade_timeout=500)
        session.handle_timeout(0.499)
        assert session.is_upgrading
        session.handle_timeout(0.5)
        assert not session.is_upgrading
        assert_open(session)
        assert session.deadline == 25

    def test_failed_probe_leaves_polling_as_it_was(self) -> None:
        """Seed defect D4."""
        session = upgrading()
        session.open_poll()
        emit(session, "a")
        session.probe_failed()
        assert answer(session) == ["4a"]
        assert session.deadline == 25
        assert session.state is State.POLLING

    def test_failed_probe_takes_its_noop_with_it(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(0.1)
        session.probe_failed()
        assert not session.poll_ready

    def test_client_may_try_again_after_a_failure(self) -> None:
        session = upgrading()
        session.probe_failed()
        session.probe(5)
        assert session.deadline == 15
        session.upgrade(6)
        assert session.transport is Transport.WEBSOCKET

    @pytest.mark.parametrize("start", [upgrading, websocket])
    def test_server_refuses_second_websocket(self, start: Start) -> None:
        session = start()
        with pytest.raises(InvalidTransition):
            session.probe(1)
        assert_open(session)

    @pytest.mark.parametrize("start", [polling, websocket])
    def test_session_that_does_not_upgrade_refuses_the_upgrade(self, start: Start) -> None:
        session = start()
        for step in (lambda: session.upgrade(1), session.probe_failed):
            with pytest.raises(InvalidTransition):
                step()
        assert_open(session)

    def test_session_that_closes_refuses_a_websocket(self) -> None:
        session = polling()
        session.close(CloseReason.FORCED_CLOSE, 1)
        with pytest.raises(InvalidTransition):
            session.probe(2)

    def test_answer_to_a_probe_that_timed_out_starts_no_noops(self) -> None:
        """The `3probe` may be on its way while the time for the upgrade runs out."""
        session = polling()
        session.probe(0)
        session.handle_timeout(10)
        session.probe_answered(11)
        assert session.deadline == 25

    def test_answer_to_the_probe_of_a_session_that_is_over_starts_no_noops(self) -> None:
        session = polling()
        session.probe(0)
        session.end(CloseReason.TRANSPORT_CLOSE)
        session.probe_answered(1)
        assert_over(session, CloseReason.TRANSPORT_CLOSE)
