"""Whatever one client sends, others are served meanwhile, and what it sends is not kept beyond the bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from sio.engineio.turns import TURN_BYTES
from tests.flood import FLOODS, OBJECTS, PLACEHOLDER, Flooder, deflated, processor_time, text
from tests.pace import PACE, TIMEOUT

from .bystander import BREATH, Bystander
from .http import control
from .servers import OURS, Server, running
from .test_slow_readers import memory

#: What others may wait, in seconds of the server's processor time: a machine that is busy with something else does not
#: change that.
DELAY = 0.25 * PACE
#: Once in a while it does, a little: threads that share a core.
ATTEMPTS = 3
#: Daphne takes no compressed frames. What it needs itself to parse 64 kB of tiny ones is not ours to change.
CASES = [
    *(("uvicorn", name) for name in FLOODS),
    *(("daphne", name) for name in FLOODS if name.startswith("a megabyte")),
]

#: Sessions that keep something, and what the server may need for all of them, in bytes of memory. Parsed, what each
#: of them sends takes 29 MB.
SESSIONS, BOUND = 10, 120_000_000


@asynccontextmanager
async def flooder(server: Server, join: str = "40") -> AsyncIterator[Flooder]:
    client = await Flooder().open(server.port, join)
    try:
        yield client
    finally:
        await client.close()


async def longest_wait(server: Server, flood: bytes, padding: int = 0) -> float:
    """Returns how long a server had to work until another client was answered, until it had done with a flood. What
    that client says has so many bytes more.
    """
    bystander = await Bystander.open(server)
    async with flooder(server) as client:
        flooding = asyncio.create_task(client.send(flood))
        done = asyncio.create_task(client.answered())
        longest = 0.0
        while not done.done():
            await asyncio.sleep(BREATH)
            before = processor_time(server.process.pid)
            await bystander.check(padding=padding)
            longest = max(longest, processor_time(server.process.pid) - before)
        await asyncio.gather(flooding, done)
    await bystander.close()
    return longest


@pytest.mark.parametrize(("kind", "flood"), CASES)
async def test_flood_holds_up_nobody(kind: str, flood: str) -> None:
    await holds_up_nobody(kind, FLOODS[flood]())


@pytest.mark.parametrize("kind", OURS)
async def test_flood_holds_up_nobody_who_sends_large_packets_too(kind: str) -> None:
    """They are as large as those which wait for others that took long, and take no time themselves."""
    await holds_up_nobody(kind, FLOODS["a megabyte of arrays"]() * 10, padding=TURN_BYTES)


async def holds_up_nobody(kind: str, data: bytes, padding: int = 0) -> None:
    waits: list[float] = []
    async with running(kind) as server:
        while len(waits) < ATTEMPTS and min(waits, default=DELAY) >= DELAY:
            waits.append(await longest_wait(server, data, padding))
        assert not server.take_troubles()
    assert min(waits) < DELAY, waits


async def growth(server: Server, keep: Callable[[AsyncExitStack], Awaitable[None]]) -> int:
    """Returns how much more memory a server needs while sessions keep what they can, in bytes. One that came and left
    before shows what it needs at a time.
    """
    async with AsyncExitStack() as stack:
        await keep(stack)
    async with asyncio.timeout(TIMEOUT):
        while await control(server, "sessions"):
            pass
    before = memory(server)
    async with AsyncExitStack() as stack:
        for _ in range(SESSIONS):
            await keep(stack)
        return memory(server) - before


async def test_auth_is_not_kept_beyond_its_bound() -> None:
    async with running("uvicorn") as server:

        async def keep(stack: AsyncExitStack) -> None:
            client = await stack.enter_async_context(flooder(server))
            await client.send(deflated("40/custom," + OBJECTS))
            await client.answered()
            assert any(packet.startswith('44/custom,{"message":"auth is larger than') for packet in client.packets)

        assert await growth(server, keep) < BOUND


async def test_packet_that_waits_for_its_attachments_is_kept_as_text() -> None:
    async with running("uvicorn") as server:

        async def keep(stack: AsyncExitStack) -> None:
            client = await stack.enter_async_context(flooder(server))
            waiting = (await control(server, "stats"))["packets without their attachments"]
            await client.send(deflated(f'451-["zz",{PLACEHOLDER},{OBJECTS}]'))
            async with asyncio.timeout(TIMEOUT):
                while (await control(server, "stats"))["packets without their attachments"] == waiting:
                    pass

        assert await growth(server, keep) < BOUND


async def test_client_that_floods_a_handler_which_waits_for_it_is_cut() -> None:
    async with running("uvicorn") as server:

        async def keep(stack: AsyncExitStack) -> None:
            client = await stack.enter_async_context(flooder(server))
            await client.send(text('42["call",60]') + deflated(f'42["echo",{OBJECTS}]') * 10)
            await client.answered()
            assert client.is_over

        assert await growth(server, keep) < BOUND
        assert any("more than twice SIO_MAX_SESSION_BYTES" in line for line in server.lines)
