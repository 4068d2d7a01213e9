"""The bundle of the official client in a page, as an agent that performs scenarios."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from playwright.async_api import Browser, BrowserContext, Page

from tests.conformance.scenarios.agents import HERE, Agent
from tests.conformance.servers import OPEN, Server

from .sample_server import CLIENT

#: Not the one without readable names, since scenarios use some that are not public.
BUNDLE = CLIENT.with_name("socket.io.js")
#: Of the servers that have a page.
SETTINGS = {**OPEN, "ROOT_URLCONF": "tests.conformance.project.urls"}
SCRIPTS = (BUNDLE, HERE / "agent.js")


class PageAgent(Agent):
    """One in a page."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.name.set_result("Chromium")
        #: The exceptions in it.
        self.errors: list[str] = []

    @classmethod
    async def open(cls, context: BrowserContext, server: Server) -> Self:
        """Opens a page of the server."""
        agent = cls(await context.new_page())
        agent.page.on("pageerror", lambda error: agent.errors.append(str(error)))
        await agent.page.expose_function("report", agent.take_all)
        # One script, since the browser runs several in any order.
        await agent.page.add_init_script("\n".join(script.read_text() for script in SCRIPTS))
        # A page of the server itself: one that Playwright answers for is to Chromium one of the internet, from which it
        # lets no WebSocket to this machine.
        await agent.page.goto(f"{server.url}/page")
        return agent

    async def write(self, line: str) -> None:
        await self.page.evaluate("line => void handle(JSON.parse(line))", line)

    def take_all(self, reports: Sequence[str]) -> None:
        for report in reports:
            self.take(report)


class PageAgents:
    """A page for each server, in which it is all the time."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._agents: dict[str, asyncio.Task[PageAgent]] = {}

    async def get(self, server: Server) -> PageAgent:
        if server.url not in self._agents:
            self._agents[server.url] = asyncio.create_task(self._open(server))
        return await self._agents[server.url]

    async def _open(self, server: Server) -> PageAgent:
        return await PageAgent.open(await self._browser.new_context(), server)

    async def check(self) -> None:
        """No page has thrown an exception."""
        agents = await asyncio.gather(*self._agents.values())
        assert [agent.errors for agent in agents if agent.errors] == []
