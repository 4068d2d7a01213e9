"""A hundred clients that talk all the time, on both transports, and come back when they are sent away."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Sequence

from tests.pace import TIMEOUT

from .scenarios.agents import Agents, CommandError
from .scenarios.client import Client
from .servers import Server

#: So many clients of each kind, on each transport.
MEMBERS = {
    ("node", "polling"): 30,
    ("node", "websocket"): 20,
    ("node", "upgrade"): 20,
    ("python", "polling"): 15,
    ("python", "websocket"): 15,
}
#: How many of them wait for an answer at a time: a server that is busy is one thing, one that is flooded another.
TALKS = 10


class Crowd:
    """The clients, and what they do."""

    def __init__(self) -> None:
        self._clients: list[Client] = []
        self._talks: list[asyncio.Task[None]] = []
        #: The sockets that they had when they began to talk.
        self.ids: list[str] = []

    async def gather(self, server: Server, agents: Agents) -> None:
        """Has all connect, and talk."""
        for (kind, transport), count in MEMBERS.items():
            agent = await agents.get(kind)
            self._clients += [Client(agent, server.url, transport, reconnect=True) for _ in range(count)]
        await asyncio.gather(*(client.connect() for client in self._clients))
        self.ids = [client.id for client in self._clients]
        self._talks = [asyncio.create_task(_talk(self._clients[number::TALKS])) for number in range(TALKS)]
        await asyncio.gather(*(client.call("echo_ack") for client in self._clients))

    async def disconnected(self) -> Counter[str | None]:
        """Waits until all were sent away. Returns how many were given which reason."""
        reasons = Counter(await asyncio.gather(*(client.disconnected() for client in self._clients)))
        for talk in self._talks:
            talk.cancel()
        return reasons

    async def back(self) -> None:
        """Waits until all are connected again, and are answered."""
        await asyncio.gather(*map(_back, self._clients))
        assert not {client.id for client in self._clients} & set(self.ids)

    async def leave(self) -> None:
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*(client.drop() for client in self._clients))


async def _talk(clients: Sequence[Client]) -> None:
    with contextlib.suppress(CommandError):  # python-socketio cannot emit while it is away
        for client in itertools.cycle(clients):
            await client.emit("echo", "hello")
            await client.receive("echoed")


async def _back(client: Client) -> None:
    # python-socketio gives a connection up that has not joined its namespace in a second, which on a busy machine is
    # soon over, and tries again.
    while True:
        await client.back()
        with contextlib.suppress(CommandError, TimeoutError):
            assert await client.call("echo_ack", 1, timeout=TIMEOUT / 10) == [1]
            return
