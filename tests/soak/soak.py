"""A run: clients come for a while to warm the server up, leave, come for the rest of the time, and leave again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .ledger import Ledger
from .processes import FLOODER, NODE_CLIENTS, PYTHON_CLIENTS, Crew, SoakServer
from .proxy import Proxy, by_chance
from .witness import Witness

#: Clients of each process.
NODE, PYTHON = 15, 9
#: The part of the time that warms the server up, and the least, in seconds.
WARM_UP, SHORTEST_WARM_UP = 0.2, 10.0
#: Time for a server to notice that everybody left, in seconds: a session that it closes itself has 30.
SETTLE_TIMEOUT = 45.0


@dataclass
class Outcome:
    """What a run has to show."""

    server: str
    seed: int
    seconds: float
    clients: int
    ledger: Ledger
    deeds: Mapping[str, int]
    #: What there was in the server before anybody came, after the warm-up, and at the end.
    idle: dict[str, Any]
    warm: dict[str, Any]
    end: dict[str, Any]
    #: And while many were there, which shows that what is counted is there to be seen.
    busy: dict[str, Any] = field(default_factory=dict)
    #: How long it took, in each of the two phases, until the server was empty.
    leaving: list[float] = field(default_factory=list)
    #: What the processes logged and should not have, and all that the server logged.
    troubles: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    #: What somebody saw who has a good network.
    witness: Witness = field(default_factory=Witness)


class Soak:
    """The processes of a run, from their start to their end."""

    def __init__(self, kind: str, seed: int, seconds: float) -> None:
        self._seed, self._seconds = seed, seconds
        self._ledger = Ledger()
        self._leaving: list[float] = []
        take = self._ledger.add
        self._server = SoakServer(kind, take)
        self._crews = [
            Crew(NODE_CLIENTS, NODE, take),
            Crew(NODE_CLIENTS, NODE, take),
            Crew(PYTHON_CLIENTS, PYTHON, take),
        ]
        self._flooder = Crew(FLOODER, 0, take)
        self._witness = Witness()

    async def run(self) -> Outcome:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._stop)
            await self._server.serve()
            self._proxy = await Proxy(self._server.port, by_chance(self._seed)).start()
            stack.push_async_callback(self._proxy.stop)
            await asyncio.gather(*(crew.start("READY") for crew in [*self._crews, self._flooder]))
            outcome = await self._phases()
        outcome.troubles, outcome.log = self._troubles(), self._server.lines
        outcome.leaving, outcome.busy, outcome.witness = self._leaving, self._busy, self._witness
        return outcome

    async def _stop(self) -> None:
        await asyncio.gather(*(process.stop() for process in [*self._crews, self._flooder, self._server]))

    async def _phases(self) -> Outcome:
        idle = await self._server.stats()
        warm_up = max(SHORTEST_WARM_UP, self._seconds * WARM_UP)
        warm = await self._phase(warm_up, self._seed)
        end = await self._phase(max(self._seconds - warm_up, SHORTEST_WARM_UP), self._seed + 1)
        clients = sum(crew.clients for crew in self._crews)
        kind = self._server.kind
        return Outcome(kind, self._seed, self._seconds, clients, self._ledger, self._proxy.deeds, idle, warm, end)

    async def _phase(self, seconds: float, seed: int) -> dict[str, Any]:
        """Has all come, and leave after some seconds. Returns what there is in the server when it is empty."""
        self._proxy.is_calm = False
        for number, crew in enumerate(self._crews):
            crew.run(self._proxy.port, seed * 10 + number)
        self._flooder.run(self._server.port, seed)
        async with self._witness.watching(self._server):
            await self._live(seconds)
        self._busy = await self._server.stats()
        # The network is good again: who leaves may do so in order.
        self._proxy.is_calm = True
        start = time.monotonic()
        await asyncio.gather(*(crew.leave() for crew in [*self._crews, self._flooder]))
        self._proxy.drop()
        stats = await self._settled()
        self._leaving.append(round(time.monotonic() - start, 1))
        return stats

    async def _live(self, seconds: float) -> None:
        """Waits, as long as all processes live."""
        ends = [asyncio.create_task(process.process.wait()) for process in [*self._crews, self._flooder, self._server]]
        done, waiting = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if done:
            raise RuntimeError("a process ended:\n" + "\n".join(self._troubles()))

    async def _settled(self) -> dict[str, Any]:
        """Waits until nothing is left of those who were there, or for as long as that may take."""
        end = time.monotonic() + SETTLE_TIMEOUT
        while True:
            stats = await self._server.stats()
            if time.monotonic() > end or is_empty(stats):
                return stats
            await asyncio.sleep(0.25)

    def _troubles(self) -> list[str]:
        return [
            *self._server.take_troubles(),
            *(line for crew in [*self._crews, self._flooder] for line in crew.troubles()),
        ]


def leftovers(stats: Mapping[str, Any]) -> dict[str, int]:
    """What is left in a server. Its namespaces are its own."""
    return {name: count for name, count in stats["left"].items() if count and name != "namespaces"}


def is_empty(stats: Mapping[str, Any]) -> bool:
    return not leftovers(stats)
