"""Processes, or pages of a browser, in which real clients do what scenarios say.

An agent takes commands, `{"id": 7, "do": "emit", "client": 3, …}`, and answers each with `{"reply": 7, "value": …}` or
`{"reply": 7, "error": "timeout"}`. In between it tells news, all there are: `{"client": 3, "namespace": "/", "news":
"event hello", "args": […], "transport": "polling"}`. Binary data is `{"$binary": <base64>}` in both directions.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.servers import ROOT, Process
from tests.pace import TIMEOUT

HERE = Path(__file__).parent
#: Where the Makefile installs the oldest release of python-socketio that speaks the protocol.
OLD_PYTHON = ROOT / ".venv" / "python-socketio-5.0"


@dataclass(frozen=True)
class Binary:
    """Binary data of a type that only some platforms have, such as Blob."""

    data: bytes
    kind: str


def encode(value: Any) -> Any:
    """For `json.dumps`: binary data as JSON."""
    if isinstance(value, Binary):
        return {"$binary": base64.b64encode(value.data).decode(), "kind": value.kind}
    return {"$binary": base64.b64encode(value).decode()}


def decode(pairs: dict[str, Any]) -> Any:
    """For `json.loads`: binary data from JSON."""
    if "$binary" not in pairs:
        return pairs
    data = base64.b64decode(pairs["$binary"])
    return Binary(data, pairs["kind"]) if "kind" in pairs else data


class CommandError(Exception):
    """A client could not do what it was told. The message says why, as the client's platform does."""


class Agent:
    """Knows which reply belongs to which command, and which news to which client."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._listeners: dict[int, Callable[[dict[str, Any]], None]] = {}
        #: The package of the client, and its version.
        self.name: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def write(self, line: str) -> None:
        raise NotImplementedError

    def new_client(self, listener: Callable[[dict[str, Any]], None]) -> int:
        """Returns the number of a client. Its news are given to the listener."""
        number = next(self._ids)
        self._listeners[number] = listener
        return number

    def forget_client(self, number: int) -> None:
        del self._listeners[number]

    async def do(self, command: str, client: int, **details: Any) -> Any:
        """Has a client do something. Returns its reply. Raises CommandError, or TimeoutError."""
        number = next(self._ids)
        self._replies[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "do": command, "client": client, **details}
        try:
            await self.write(json.dumps(message, default=encode))
            async with asyncio.timeout(2 * TIMEOUT):
                return await self._replies[number]
        finally:
            del self._replies[number]

    def take(self, report: str) -> None:
        """Takes a line that the agent reports."""
        message = json.loads(report, object_hook=decode)
        if "ready" in message:
            self.name.set_result(message["ready"])
        elif "news" in message:
            if listener := self._listeners.get(message["client"]):
                listener(message)
        elif (reply := self._replies.get(message["reply"])) and not reply.done():
            _settle(reply, message)


def _settle(reply: asyncio.Future[Any], message: dict[str, Any]) -> None:
    if message.get("error") == "timeout":
        reply.set_exception(TimeoutError())
    elif "error" in message:
        reply.set_exception(CommandError(message["error"]))
    else:
        reply.set_result(message["value"])


class ProcessAgent(Agent, Process):
    """One in a process of its own."""

    def __init__(self, command: Sequence[str | Path], path: Path | None = None) -> None:
        Agent.__init__(self)
        environment = {"PYTHONPATH": str(path)} if path else {}
        Process.__init__(self, command, environment, stdin=asyncio.subprocess.PIPE)

    async def serve(self) -> ProcessAgent:
        """Starts it. Returns itself."""
        await self.start("REPORT")
        return self

    async def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    async def _add(self, line: str) -> None:
        if line.startswith("REPORT "):
            self.take(line.removeprefix("REPORT "))
        if not self.name.done() or not line.startswith("REPORT "):
            await super()._add(line)
        elif not self.lines:
            await super()._add("REPORT")


def _node(package: str) -> Callable[[], ProcessAgent]:
    return lambda: ProcessAgent(["node", HERE / "agent.js", package])


def _python(kind: str, path: Path | None = None) -> Callable[[], ProcessAgent]:
    return lambda: ProcessAgent([sys.executable, HERE / "agent.py", kind], path)


#: The clients that run in a process. The first is the newest of the official ones.
PROCESSES: dict[str, Callable[[], ProcessAgent]] = {
    "node": _node("socket.io-client"),
    "node-4.0": _node("socket.io-client-4.0"),
    "node-3": _node("socket.io-client-3"),
    "python": _python("AsyncClient"),
    "python-sync": _python("Client"),
    "python-5.0": _python("AsyncClient", OLD_PYTHON),
    "python-5.0-sync": _python("Client", OLD_PYTHON),
}


class Agents:
    """The agents of a test run: each is started once, by the first test that asks for it."""

    def __init__(self) -> None:
        self._agents: dict[str, asyncio.Task[ProcessAgent]] = {}

    async def get(self, kind: str) -> ProcessAgent:
        """Returns the agent of a kind of client."""
        if kind not in self._agents:
            self._agents[kind] = asyncio.create_task(PROCESSES[kind]().serve())
        return await self._agents[kind]

    async def stop(self) -> None:
        """Ends all."""
        started = await asyncio.gather(*self._agents.values(), return_exceptions=True)
        await asyncio.gather(*(agent.stop() for agent in started if isinstance(agent, ProcessAgent)))
