"""Whether a client is read, and what its session demands of it meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest

from sio.engineio import CloseReason, EngineIOSession
from sio.engineio.flow import Flow
from sio.engineio.turns import LongPackets
from tests.unit.engineio.protocol.session_helpers import websocket, written


@pytest.fixture
def session() -> EngineIOSession:
    """A session on WebSocket whose client was sent a ping at the time 25, and has until 45."""
    session = websocket()
    session.handle_timeout(25)
    assert written(session) == ["2"]
    return session


@pytest.fixture
def long_packets() -> LongPackets:
    return LongPackets()


@pytest.fixture
async def flow(session: EngineIOSession, long_packets: LongPackets) -> Flow:
    return Flow(session, long_packets, asyncio.get_running_loop())


def demands_pong(session: EngineIOSession) -> bool:
    """Whether the session ends when the time for its pong is up."""
    assert session.deadline is not None
    session.handle_timeout(session.deadline)
    return session.is_closed


class TestPause:
    """The application stops and resumes the reading."""

    async def test_client_is_read_at_first(self, flow: Flow, session: EngineIOSession) -> None:
        assert not flow.is_paused
        await flow.wait()
        assert demands_pong(session)

    async def test_no_pong_is_demanded_meanwhile(self, flow: Flow, session: EngineIOSession) -> None:
        flow.pause()
        assert flow.is_paused
        assert not demands_pong(session)

    async def test_pong_has_its_full_time_afterwards(self, flow: Flow, session: EngineIOSession) -> None:
        flow.pause()
        await asyncio.sleep(100)
        flow.resume()
        assert not flow.is_paused
        assert session.deadline == 100 + 20
        assert demands_pong(session)

    async def test_pause_and_resume_are_idempotent(self, flow: Flow, session: EngineIOSession) -> None:
        flow.resume()
        assert session.deadline == 45
        flow.pause()
        flow.pause()
        flow.resume()
        assert not flow.is_paused
        flow.resume()
        assert demands_pong(session)

    async def test_reader_waits_for_the_end_of_the_pause(self, flow: Flow) -> None:
        flow.pause()
        reader = asyncio.ensure_future(flow.wait())
        await asyncio.sleep(1)
        assert not reader.done()
        flow.resume()
        await reader

    async def test_reader_waits_for_the_end_of_a_pause_that_follows_at_once(self, flow: Flow) -> None:
        flow.pause()
        reader = asyncio.ensure_future(flow.wait())
        await asyncio.sleep(0)
        flow.resume()
        flow.pause()
        await asyncio.sleep(1)
        assert not reader.done()
        flow.resume()
        await reader

    async def test_reader_of_a_session_that_is_over_waits_no_more(self, flow: Flow, session: EngineIOSession) -> None:
        flow.pause()
        session.end(CloseReason.TRANSPORT_CLOSE)
        await flow.wait()

    async def test_reader_that_is_cancelled_leaves_the_others_waiting(self, flow: Flow) -> None:
        flow.pause()
        first, second = (asyncio.ensure_future(flow.wait()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(1)
        assert (first.cancelled(), second.done()) == (True, False)
        flow.resume()
        await second

    @pytest.mark.parametrize("is_paused", [False, True])
    async def test_callback_comes_at_the_end_of_the_pause_or_at_once(self, flow: Flow, is_paused: bool) -> None:
        called: list[bool] = []
        if is_paused:
            flow.pause()
        flow.when_resumed(lambda: called.append(True))
        await asyncio.sleep(0)
        assert called == [True] * (not is_paused)
        flow.resume()
        await asyncio.sleep(0)
        assert called == [True]


@pytest.mark.real_time
class TestLongPacket:
    """A packet that may take long waits for its turn."""

    @pytest.fixture(autouse=True)
    def busy(self, long_packets: LongPackets) -> None:
        """Another client has just sent a long packet."""
        now = time.perf_counter()
        long_packets.took(now - 0.05, now)

    async def test_no_pong_is_demanded_meanwhile(self, flow: Flow, session: EngineIOSession) -> None:
        waiting = asyncio.ensure_future(flow.wait_for_long_packet())
        await asyncio.sleep(0)
        assert not demands_pong(session)
        await waiting
        assert demands_pong(session)

    async def test_wait_that_is_cancelled_ends(self, flow: Flow, session: EngineIOSession) -> None:
        waiting = asyncio.ensure_future(flow.wait_for_long_packet())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert demands_pong(session)

    async def test_client_is_read_when_the_pause_is_over_too(self, flow: Flow, session: EngineIOSession) -> None:
        waiting = asyncio.ensure_future(flow.wait_for_long_packet())
        await asyncio.sleep(0)
        flow.pause()
        await waiting
        assert not demands_pong(session)
        flow.resume()
        assert demands_pong(session)
