"""Clients that take less than they are sent: emitters wait for them, and a slow consumer is cut."""

from __future__ import annotations

import asyncio

import pytest

from sio.engineio import CloseReason, EngineIOSession
from sio.engineio.backpressure import Backpressure
from tests.unit.engineio.protocol.session_helpers import emit, websocket, written


@pytest.fixture
def session() -> EngineIOSession:
    """A session whose client is congested: more than half of its buffer is full."""
    session = websocket(max_buffered_packets=4)
    emit(session, "a", "b", "c")
    return session


@pytest.fixture
def backpressure(session: EngineIOSession) -> Backpressure:
    return Backpressure(session)


async def wait(backpressure: Backpressure) -> asyncio.Future[None]:
    """Returns an emitter that waits."""
    emitter = asyncio.ensure_future(backpressure.drain())
    await asyncio.sleep(1)
    return emitter


async def test_emitter_does_not_wait_for_a_client_that_keeps_up(
    backpressure: Backpressure, session: EngineIOSession
) -> None:
    written(session)
    await backpressure.drain()


async def test_emitters_wait_until_the_client_has_taken_enough(
    backpressure: Backpressure, session: EngineIOSession
) -> None:
    emitters = [await wait(backpressure) for _ in range(2)]
    backpressure.update()
    await asyncio.sleep(1)
    assert not any(emitter.done() for emitter in emitters)
    session.next_packet()
    backpressure.update()
    await asyncio.gather(*emitters)


async def test_emitter_waits_on_if_the_client_lags_behind_again(
    backpressure: Backpressure, session: EngineIOSession
) -> None:
    emitter = await wait(backpressure)
    session.next_packet()
    backpressure.update()
    emit(session, "d")
    await asyncio.sleep(1)
    assert not emitter.done()
    session.next_packet()
    backpressure.update()
    await emitter


async def test_emitter_does_not_wait_for_a_session_that_is_over(
    backpressure: Backpressure, session: EngineIOSession
) -> None:
    emitter = await wait(backpressure)
    session.end(CloseReason.TRANSPORT_CLOSE)
    backpressure.update()
    await emitter
    await backpressure.drain()


async def test_emitter_that_is_cancelled_leaves_the_others_waiting(
    backpressure: Backpressure, session: EngineIOSession
) -> None:
    first, second = await wait(backpressure), await wait(backpressure)
    first.cancel()
    await asyncio.sleep(1)
    assert (first.cancelled(), second.done()) == (True, False)
    session.next_packet()
    backpressure.update()
    await second


def test_update_without_emitters_does_nothing(backpressure: Backpressure, session: EngineIOSession) -> None:
    backpressure.update()
    written(session)
    backpressure.update()


def test_slow_consumer_is_logged_and_ended(backpressure: Backpressure, caplog: pytest.LogCaptureFixture) -> None:
    assert backpressure.cut(("127.0.0.1", 1234)) is CloseReason.TRANSPORT_ERROR
    assert [record.getMessage() for record in caplog.records] == [
        "Cut the slow consumer ('127.0.0.1', 1234): its buffer of packets is full"
    ]
