"""Performs scenarios, those that wait with all clients at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.conformance.servers import Farm, Server
from tests.pace import TIMEOUT

from .agents import Agent
from .stage import Scenario, Stage

#: What no scenario takes, in seconds.
LIMIT = 4 * TIMEOUT


@dataclass(frozen=True)
class Part:
    """Who performs a scenario: a kind of client, and its transport."""

    client: str
    transport: str


class Company:
    """All who perform one scenario with one server at a time."""

    def __init__(self, scenario: Scenario, kind: str, parts: Sequence[Part], performer: Performer) -> None:
        self._scenario = scenario
        self._kind = kind
        self._performer = performer
        self._missing = set(parts)
        self._complete = asyncio.Event()
        self._server = asyncio.create_task(self._get_server())
        self._restarted = asyncio.create_task(self._restart()) if scenario.restarts else None
        self._tasks = {part: asyncio.create_task(self._perform(part)) for part in parts}
        self._end = asyncio.create_task(self._wait_for_end())

    async def _get_server(self) -> Server:
        if self._scenario.restarts:
            return await Server(self._kind, self._performer.settings(self._scenario)).serve()
        return await self._performer.server(self._scenario, self._kind)

    async def _perform(self, part: Part) -> list[str]:
        async def restart() -> None:
            assert self._restarted is not None
            self._arrive(part)
            await asyncio.shield(self._restarted)

        try:
            return await self._performer.perform(self._scenario, await self._server, part, restart)
        finally:
            self._arrive(part)

    def _arrive(self, part: Part) -> None:
        self._missing.discard(part)
        if not self._missing:
            self._complete.set()

    async def _restart(self) -> Server:
        """Restarts the server, once all who perform are ready for it, or have failed."""
        await self._complete.wait()
        server = await self._server
        troubles = server.take_troubles()
        await server.stop()
        assert not troubles
        return await Server(self._kind, server.settings, server.port).serve()

    async def _wait_for_end(self) -> None:
        await asyncio.wait(self._tasks.values())
        if self._restarted is not None:
            server = await self._restarted
            troubles = server.take_troubles()
            await server.stop()
            assert not troubles

    async def result(self, part: Part) -> list[str]:
        """Waits until all have performed it. Returns what `Performer.perform` returned for one of them."""
        try:
            return await self._tasks[part]
        finally:
            await self._end


class Performer:
    """Has agents perform scenarios."""

    def __init__(
        self, farm: Farm, get_agent: Callable[[str, Server], Awaitable[Agent]], extra: Mapping[str, Any] | None = None
    ) -> None:
        self._farm = farm
        self._get_agent = get_agent
        #: Settings that the clients need.
        self._extra = extra or {}
        self._companies: dict[tuple[str, str], Company] = {}

    def settings(self, scenario: Scenario) -> Mapping[str, Any]:
        return {**scenario.settings, **self._extra}

    async def server(self, scenario: Scenario, kind: str) -> Server:
        """Returns the server of a scenario that needs none of its own."""
        return await self._farm.get(kind, self.settings(scenario))

    async def perform(
        self, scenario: Scenario, server: Server, part: Part, restart: Callable[[], Awaitable[None]] | None = None
    ) -> list[str]:
        """Performs a scenario. Returns the reasons why it asserted something else than with other clients."""
        stage = Stage(server, await self._get_agent(part.client, server), part.client, part.transport, restart)
        async with asyncio.timeout(LIMIT), left(stage):
            await scenario.perform(stage)
        return stage.reasons

    async def perform_together(self, scenario: Scenario, kind: str, part: Part, parts: Iterable[Part]) -> list[str]:
        """Performs a scenario with all clients at a time, when it is asked for the first of them."""
        key = (scenario.name, kind)
        if key not in self._companies:
            self._companies[key] = Company(scenario, kind, list(parts), self)
        return await self._companies[key].result(part)


@contextlib.asynccontextmanager
async def left(stage: Stage) -> AsyncIterator[None]:
    """Ends all clients of a stage."""
    try:
        yield
    finally:
        await stage.leave()
