"""How the servers are started."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.conftest import free_port
from tests.ensure_services import find

from .processes import LOAD_CORE, Process

HERE = Path(__file__).parent

#: In the order of tables. Those in Python are modules of `servers` with an ASGI `application`.
SERVERS = {
    "floor": "floor",
    "sio": "sio",
    "channels": "channels",
    "python-socketio": "python_socketio",
    "node": "",
}

#: Of what is not to happen, in seconds.
A_LONG_TIME = 3600
#: Engine.IO has a heartbeat of its own. That of WebSocket, which uvicorn has beside it, would be counted with it.
NO_WEBSOCKET_PINGS = str(A_LONG_TIME)


def _uvicorn(application: str, port: int, websockets: str = "websockets-sansio") -> list[str]:
    implementations = ["--loop", "uvloop", "--http", "httptools", "--ws", websockets]
    logs = ["--no-access-log", "--log-level", "warning", "--ws-ping-interval", NO_WEBSOCKET_PINGS]
    return ["uvicorn", *implementations, *logs, "--port", str(port), application]


def _daphne(application: str, port: int) -> list[str]:
    return ["daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", "--access-log", os.devnull, application]


def _granian(application: str, port: int) -> list[str]:
    # By default it refuses connections beyond a thousand.
    options = ["--interface", "asgi", "--workers", "1", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    return ["granian", *options, "--backlog", "8192", "--backpressure", "8192", "--port", str(port), application]


ASGI_SERVERS: dict[str, Callable[[str, int], list[str]]] = {
    # What it takes by default, and its older implementation, which is dearer for everybody: multiples shrink on it.
    "uvicorn": _uvicorn,
    "uvicorn-websockets": partial(_uvicorn, websockets="websockets"),
    "daphne": _daphne,
    "granian": _granian,
}


@contextlib.contextmanager
def serve(
    server: str, asgi_server: str, core: int, ping_interval_ms: int, redis_url: str = ""
) -> Iterator[tuple[Process, str]]:
    """Runs a server. Yields its process and its URL."""
    port = free_port()
    with Process(command(server, asgi_server, port), core, environment(ping_interval_ms, redis_url)) as process:
        process.wait_for_port(port)
        yield process, f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def serve_under(tool: Sequence[str | Path], server: str, core: int) -> Iterator[tuple[Process, str]]:
    """Runs a server in Python, under another program, on uvicorn without its clock. Yields its process and its URL.

    Nothing happens because time passes: no heartbeat, no time-out. Hashes are the same in every run.
    """
    port = free_port()
    options = [*_uvicorn(application(server), port)[1:], "--timeout-keep-alive", str(A_LONG_TIME)]
    timeless = [*tool, sys.executable, "-m", "tests.benchmarks.servers.timeless", *options]
    with Process(timeless, core, {**environment(A_LONG_TIME * 1000), "PYTHONHASHSEED": "0"}) as process:
        process.wait_for_port(port)
        yield process, f"http://127.0.0.1:{port}"


def environment(ping_interval_ms: int, redis_url: str = "") -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.servers.settings",
        "BENCHMARK_PING_INTERVAL_MS": str(ping_interval_ms),
        "BENCHMARK_REDIS_URL": redis_url,
    }


def command(server: str, asgi_server: str, port: int) -> list[str | Path]:
    if server == "node":
        return ["node", HERE / "servers" / "node.js", str(port)]
    return [sys.executable, "-m", *ASGI_SERVERS[asgi_server](application(server), port)]


def application(server: str) -> str:
    return f"tests.benchmarks.servers.{SERVERS[server]}:application"


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """Runs a Redis server, in memory, where the load is. Yields its URL."""
    executable = find("redis")
    assert executable, "redis-server is missing: 'make bench' sets it up"
    port = free_port()
    with Process([executable, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], LOAD_CORE) as process:
        process.wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
