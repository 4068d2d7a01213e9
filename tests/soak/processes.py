"""The processes of a run: the server under test, and those that its clients are in."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance.http import control
from tests.conformance.servers import ROOT, Process, Server

APPLICATION = "tests.soak.project.asgi:application"

#: Timers that are over many times in a minute, and that a busy machine of two cores keeps.
SETTINGS = {
    "SIO_ENGINEIO_PING_INTERVAL_MS": 1000,
    "SIO_ENGINEIO_PING_TIMEOUT_MS": 1500,
    "SIO_UPGRADE_TIMEOUT_MS": 1000,
    "SIO_CONNECT_TIMEOUT_MS": 3000,
}

NODE_CLIENTS = ["node", ROOT / "tests/soak/node_clients.js"]
PYTHON_CLIENTS = [sys.executable, "-m", "tests.soak.python_clients"]
FLOODER = [sys.executable, "-m", "tests.soak.flooder"]

#: In seconds: longer than it takes a client to notice whatever the proxy did to it.
LEAVE_TIMEOUT = 40.0

#: What clients print of a connection that they give up: python-socketio, whose loop that writes waited for too long.
NO_TROUBLE = {"READY", "LEFT", "(end of output)", "packet queue is empty, aborting"}

#: Takes the records that a process prints.
Take = Callable[[Mapping[str, Any]], None]


class SoakServer(Server):
    """Serves the consumer that writes down what it gets and sends."""

    def __init__(self, kind: str, take: Take) -> None:
        super().__init__(kind, SETTINGS)
        self.command[-1] = APPLICATION
        self._take = take

    async def _add(self, line: str) -> None:
        if line.startswith("RECORD "):
            self._take(json.loads(line.removeprefix("RECORD ")))
        else:
            await super()._add(line)

    async def stats(self) -> dict[str, Any]:
        return dict(await control(self, "stats"))


class Crew(Process):
    """A process with clients in it, which come and leave together as they are told."""

    def __init__(self, command: list[Any], clients: int, take: Take) -> None:
        super().__init__(command, stdin=asyncio.subprocess.PIPE)
        self.clients = clients
        self._take = take
        self._left = 0

    async def _add(self, line: str) -> None:
        if line.startswith("RECORD "):
            self._take(json.loads(line.removeprefix("RECORD ")))
        else:
            await super()._add(line)

    def run(self, port: int, seed: int) -> None:
        """Has the clients come."""
        self._tell({"run": {"url": f"http://127.0.0.1:{port}", "clients": self.clients, "seed": seed}})

    async def leave(self) -> None:
        """Has them leave, and waits until they are gone."""
        self._tell({"leave": True})
        self._left += 1
        left = self._left

        def all_left(line: str) -> bool:
            return self.lines.count("LEFT") >= left

        await self.line(all_left, LEAVE_TIMEOUT)

    def _tell(self, command: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")

    def troubles(self) -> list[str]:
        """What it printed and should not have: anything but its answers."""
        return [line for line in self.lines if line not in NO_TROUBLE]
