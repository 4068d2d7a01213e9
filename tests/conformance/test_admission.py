"""Who may open a session, on live servers: a cap, a storm of clients that come back, and handshakes that lead to
nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.pace import PACE, TIMEOUT, ms

from .conftest import OURS, fixture
from .http import Response, control, request
from .servers import CALM, HASTY, Server, running
from .test_slow_readers import memory
from .wire import TRANSPORTS, Session, WebSocket, Wire

CAP = 50
CAPPED = {**CALM, "SIO_MAX_SESSIONS": CAP}
#: Clients that are connected all the time, and those that come at once.
MEMBERS, STORM = 20, 200
#: Handshakes at a time: more would measure the backlog of a listening socket.
AT_A_TIME = 50
#: No answer takes as long, in seconds, on a busy machine either.
DELAY = 2.0 * PACE

#: Handshakes that are never polled. Their time is longer than all of them mostly take.
IDLE = 2_000
IDLE_TIMERS = {**HASTY, "SIO_ENGINEIO_PING_INTERVAL_MS": ms(8_000), "SIO_CONNECT_TIMEOUT_MS": ms(60_000)}
#: What each may cost, in bytes.
IDLE_BYTES = 15_000

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@fixture(params=OURS)
async def capped_server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with running(request.param, CAPPED) as server:
        yield server
        server.forgive("503")  # some access logs call that an error
        assert not server.take_troubles()


def refused(server: Server) -> list[str]:
    return [line for line in server.lines if "SIO_MAX_SESSIONS = 50 is reached" in line]


async def sessions(server: Server, count: int) -> None:
    """Waits until so many sessions are alive."""
    async with asyncio.timeout(TIMEOUT):
        while await control(server, "sessions") != count:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_full_process_refuses_until_somebody_leaves(transport: str, capped_server: Server) -> None:
    async with Wire(capped_server) as wire:
        clients = [await wire.member(transport) for _ in range(CAP)]
        answer = await request(capped_server, "GET", HANDSHAKE)
        assert (answer.status, answer.body, answer.headers["retry-after"]) == (503, b"", "5")
        answer = await wire.try_websocket("EIO=4&transport=websocket")
        assert isinstance(answer, Response)
        # Daphne has no way to answer with anything else.
        assert answer.status == (403 if capped_server.kind == "daphne" else 503)
        assert await clients[0].call("echo_ack", "served") == ["served"]
        await clients[0].close()
        await sessions(capped_server, CAP - 1)
        newcomer = await wire.member(transport)
        assert await newcomer.call("echo_ack", "served") == ["served"]
    assert len(refused(capped_server)) == 1


async def test_storm_of_clients_is_served_in_turn_and_harms_nobody(capped_server: Server) -> None:
    """Bad input 108: all come back in the same moment, and again when they are refused."""
    async with Wire(capped_server) as wire:
        members = [await wire.member("websocket") for _ in range(MEMBERS)]
        talks = [asyncio.create_task(talk(member)) for member in members]
        statuses = await asyncio.gather(*(come_in(capped_server) for _ in range(STORM)))
        failures = [task.exception() for task in talks if task.done()]
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
    assert failures == []
    assert {status for tries in statuses for status in tries} == {200, 503}
    assert len(refused(capped_server)) >= 1


async def talk(member: Session) -> None:
    """Asks all the time, and is answered soon."""
    while True:
        before = time.monotonic()
        assert await member.call("echo_ack", "hello") == ["hello"]
        assert time.monotonic() - before < DELAY
        await asyncio.sleep(0.01)


async def come_in(server: Server) -> list[int]:
    """Asks for a session until there is one, and leaves. Returns the statuses of the answers."""
    statuses = []
    async with asyncio.timeout(2 * TIMEOUT):
        while True:
            answer = await request(server, "GET", HANDSHAKE)
            statuses.append(answer.status)
            if answer.status == 200:
                break
            await asyncio.sleep(0.2)
    sid = answer.text.partition('"sid":"')[2].partition('"')[0]
    await asyncio.sleep(0.2)  # it stays for a while
    assert (await request(server, "POST", f"{HANDSHAKE}&sid={sid}", "1")).status == 200
    return statuses


@pytest.mark.parametrize("kind", OURS)
async def test_handshakes_that_lead_to_nothing_are_freed(
    kind: str, record_property: Callable[[str, object], None]
) -> None:
    """Bad input 101: after a ping interval and a ping timeout, each."""
    async with running(kind, IDLE_TIMERS) as server:
        await shake_hands(server, IDLE // 4)
        before = memory(server)
        await shake_hands(server, IDLE)
        # Those of a machine that takes longer than their time for all of them are freed already.
        assert 0 < await control(server, "sessions") <= IDLE * 5 // 4
        cost = (memory(server) - before) / IDLE
        record_property("bytes of an idle handshake", cost)
        assert cost < IDLE_BYTES
        await sessions(server, 0)
        stats = await control(server, "stats")
        assert (stats["sessions"], stats["clients"]) == (0, 0)
        assert not server.take_troubles()


async def shake_hands(server: Server, count: int) -> None:
    places = asyncio.Semaphore(AT_A_TIME)

    async def shake() -> None:
        async with places:
            assert (await request(server, "GET", HANDSHAKE)).status == 200

    await asyncio.gather(*(shake() for _ in range(count)))


@fixture(params=OURS)
async def unjoined_server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with running(request.param, {**CALM, "SIO_MAX_UNJOINED_SESSIONS": 1}) as server:
        yield server
        server.forgive("503")
        assert not server.take_troubles()


async def test_main_namespace_that_nobody_serves_is_none_that_was_joined(unjoined_server: Server) -> None:
    websocket = WebSocket(unjoined_server)
    await websocket.connect("/mounted/?EIO=4&transport=websocket")
    assert str(await websocket.receive()).startswith("0{")
    await websocket.join()
    assert (await request(unjoined_server, "GET", HANDSHAKE)).status == 503
    await websocket.join("/inner")
    assert (await request(unjoined_server, "GET", HANDSHAKE)).status == 200
    await websocket.close()
