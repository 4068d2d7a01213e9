"""A client that takes nothing of what it is sent costs the server little, costs others nothing, and is cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pace import PACE, ms

from .bystander import BREATH, Bystander
from .conftest import OURS, server_fixture
from .servers import Server
from .wire import TRANSPORTS, Polling, Session, WebSocket, Wire

#: 50 MB, in parts.
PARTS, SIZE = 100, 500_000
#: What a server that may buffer 1 MB for a client may need for one that takes nothing, in bytes of memory.
BOUND = 15_000_000
#: What others may wait meanwhile, on a busy machine, in seconds.
DELAY = 1.0 * PACE

NARROW = {
    "SIO_MAX_BUFFERED_BYTES": 1_000_000,
    "SIO_ENGINEIO_PING_INTERVAL_MS": ms(800),
    "SIO_ENGINEIO_PING_TIMEOUT_MS": ms(800),
}
narrow_server = server_fixture(OURS, NARROW)

Sender = Callable[[Session, Session], Awaitable[Any]]


async def emit_to_it(slow: Session, other: Session) -> None:
    """Its own handler does, and waits for it."""
    await slow.emit("burst", PARTS, SIZE)


async def broadcast_to_it(slow: Session, other: Session) -> None:
    """Another client does, and waits for nobody."""
    for _ in range(PARTS):
        await other.emit("broadcast", {"room": slow.id}, "burst", "x" * SIZE)


def memory(server: Server) -> int:
    """The resident memory of a server."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def stop_reading(session: Polling | WebSocket) -> None:
    """Its TCP window fills up. A poller stays away."""
    if isinstance(session, WebSocket):
        session.connection.transport.pause_reading()


async def watch(server: Server, slow: Session) -> tuple[int, float]:
    """Until a client is gone: how much memory the server needs, and how long others wait."""
    most, longest, bystander = 0, 0.0, await Bystander.open(server)
    while not server.hooks(slow.id, "disconnect"):
        await asyncio.sleep(BREATH)
        asked = time.monotonic()
        await bystander.check()
        most, longest = max(most, memory(server)), max(longest, time.monotonic() - asked)
    await bystander.close()
    return most, longest


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("send", [emit_to_it, broadcast_to_it])
async def test_client_that_reads_nothing_is_cut_off(transport: str, send: Sender, narrow_server: Server) -> None:
    async with Wire(narrow_server) as wire:
        slow, other = await wire.member(transport), await wire.member("websocket")
        before = memory(narrow_server)
        stop_reading(slow)
        sending = asyncio.create_task(send(slow, other))
        most, longest = await watch(narrow_server, slow)
        await sending
        if isinstance(slow, WebSocket):
            slow.reset()
    assert await narrow_server.reason(slow.id) in ("ping timeout", "transport error")
    assert most - before < BOUND
    assert longest < DELAY


@pytest.mark.parametrize("send", [emit_to_it])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_that_reads_gets_all_of_it(transport: str, send: Sender, narrow_server: Server) -> None:
    async with Wire(narrow_server) as wire:
        session = await wire.member(transport)
        await send(session, session)
        for number in range(PARTS):
            assert await session.event() == ["burst", number, "x" * SIZE]
