"""The official client, in one Node process for all tests. Its scenarios are in `node_scenarios.js`."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from .servers import HERE, Process, Server

#: Ends on polling, ends on WebSocket, and moves from the one to the other.
NODE_TRANSPORTS = ("polling", "websocket", "upgrade")


class NodeClient(Process):
    """Performs scenarios."""

    def __init__(self) -> None:
        super().__init__(["node", HERE / "node_client.js"], stdin=asyncio.subprocess.PIPE)
        self._ids = itertools.count()

    def start_scenario(self, scenario: str, server: Server, transport: str, *args: Any) -> Scenario:
        """Has the client begin something."""
        task = {"id": next(self._ids), "url": server.url, "transport": transport, "scenario": scenario, "args": args}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(task).encode() + b"\n")
        return Scenario(self, task["id"])

    async def perform(self, scenario: str, server: Server, transport: str, *args: Any) -> Any:
        """Has the client do something. Returns what it saw."""
        return await self.start_scenario(scenario, server, transport, *args).result()


class Scenario:
    """One that is being performed."""

    def __init__(self, client: NodeClient, number: int) -> None:
        self._client = client
        self._number = number

    async def _message(self, kind: str) -> dict[str, Any]:
        start = f'{kind} {{"id":{self._number},'
        line = await self._client.line(lambda line: line.startswith(start), timeout=20)
        return dict(json.loads(line.removeprefix(kind)))

    async def news(self) -> Any:
        """Waits for what it tells before its end."""
        return (await self._message("NEWS"))["news"]

    async def result(self) -> Any:
        """Waits for its end. Returns what it saw."""
        message = await self._message("RESULT")
        assert "error" not in message, message["error"]
        return message["value"]
