"""Who is alive stays, and who is not is noticed in time: with pings every 300 ms, and 200 ms for their answers.

A test waits on both transports at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .http import control
from .servers import HASTY
from .wire import TRANSPORTS, Session, Wire

INTERVAL = HASTY["SIO_ENGINEIO_PING_INTERVAL_MS"] / 1000
TIMEOUT = HASTY["SIO_ENGINEIO_PING_TIMEOUT_MS"] / 1000
#: How early a timer may be, and how late a busy machine.
EARLY, LATE = 0.05, 0.25


async def on_each(check: Callable[[str], Awaitable[Any]]) -> list[Any]:
    """Runs a check on both transports at a time. Returns what they return."""
    return await asyncio.gather(*map(check, TRANSPORTS))


async def wait_for_ping(session: Session) -> float:
    """Returns when it came."""
    assert await session.next_packet() == "2"
    return time.monotonic()


async def test_pings_come_an_interval_after_the_last_pong(hasty_wire: Wire) -> None:
    async def gap(transport: str) -> float:
        session = await hasty_wire.member(transport)
        first = await wait_for_ping(session)
        await session.send("3")
        return await wait_for_ping(session) - first

    # After interval and timeout, the client would give up.
    assert all(INTERVAL - EARLY < duration < INTERVAL + TIMEOUT for duration in await on_each(gap))


async def test_silent_client_is_gone_after_interval_and_timeout(any_hasty_wire: Wire) -> None:
    async def stay_silent(transport: str) -> float:
        started = time.monotonic()
        session = await any_hasty_wire.member(transport)
        assert await any_hasty_wire.server.reason(session.id) == "ping timeout"
        return time.monotonic() - started

    expected = INTERVAL + TIMEOUT
    assert all(expected - EARLY < duration < expected + LATE for duration in await on_each(stay_silent))


async def test_client_that_polls_and_never_pongs_is_gone(hasty_wire: Wire) -> None:
    session = await hasty_wire.member("polling")
    assert [(await session.get()).text for _ in range(2)] == ["2", "1"]
    assert await hasty_wire.server.reason(session.id) == "ping timeout"


async def test_packet_gives_a_late_pong_more_time_once(any_hasty_wire: Wire) -> None:
    async def talk_without_pong(transport: str) -> float:
        session = await any_hasty_wire.member(transport)
        pinged = await wait_for_ping(session)
        for _ in range(2):
            await asyncio.sleep(0.6 * TIMEOUT)
            await session.send("6")
        await any_hasty_wire.server.reason(session.id)
        return time.monotonic() - pinged

    assert all(1.5 * TIMEOUT < duration < 2 * TIMEOUT + LATE for duration in await on_each(talk_without_pong))


async def test_pongs_that_nobody_asked_for_start_nothing(hasty_wire: Wire) -> None:
    tasks = await control(hasty_wire.server, "tasks")

    async def pong(transport: str) -> float:
        session = await hasty_wire.member(transport)
        for _ in range(10):
            await session.send(*["3"] * 100)
        first = await wait_for_ping(session)
        await session.send("3")
        return await wait_for_ping(session) - first

    assert all(gap > INTERVAL - EARLY for gap in await on_each(pong))
    assert await control(hasty_wire.server, "tasks") <= tasks + 5


async def test_heartbeat_goes_on_across_an_upgrade(hasty_wire: Wire) -> None:
    session = await hasty_wire.member("polling")
    await wait_for_ping(session)
    websocket = await hasty_wire.upgrade(session)
    await websocket.send("3")
    await wait_for_ping(websocket)
    await websocket.send("3")
    assert await websocket.call("echo_ack", "alive") == ["alive"]


async def test_ping_that_no_poll_took_comes_after_the_upgrade(hasty_wire: Wire) -> None:
    session, later = await hasty_wire.member("polling"), await hasty_wire.member("websocket")
    await wait_for_ping(later)  # so there is one for the earlier session too
    websocket = await hasty_wire.upgrade(session)
    await wait_for_ping(websocket)
    await websocket.send("3")
    await wait_for_ping(websocket)
