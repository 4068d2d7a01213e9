"""A client that sends all the time what takes a server long, and what it would have to keep, past the bad network:
`python -m tests.soak.flooder`.

It takes the commands of `node_clients.js`. What becomes of its sessions is not recorded: that others notice nothing is.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.flood import FLOODS, OBJECTS, PLACEHOLDER, Flooder, deflated, text

#: How long it stays with what it sent, if nothing ends it, in seconds.
STAY = 1.0
#: The longest that a flood may take, in seconds: a session may also be at its end and not say so.
PATIENCE = 15.0


def waiting_events(client: Flooder) -> bytes:
    """A handler that waits for an answer, and events behind it."""
    stamp = json.dumps([client.id, 0])
    return text(f'42["ask",{stamp}]') + deflated(f'42["note",{stamp},{OBJECTS},0]') * 20


#: What a session would have to keep, by what is sent in it.
KEPT: list[Callable[[Flooder], bytes]] = [
    lambda client: deflated(f"40/other,{OBJECTS}"),
    lambda client: deflated(f'451-["zz",{PLACEHOLDER},{OBJECTS}]'),
    waiting_events,
]
SENT: list[Callable[[Flooder], bytes]] = [
    *((lambda client, make=make: make()) for make in FLOODS.values()),  # type: ignore[misc]
    *KEPT,
]


async def flood(port: int, make: Callable[[Flooder], bytes], leaving: asyncio.Event) -> None:
    """One session."""
    client = await Flooder().open(port)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await client.send(make(client))
                if make in KEPT:
                    await asyncio.wait_for(leaving.wait(), STAY)
                else:
                    await client.answered()
    finally:
        await client.close()


async def flood_on(url: str, leaving: asyncio.Event) -> None:
    port = urlsplit(url).port
    assert port is not None
    for make in itertools.cycle(SENT):
        if leaving.is_set():
            return
        await flood(port, make, leaving)


async def main() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("READY", flush=True)
    leaving = asyncio.Event()
    floods: list[asyncio.Task[None]] = []
    async for line in reader:
        command = json.loads(line)
        if "run" in command:
            leaving.clear()
            floods = [asyncio.create_task(flood_on(command["run"]["url"], leaving))]
        else:
            leaving.set()
            await asyncio.gather(*floods)
            print("LEFT", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
