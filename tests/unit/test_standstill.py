"""The event loop stood still: no client pays for it, and the log says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sio.engineio import EngineIOWebSocketConsumer
from sio.engineio.options import EngineIOOptions
from sio.engineio.packets import EncodedPacket, Packet, PacketType
from sio.engineio.session import CLOSE_TIMEOUT, STANDSTILL, EngineIOSession
from sio.engineio.standstill import StandstillWatch
from sio.engineio.state import Reason, Transport
from tests import virtual_time
from tests.asgi import WebSocket

PONG = Packet(PacketType.PONG)


def waits_for_pong(**options: Any) -> EngineIOSession:
    """A session whose client was sent a ping at the time 25, and has until 45."""
    session = EngineIOSession("sid", Transport.WEBSOCKET, EngineIOOptions(**options), 0)
    session.handle_timeout(25)
    while session.next_packet() is not None:
        pass
    return session


def waits_for_upgrade() -> EngineIOSession:
    """A session that a WebSocket probes since the time 0, and has until 10."""
    session = EngineIOSession("sid", Transport.POLLING, EngineIOOptions(), 0)
    session.probe(0)
    return session


def waits_for_last_poll() -> EngineIOSession:
    """A session that closes since the time 0, and whose client has until 30 to take the rest."""
    session = EngineIOSession("sid", Transport.POLLING, EngineIOOptions(), 0)
    session.close(Reason.FORCED_CLOSE, 0)
    return session


def was_given_up(session: EngineIOSession) -> bool:
    return session.is_closed or session.state.name == "POLLING"


class TestSession:
    """What is called long after it was due gives the client its time anew."""

    @pytest.mark.parametrize(
        ("start", "due", "patience"),
        [(waits_for_pong, 45, 20), (waits_for_upgrade, 10, 10), (waits_for_last_poll, 30, CLOSE_TIMEOUT)],
    )
    def test_client_gets_its_time_anew(self, start: Callable[[], EngineIOSession], due: float, patience: float) -> None:
        session = start()
        late = due + STANDSTILL
        for _ in range(3):
            session.handle_timeout(late)
            assert not was_given_up(session)
            late += patience + STANDSTILL
        session.handle_timeout(late - STANDSTILL)
        assert was_given_up(session)

    @pytest.mark.parametrize(
        ("start", "due"), [(waits_for_pong, 45), (waits_for_upgrade, 10), (waits_for_last_poll, 30)]
    )
    def test_busy_process_gives_up_as_ever(self, start: Callable[[], EngineIOSession], due: float) -> None:
        session = start()
        session.handle_timeout(due + STANDSTILL - 0.01)
        assert was_given_up(session)

    def test_pong_that_waited_to_be_read_counts(self) -> None:
        session = waits_for_pong()
        session.handle_timeout(100)
        session.receive(PONG, 100)
        assert session.deadline == 125

    def test_client_that_does_not_answer_after_the_standstill_is_gone(self) -> None:
        session = waits_for_pong()
        session.handle_timeout(100)
        assert session.deadline == 120
        session.handle_timeout(120)
        assert session.reason is Reason.PING_TIMEOUT

    def test_short_timeout_is_overdue_after_as_long_again(self) -> None:
        for late, is_over in [(0.19, True), (0.21, False)]:
            session = waits_for_pong(ping_timeout=200)
            session.handle_timeout(25.2 + late)
            assert session.is_closed is is_over

    def test_session_that_closes_waits_for_its_last_poll_as_if_nothing_had_been(self) -> None:
        session = EngineIOSession("sid", Transport.POLLING, EngineIOOptions(), 0)
        session.send([EncodedPacket.message("the rest")])
        session.close(Reason.FORCED_CLOSE, 0)
        session.handle_timeout(1_000)
        assert session.open_poll()
        assert [packet.data for packet in session.take_payload()][1:] == ["4the rest"]


class TestWatch:
    """One warning for each standstill, and not for each session."""

    @pytest.fixture
    def watch(self) -> StandstillWatch:
        return StandstillWatch()

    def test_standstill_is_logged_once(self, watch: StandstillWatch, caplog: pytest.LogCaptureFixture) -> None:
        for late in (10.04, 9.9, 3.0):
            watch.timer_ran(late)
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("sio.engineio", "WARNING")
        assert "stood still for at least 10.0 s" in record.message
        assert "sync_to_async" in record.message

    def test_busy_process_is_not_logged(self, watch: StandstillWatch, caplog: pytest.LogCaptureFixture) -> None:
        watch.timer_ran(STANDSTILL - 0.01)
        assert caplog.records == []

    def test_watches_do_not_silence_each_other(self, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(2):
            StandstillWatch().timer_ran(2)
        assert len(caplog.records) == 2


class TestSocket:
    """With the application in memory, on a loop whose clock is made to jump."""

    def run(self, main: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sio.engineio.standstill.watch", StandstillWatch())
        problems: list[dict[str, Any]] = []
        virtual_time.run(main(), problems)
        assert problems == []

    def test_silent_clients_outlive_a_standstill(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main() -> None:
            clients = [WebSocket(EngineIOWebSocketConsumer.as_asgi()) for _ in range(20)]
            for client in clients:
                await client.open()
            await asyncio.sleep(25)
            assert [await client.receive() for client in clients] == ["2"] * 20
            stand_still(60)
            await asyncio.sleep(1)
            for client in clients:
                client.send("3")
            await asyncio.sleep(25)
            assert [await client.receive() for client in clients] == ["2"] * 20
            for client in clients:
                client.disconnect()
                await client.finished()

        self.run(main, monkeypatch)
        (message,) = logged(caplog)
        assert "stood still for at least 40.0 s" in message

    def test_ping_out_of_turn_is_not_late(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main() -> None:
            client = WebSocket(EngineIOWebSocketConsumer.as_asgi())
            await client.open()
            await asyncio.sleep(20)
            frames = []
            for _ in range(20):
                client.send(b"x" * 1_000_000)
                frames.append(await client.receive())
            assert "2" in frames
            client.disconnect()
            await client.finished()

        self.run(main, monkeypatch)
        assert logged(caplog) == []


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Without what asyncio's debug mode says."""
    return [record.getMessage() for record in caplog.records if record.name == "sio.engineio"]


def stand_still(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, virtual_time.VirtualTimeLoop)
    loop.stand_still(seconds)
