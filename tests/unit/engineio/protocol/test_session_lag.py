"""A session whose timers run late, since the event loop stood still: its client does not pay for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sio.engineio.protocol.session import CLOSE_TIMEOUT, LAG, EngineIOSession
from sio.engineio.protocol.state import CloseReason, State
from tests.unit.engineio.protocol.session_helpers import PONG, emit, poll, polling, websocket, written


def waits_for_pong(**options: Any) -> EngineIOSession:
    """Returns a session whose client was sent a ping at the time 25, and has until 45."""
    session = websocket(**options)
    session.handle_timeout(25)
    assert written(session) == ["2"]
    return session


def waits_for_upgrade() -> EngineIOSession:
    """Returns a session that a WebSocket probes since the time 0, and has until 10."""
    session = polling()
    session.probe(0)
    return session


def waits_for_last_poll() -> EngineIOSession:
    """Returns a session that closes since the time 0, and whose client has until 30 to take the rest."""
    session = polling()
    session.close(CloseReason.FORCED_CLOSE, 0)
    return session


def was_given_up(session: EngineIOSession) -> bool:
    """Whether the session does not wait for its client any more."""
    return session.is_closed or session.state is State.POLLING


class TestLateTimer:
    """A timer that runs long after it was due gives the client its time anew."""

    @pytest.mark.parametrize(
        ("start", "due", "patience"),
        [(waits_for_pong, 45, 20), (waits_for_upgrade, 10, 10), (waits_for_last_poll, 30, CLOSE_TIMEOUT)],
    )
    def test_client_gets_its_time_anew(self, start: Callable[[], EngineIOSession], due: float, patience: float) -> None:
        session = start()
        late = due + LAG
        for _ in range(3):
            session.handle_timeout(late)
            assert not was_given_up(session)
            late += patience + LAG
        session.handle_timeout(late - LAG)
        assert was_given_up(session)

    @pytest.mark.parametrize(
        ("start", "due"), [(waits_for_pong, 45), (waits_for_upgrade, 10), (waits_for_last_poll, 30)]
    )
    def test_process_that_is_only_busy_gives_up_as_ever(self, start: Callable[[], EngineIOSession], due: float) -> None:
        session = start()
        session.handle_timeout(due + LAG - 0.01)
        assert was_given_up(session)

    def test_pong_that_waited_to_be_read_counts(self) -> None:
        session = waits_for_pong()
        session.handle_timeout(100)
        session.receive(PONG, 100)
        assert session.deadline == 125

    def test_client_that_does_not_answer_after_a_lag_is_gone(self) -> None:
        session = waits_for_pong()
        session.handle_timeout(100)
        assert session.deadline == 120
        session.handle_timeout(120)
        assert session.reason is CloseReason.PING_TIMEOUT

    def test_short_timeout_is_overdue_after_as_long_again(self) -> None:
        for late, is_over in [(0.19, True), (0.21, False)]:
            session = waits_for_pong(ping_timeout=200)
            session.handle_timeout(25.2 + late)
            assert session.is_closed is is_over

    def test_session_that_closes_waits_for_its_last_poll_as_if_nothing_had_been(self) -> None:
        session = polling()
        emit(session, "the rest")
        session.close(CloseReason.FORCED_CLOSE, 0)
        session.handle_timeout(1_000)
        assert poll(session) == ["4the rest"]
