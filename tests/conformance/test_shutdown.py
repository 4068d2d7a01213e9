"""What clients and hooks see when the server goes, and what Daphne and uvicorn let them see.

* Daphne drops all connections. It cancels the applications of polls that wait, and then waits for their hooks. As soon
  as there is a WebSocket it cancels nobody (its `kill_all_applications` stumbles over the request that was upgraded):
  no hook runs, of any client.
* uvicorn closes WebSockets with 1012, and their hooks run. It waits for polls until `--timeout-graceful-shutdown` is
  over; then it cancels them, and ends without waiting for their hooks.
* Neither says anything to a session on polling without a poll at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import Any

import pytest

from .conftest import OURS
from .http import Connection, control
from .scenarios.agents import Agents
from .scenarios.client import Client
from .servers import Server, running
from .wire import TRANSPORTS, WebSocket, Wire

REASON = "server shutting down"
#: Where the hook of a client runs for sure.
TOLD = {("daphne", "polling"), ("uvicorn", "websocket")}
#: Seconds that the end of a server may take: uvicorn waits one for its polls.
PATIENCE = 5.0


def reasons(server: Server, socket_id: str) -> list[Any]:
    return [report["reason"] for report in server.hooks(socket_id, "disconnect")]


async def wait_for_close(session: WebSocket | Connection) -> str:
    """Returns how a WebSocket was closed; "dropped" for a poll."""
    if isinstance(session, WebSocket):
        return str((await session.drain())[-1])
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        response = await session.response()
        assert response.status == 500, response
    return "dropped"


async def end(kind: str, transport: str, number: signal.Signals) -> tuple[str, list[Any], float]:
    """Ends a server. Returns what its client and its hook saw, and how long it took."""
    async with running(kind) as server:
        session = await Wire(server).member(transport)
        connection = session if isinstance(session, WebSocket) else await session.start_get()
        started = time.monotonic()
        server.send_signal(number)
        closed = await wait_for_close(connection)
        assert await server.ended() in (0, -number)
        return closed, reasons(server, session.id), time.monotonic() - started


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", OURS)
async def test_server_ends_soon_after_a_signal(kind: str, transport: str) -> None:
    expected = {"polling": "dropped", "websocket": "closed 1006" if kind == "daphne" else "closed 1012"}
    outcomes = await asyncio.gather(*(end(kind, transport, number) for number in (signal.SIGTERM, signal.SIGINT)))
    for closed, seen, duration in outcomes:
        assert closed == expected[transport]
        assert seen == [REASON] if (kind, transport) in TOLD else seen in ([], [REASON])
        assert duration < PATIENCE


@pytest.mark.parametrize("kind", ["node", *OURS])
async def test_server_that_is_closed_ends_all_sessions(kind: str, agents: Agents) -> None:
    async with running(kind) as server:
        wire = Wire(server)
        websocket, polling, idle = await wire.websocket(), await wire.polling(), await wire.polling()
        ids = [await session.join() for session in (websocket, polling, idle)]
        client = Client(await agents.get("node"), server.url, "upgrade")
        await client.connect()
        await client.ends_on("websocket")
        ids.append(client.id)
        poll = await polling.start_get()
        await control(server, "close")
        assert await websocket.drain() in (["closed 1005"], ["closed 1000"])
        assert (await poll.response()).text == "1"
        assert await client.disconnected() == "transport close"
        await client.drop()
        assert [await server.reason(socket_id) for socket_id in ids] == [REASON] * 4


@pytest.mark.parametrize(("kind", "transport"), sorted(TOLD))
async def test_hook_that_takes_its_time_runs_to_its_end(kind: str, transport: str) -> None:
    async with running(kind) as server:
        session = await Wire(server).member(transport, "/parting")
        connection = session if isinstance(session, WebSocket) else await session.start_get()
        server.send_signal(signal.SIGTERM)
        await wait_for_close(connection)
        await server.ended()
        assert server.hooks(session.id, "parted")
