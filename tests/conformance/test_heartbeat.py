"""Who is alive stays, and who is not is noticed in time: with pings every 300 ms, and 200 ms for their answers.

The times themselves are tested in the session without its I/O. Here it is their order, by timers of the server's own
that began before: a server that is late is late with both. A test waits on both transports at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from tests.pace import ms

from .fairness import fairly
from .http import alarm, control, late_at
from .servers import HASTY, Server
from .wire import TRANSPORTS, Session, Wire

#: In milliseconds, of a machine that is not slow.
INTERVAL, TIMEOUT = 300, 200
#: How much earlier than its time a timer may run: clocks are rounded.
ROUNDING = 0.005


async def on_each(server: Server, check: Callable[[str], Awaitable[None]]) -> None:
    """Runs a check on both transports at a time."""
    await asyncio.gather(*(fairly(partial(check, transport), server) for transport in TRANSPORTS))


async def wait_for_ping(session: Session) -> None:
    assert await session.next_packet() == "2"


@contextlib.asynccontextmanager
async def within(server: Server, least: int, most: int) -> AsyncIterator[None]:
    """What happens in the block ends neither too early, by this process's clock, nor too late, by the server's.

    The block must begin with what starts the server's timer.
    """
    started = time.monotonic()
    late = asyncio.create_task(late_at(server, most))
    try:
        yield
        assert not late.done(), f"took longer than {most} ms of the server's time"
        assert time.monotonic() - started >= ms(least) / 1000 - ROUNDING
    finally:
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)


def test_timers_are_those_of_the_servers() -> None:
    assert HASTY["SIO_ENGINEIO_PING_INTERVAL_MS"] == ms(INTERVAL)
    assert HASTY["SIO_ENGINEIO_PING_TIMEOUT_MS"] == ms(TIMEOUT)


async def test_pings_come_an_interval_after_the_last_pong(hasty_wire: Wire) -> None:
    async def check(transport: str) -> None:
        session = await hasty_wire.member(transport)
        await wait_for_ping(session)
        # After interval and timeout, the client would give up.
        async with within(hasty_wire.server, INTERVAL, INTERVAL + TIMEOUT):
            await session.send("3")
            await wait_for_ping(session)

    await on_each(hasty_wire.server, check)


async def test_silent_client_is_gone_after_interval_and_timeout(any_hasty_wire: Wire) -> None:
    async def check(transport: str) -> None:
        async with within(any_hasty_wire.server, INTERVAL + TIMEOUT, 2 * INTERVAL + TIMEOUT):
            session = await any_hasty_wire.member(transport)
            assert await any_hasty_wire.server.reason(session.id) == "ping timeout"

    await on_each(any_hasty_wire.server, check)


async def test_client_that_polls_and_never_pongs_is_gone(hasty_wire: Wire) -> None:
    session = await hasty_wire.member("polling")
    assert [(await session.get()).text for _ in range(2)] == ["2", "1"]
    assert await hasty_wire.server.reason(session.id) == "ping timeout"


async def test_packet_gives_a_late_pong_more_time_once(any_hasty_wire: Wire) -> None:
    """A session that says something instead of a pong outlives one that was opened later, but not by much."""

    async def check(transport: str) -> None:
        session = await any_hasty_wire.member(transport)
        later = await any_hasty_wire.member("websocket")
        await wait_for_ping(later)
        await wait_for_ping(session)
        await alarm(any_hasty_wire.server, TIMEOUT // 2)
        async with within(any_hasty_wire.server, TIMEOUT, 2 * TIMEOUT):
            await session.send("6")
            assert await any_hasty_wire.server.reason(session.id) == "ping timeout"
        assert any_hasty_wire.server.ended_sockets([session.id, later.id]) == [later.id, session.id]

    await on_each(any_hasty_wire.server, check)


async def test_pongs_that_nobody_asked_for_start_nothing(hasty_wire: Wire) -> None:
    tasks = await control(hasty_wire.server, "tasks")

    async def check(transport: str) -> None:
        session = await hasty_wire.member(transport)
        for _ in range(10):
            await session.send(*["3"] * 100)
        await wait_for_ping(session)
        async with within(hasty_wire.server, INTERVAL, INTERVAL + TIMEOUT):
            await session.send("3")
            await wait_for_ping(session)

    await on_each(hasty_wire.server, check)
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
