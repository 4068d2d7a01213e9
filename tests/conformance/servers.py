"""Servers as processes of their own: `sio` on Daphne and on uvicorn, and the official one on Node.

A process's output is read as it comes: what it logs, and a line `HOOK {…}` for each hook that runs in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.conftest import free_port
from tests.pace import TIMEOUT, ms

from .forks import Fork, can_run

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
APPLICATION = "tests.conformance.project.asgi:application"

#: Timers that no test waits for.
CALM = {"SIO_CORS_ALLOWED_ORIGINS": ["https://friend.example", "https://*.friends.example"]}
#: Every page of the web may connect.
OPEN = {"SIO_CORS_ALLOWED_ORIGINS": "*"}
#: The timers of the official test suites, for tests that wait for them. Each is well apart from the others.
HASTY = {
    "SIO_ENGINEIO_PING_INTERVAL_MS": ms(300),
    "SIO_ENGINEIO_PING_TIMEOUT_MS": ms(200),
    "SIO_UPGRADE_TIMEOUT_MS": ms(250),
    "SIO_CONNECT_TIMEOUT_MS": ms(350),
    "SIO_MAX_QUEUED_EVENTS": 20,
}

#: The settings of the two official protocol suites, with the applications that they talk to: an echo of Engine.IO
#: messages, and two namespaces of Socket.IO.
OFFICIAL_SUITE = {
    "SIO_ENGINEIO_PING_INTERVAL_MS": 300,
    "SIO_ENGINEIO_PING_TIMEOUT_MS": 200,
    "SIO_ENGINEIO_MAX_PAYLOAD_BYTES": 1_000_000,
    "SIO_CONNECT_TIMEOUT_MS": 1000,
}
ENGINEIO_APPLICATION, SOCKETIO_APPLICATION = {"APPLICATION": "engineio"}, {"APPLICATION": "suite"}

#: Those, for the same cases as transcripts.
SUITE = {name: value if "BYTES" in name else ms(value) for name, value in OFFICIAL_SUITE.items()}
ENGINEIO_SUITE = {**SUITE, **ENGINEIO_APPLICATION}
SOCKETIO_SUITE = {**SUITE, **SOCKETIO_APPLICATION}

#: For hostile input: servers of its own, on which everything that is left behind is counted.
HOSTILE = {**CALM, "UNRULY": True}
HOSTILE_HASTY = {**HASTY, "SIO_UPGRADE_TIMEOUT_MS": ms(100), "UNRULY": True}

#: Pages of one other origin may connect, on the official server too.
CORS = {"SIO_CORS_ALLOWED_ORIGINS": ["https://friend.example"]}

#: What transcripts name their settings.
SETTINGS: dict[str, Mapping[str, Any]] = {
    "calm": CALM,
    "hasty": HASTY,
    "cors": CORS,
    "engineio-suite": ENGINEIO_SUITE,
    "socketio-suite": SOCKETIO_SUITE,
    "hostile": HOSTILE,
    "hostile-hasty": HOSTILE_HASTY,
}

#: The servers that most tests run on.
OURS = ("daphne", "uvicorn")

#: Our settings under the names that the official server has for them.
NODE_OPTIONS = {
    "SIO_ENGINEIO_PING_INTERVAL_MS": "pingInterval",
    "SIO_ENGINEIO_PING_TIMEOUT_MS": "pingTimeout",
    "SIO_UPGRADE_TIMEOUT_MS": "upgradeTimeout",
    "SIO_CONNECT_TIMEOUT_MS": "connectTimeout",
    "SIO_ENGINEIO_MAX_PAYLOAD_BYTES": "maxHttpBufferSize",
}

#: What must not be in a server's log.
_TROUBLE = re.compile(r"Traceback|^ERROR|^CRITICAL|Warning:|never retrieved|never awaited|Exception ignored|Unhandled")

_NOISE = [
    # Of uvicorn, for a WebSocket that is refused with a response, where something is between its `send` and `sio`.
    "ASGI callable returned without completing handshake.",
    # The number of what was logged in full before, and judged then: it comes ten seconds later, in another test.
    " more times in the last ",
    # When a client leaves that had sent another request behind its poll, on uvloop: only the last is told of it, and
    # the poll cannot be answered. A request that is not answered fails its test by itself.
    "ASGI callable returned without completing response.",
]

#: The longest line that a process may print, in bytes.
LINE_LIMIT = 2**24


class Process:
    """A process whose output is read line by line."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
    ) -> None:
        self.stdin = stdin
        self.command = [str(part) for part in command]
        self.environment = {**os.environ, **(environment or {})}
        self.lines: list[str] = []
        self._changed = asyncio.Condition()

    async def start(self, ready: str) -> None:
        """Starts it, and waits for a line with `ready` in it."""
        self.process: Fork | asyncio.subprocess.Process
        self.process = await (self._fork() if can_run(self.command) else self._execute())
        self._reader = asyncio.create_task(self._read())
        await self.line(lambda line: ready in line)

    async def _fork(self) -> Fork:
        return await Fork.start(self.command, ROOT, self.environment, LINE_LIMIT)

    async def _execute(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.command,
            cwd=ROOT,
            env=self.environment,
            stdin=self.stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_LIMIT,
            # A shell that runs the tests in the background has them ignore it, and whatever they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            await self._add(line.decode(errors="replace").rstrip("\n"))
        await self._add("(end of output)")

    async def _add(self, line: str) -> None:
        async with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    async def line(self, matches: Callable[[str], Any], timeout: float = TIMEOUT) -> str:
        """Waits for a line."""
        return str(await self._first(self.lines, matches, timeout))

    async def _first(self, items: Sequence[Any], matches: Callable[[Any], Any], timeout: float) -> Any:
        """Waits for an item of a list that grows as the output comes."""
        seen = 0

        def found() -> Any:
            nonlocal seen
            new, seen = items[seen:], len(items)
            return next(filter(matches, new), None)

        try:
            async with asyncio.timeout(timeout), self._changed:
                return await self._changed.wait_for(found)
        except TimeoutError:
            raise AssertionError("not in the output:\n" + "\n".join(self.lines[-200:])) from None

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    async def ended(self, timeout: float = TIMEOUT) -> int:
        """Waits for the end of the process and of its output. Returns its exit status."""
        async with asyncio.timeout(timeout):
            await self._reader
            return await self.process.wait()

    async def stop(self) -> None:
        """Ends the process. Idempotent."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                if self.is_running:
                    self.send_signal(number)
                await self.ended()


class Server(Process):
    """A Socket.IO server. `kind` is node, daphne or uvicorn."""

    def __init__(
        self, kind: str, settings: Mapping[str, Any], port: int | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.kind = kind
        self.settings = settings
        self.port = port or free_port()
        #: Where the application is that clients talk to.
        self.path = "/engine.io/" if settings.get("APPLICATION") == "engineio" else "/socket.io/"
        self.url = f"http://127.0.0.1:{self.port}"
        self._forgiven = [*_NOISE]
        self._checked = 0
        self._reports: list[dict[str, Any]] = []
        command, self._ready = COMMANDS[kind](host, str(self.port), settings)
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.conformance.project.settings",
            "SIO_CONFORMANCE_SETTINGS": json.dumps(settings),
        }
        super().__init__(command, environment)

    async def serve(self) -> Server:
        """Starts it. Returns itself."""
        try:
            await self.start(self._ready)
            await self._listening()
        except BaseException:
            await self.stop()
            raise
        return self

    async def _listening(self) -> None:
        """Granian says that its worker started before that listens."""
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                return writer.close()
            await asyncio.sleep(0.01)

    async def _add(self, line: str) -> None:
        if line.startswith("HOOK "):
            self._reports.append(json.loads(line.removeprefix("HOOK ")))
        await super()._add(line)

    def hooks(self, socket_id: str, hook: str) -> list[dict[str, Any]]:
        """What a hook reported of a socket, so far."""
        return [report for report in self._reports if _has(report, {"id": socket_id, "hook": hook})]

    def ended_sockets(self, among: Container[str]) -> list[str]:
        """Returns the sockets whose disconnect hooks have run, in their order."""
        return [report["id"] for report in self._reports if report["hook"] == "disconnect" and report["id"] in among]

    async def report(self, **details: Any) -> dict[str, Any]:
        """Waits for a report with these details."""
        return dict(await self._first(self._reports, lambda report: _has(report, details), TIMEOUT))

    async def hook(self, socket_id: str, hook: str) -> dict[str, Any]:
        """Waits for a hook to report of a socket."""
        return await self.report(id=socket_id, hook=hook)

    async def reason(self, socket_id: str) -> str:
        """Waits for the disconnect hook of a socket. Returns its reason."""
        return str((await self.hook(socket_id, "disconnect"))["reason"])

    def forgive(self, *texts: str) -> None:
        """Says that a test means to cause lines of the log with one of `texts`."""
        self._forgiven += texts

    def take_troubles(self) -> list[str]:
        """Returns the lines of the log that should not be there, but for those that were returned before."""
        lines, self._checked = self.lines[self._checked :], len(self.lines)
        forgiven, self._forgiven = self._forgiven, [*_NOISE]
        return [line for line in lines if _TROUBLE.search(line) and not any(text in line for text in forgiven)]


def _has(report: Mapping[str, Any], details: Mapping[str, Any]) -> bool:
    return all(report.get(name) == detail for name, detail in details.items())


#: How a server is started, and what it says when it serves.
Command = tuple[list[str | Path], str]


def _node(host: str, port: str, settings: Mapping[str, Any]) -> Command:
    options = {NODE_OPTIONS[name]: value for name, value in settings.items() if name in NODE_OPTIONS}
    if settings is CORS:
        options["cors"] = {"origin": settings["SIO_CORS_ALLOWED_ORIGINS"], "credentials": True}
    script = "reference_suites.js" if "APPLICATION" in settings else "reference_server.js"
    return ["node", HERE / script, port, json.dumps(options)], "listening"


def _daphne(host: str, port: str, settings: Mapping[str, Any]) -> Command:
    options = ["-b", host, "-p", port, "--access-log", os.devnull]
    return [sys.executable, "-m", "daphne", *options, APPLICATION], "Listening on TCP address"


def _uvicorn(
    host: str,
    port: str,
    settings: Mapping[str, Any],
    loop: str = "uvloop",
    http: str = "httptools",
    websockets: str = "auto",
) -> Command:
    # Without a limit, it waits at its end for the polls that are open, which is up to a ping interval.
    options = ["--host", host, "--port", port, "--no-access-log", "--timeout-graceful-shutdown", "1"]
    parts = ["--loop", loop, "--http", http, "--ws", websockets]
    return [sys.executable, "-m", "uvicorn", *options, *parts, APPLICATION], "Uvicorn running on"


def _hypercorn(host: str, port: str, settings: Mapping[str, Any]) -> Command:
    # No process of its own for its one worker.
    options = ["--bind", f"{host}:{port}", "--graceful-timeout", "1", "--workers", "0"]
    return [sys.executable, "-m", "hypercorn", *options, APPLICATION], "Running on"


def _granian(host: str, port: str, settings: Mapping[str, Any]) -> Command:
    options = ["--interface", "asgi", "--host", host, "--port", port, "--workers", "1", "--no-access-log"]
    return [sys.executable, "-m", "granian", *options, APPLICATION], "Started worker-1"


COMMANDS: dict[str, Callable[[str, str, Mapping[str, Any]], Command]] = {
    "node": _node,
    "daphne": _daphne,
    "uvicorn": _uvicorn,
    # All that uvicorn can do without the compiled libraries.
    "uvicorn-wsproto": partial(_uvicorn, loop="asyncio", http="h11", websockets="wsproto"),
    "hypercorn": _hypercorn,
    "granian": _granian,
}


@contextlib.asynccontextmanager
async def running(kind: str, settings: Mapping[str, Any] = CALM, port: int | None = None) -> AsyncIterator[Server]:
    """A server of a test's own, for what other tests would mind."""
    server = Server(kind, settings, port)
    try:
        yield await server.serve()
    finally:
        await server.stop()


class Farm:
    """The servers of a test run: each kind is started once with each settings, and again after a test that ended it."""

    def __init__(self) -> None:
        self._servers: dict[str, asyncio.Task[Server]] = {}

    async def get(self, kind: str, settings: Mapping[str, Any] = CALM) -> Server:
        """Returns a server that several tests use. Starts it if there is none that runs."""
        key = f"{kind} {json.dumps(settings)}"
        if key not in self._servers or _is_lost(self._servers[key]):
            self._servers[key] = asyncio.create_task(Server(kind, settings).serve())
        return await self._servers[key]

    async def stop(self) -> None:
        """Ends all."""
        started = await asyncio.gather(*self._servers.values(), return_exceptions=True)
        await asyncio.gather(*(server.stop() for server in started if isinstance(server, Server)))


def _is_lost(start: asyncio.Task[Server]) -> bool:
    """Whether a server did not start, or has ended since."""
    return start.done() and (start.cancelled() or start.exception() is not None or not start.result().is_running)
