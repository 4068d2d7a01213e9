"""Middleware around the application, on each server: what it raises, and what it does around each message."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from .conftest import ASGI_SERVERS, OURS, fixture
from .http import request
from .servers import HOSTILE, HOSTILE_HASTY, Farm, Server
from .wire import WebSocket, Wire

#: The middleware of `project/unruly.py`.
RAISES, SCOPES = "unruly=middleware-raises", "unruly=middleware-has-scopes"


@fixture(params=OURS)
async def server(farm: Farm, request: pytest.FixtureRequest) -> Server:
    return await farm.get(request.param, HOSTILE)


async def test_poll_that_it_does_not_let_through_is_answered_and_ends_the_session(server: Server) -> None:
    async with Wire(server) as wire:
        session = await wire.polling()
        socket_id = await session.join()
        await session.emit("echo", "a")
        answer = await request(server, "GET", f"/socket.io/?EIO=4&transport=polling&sid={session.sid}&{RAISES}")
        assert answer.status == 500
        assert await server.reason(socket_id) == "transport error"
        assert (await session.get()).json()["code"] == 1
    assert any("A GET request of" in line and "LookupError('middleware failed')" in line for line in server.lines)
    server.forgive("LookupError", "Traceback", "Exception in ASGI application")


async def test_poll_of_which_it_lets_only_the_headers_through_ends(server: Server) -> None:
    async with Wire(server) as wire:
        session = await wire.polling()
        socket_id = await session.join()
        await session.emit("echo", "a")
        target = f"/socket.io/?EIO=4&transport=polling&sid={session.sid}&unruly=middleware-raises-late"
        with contextlib.suppress(asyncio.IncompleteReadError):
            await request(server, "GET", target)
        assert await server.reason(socket_id) == "transport error"
    server.forgive("LookupError", "Traceback", "Exception in ASGI application")


async def test_message_that_it_does_not_let_through_ends_the_session(server: Server) -> None:
    async with Wire(server) as wire:
        session = WebSocket(server)
        await session.open(f"?EIO=4&transport=websocket&{RAISES}")
        socket_id = await session.join()
        await session.emit("echo", "forbidden")
        assert (await session.drain())[-1] in ("closed 1006", "closed 1011")  # by uvicorn, by Daphne
        assert await server.reason(socket_id) == "transport error"
        await session.close()
        assert await (await wire.member("websocket")).call("echo_ack", "others are served") == ["others are served"]
    assert any("A WebSocket of" in line and "LookupError('middleware failed')" in line for line in server.lines)
    server.forgive("LookupError", "Traceback", "Exception in ASGI application")


@pytest.mark.parametrize("kind", ASGI_SERVERS)
async def test_pings_go_through_scopes_of_tasks(kind: str, farm: Farm) -> None:
    """A ping is sent by a timer, which is no task."""
    server = await farm.get(kind, HOSTILE_HASTY)
    session = WebSocket(server)
    await session.open(f"?EIO=4&transport=websocket&{SCOPES}")
    socket_id = await session.join()
    for _ in range(3):
        assert await session.next_packet() == "2"
        await session.send("3")
    assert await session.call("echo_ack", "still there") == ["still there"]
    await session.close()
    assert await server.reason(socket_id) == "transport close"
    assert not server.take_troubles()
