"""A client that was cut off since it read nothing does not keep its connection, and the server nothing for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.pace import TIMEOUT

from .conftest import OURS, server_fixture
from .servers import Server
from .test_slow_readers import memory, stop_reading
from .wire import Wire

#: More than what operating systems buffer, in bytes; and how many clients do not read that.
SIZE, CLIENTS = 12_000_000, 6
#: In how many messages: Daphne sends none of more than 1 MiB.
PARTS = {"uvicorn": 1, "daphne": 24}
#: What a server may keep of all that.
BOUND = SIZE * CLIENTS // 3
#: When nothing may be left, in seconds: the connection that Daphne gives up takes it some.
DEADLINE = 2 * TIMEOUT

SHORT = {
    "SIO_MAX_BUFFERED_BYTES": 2 * SIZE,
    "SIO_ENGINEIO_PING_INTERVAL_MS": 1_500,
    "SIO_ENGINEIO_PING_TIMEOUT_MS": 1_500,
}
short_server = server_fixture(OURS, SHORT)


def connections(server: Server) -> int:
    """How many established TCP connections the server has."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(fields[1].endswith(f":{server.port:04X}") and fields[3] == "01" for fields in lines)


async def test_cut_reader_does_not_keep_its_connection(short_server: Server) -> None:
    before = memory(short_server)
    async with Wire(short_server) as wire:
        others = connections(short_server)
        for _ in range(CLIENTS):
            slow = await wire.member("websocket")
            parts = PARTS[short_server.kind]
            await slow.emit("burst", parts, SIZE // parts)
            stop_reading(slow)
            assert await short_server.reason(slow.id) in ("ping timeout", "transport error")
        async with asyncio.timeout(DEADLINE):
            while connections(short_server) > others:
                await asyncio.sleep(0.1)
    # Twisted leaves what it has for a broken connection to the garbage collector.
    if short_server.kind != "daphne":
        assert memory(short_server) - before < BOUND
