"""What clients and hooks see when the server goes, by a signal or by the autoreloader of `runserver`.

Every hook runs with the reason `server shutting down`, once, and to its end if that comes before the deadline. A
WebSocket is closed, with 1012 where the server lets an application say so. A poll that waits is answered as all later
ones are, that its session is gone: after the close packet, python-socketio would not come back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.pace import PACE

from .conftest import OURS, fixture
from .crowd import Crowd
from .http import control, request
from .scenarios.agents import Agents
from .scenarios.client import Client
from .servers import CALM, Server, running
from .wire import Wire

REASON = "server shutting down"
CLOSED = {"uvicorn": "closed 1012", "daphne": "closed 1000"}
#: A project in a directory that a test may write to, with a hook that uses a thread, as those that use the database do.
PROJECT = {
    "runserver_settings.py": """
from tests.conformance.project.settings import *

INSTALLED_APPS = ["daphne", *INSTALLED_APPS]
ASGI_APPLICATION = "runserver_asgi.application"
""",
    "runserver_asgi.py": """
from asgiref.sync import sync_to_async
from tests.conformance.project import consumers


class ThreadedConsumer(consumers.MainConsumer):
    namespace = "/threaded"

    async def disconnect(self, socket, reason):
        await sync_to_async(consumers.report)(socket, "parted")


consumers.CONSUMERS.append(ThreadedConsumer)
from tests.conformance.project.asgi import application
""",
}
#: How uvicorn is told to wait at its end for open polls: by default, without a limit.
OPTIONS = {"uvicorn": [], "uvicorn with a limit": ["--timeout-graceful-shutdown", "3"], "daphne": []}


class Runserver(Server):
    """Daphne, as Django's `runserver` starts it."""

    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__("daphne", CALM)
        self._directory = directory
        for name, text in PROJECT.items():
            (directory / name).write_text(text)
        self.command = [sys.executable, "-m", "django", "runserver", f"127.0.0.1:{self.port}", *options]
        path = os.pathsep.join(filter(None, [str(directory), os.environ.get("PYTHONPATH")]))
        self.environment |= {"DJANGO_SETTINGS_MODULE": "runserver_settings", "PYTHONPATH": path}

    async def reload(self) -> None:
        """Changes a file of the project until the autoreloader notices, as it does once it has seen the file."""
        for _ in range(10):
            with (self._directory / "runserver_asgi.py").open("a") as file:
                file.write("# changed\n")
            with contextlib.suppress(AssertionError):
                await self.line(lambda line: "changed, reloading" in line, timeout=PACE)
                return

    def starts(self) -> int:
        """How often it has begun to listen."""
        return sum(self._ready in line for line in self.lines)


S = TypeVar("S", bound=Server)


@contextlib.asynccontextmanager
async def serving(server: S) -> AsyncIterator[S]:
    try:
        await server.serve()
        yield server
    finally:
        await server.stop()


def patient(kind: str, port: int | None = None) -> Server:
    """A server of one of the kinds in OPTIONS."""
    server = Server(kind.partition(" ")[0], CALM, port)
    if "--timeout-graceful-shutdown" in server.command:
        at = server.command.index("--timeout-graceful-shutdown")
        server.command[at : at + 2] = OPTIONS[kind]
    return server


@fixture
async def crowd() -> AsyncIterator[Crowd]:
    crowd = Crowd()
    yield crowd
    await crowd.leave()


def reasons(server: Server, socket_id: str) -> list[Any]:
    return [report["reason"] for report in server.hooks(socket_id, "disconnect")]


async def ended(server: Server) -> None:
    """Waits for the end of a server that got a signal."""
    assert await server.ended() in (0, -signal.SIGTERM, -signal.SIGINT)
    if any("in send_500_response" in line for line in server.lines):
        # uvicorn answers a WebSocket in the middle of its handshake with 500, and then again, which it may not.
        server.forgive("never retrieved", "Traceback")
    assert not server.take_troubles()


async def end(kind: str, number: signal.Signals) -> None:
    """Ends a server with a client on a WebSocket, one in a poll, and one between two polls."""
    async with serving(patient(kind)) as server:
        wire = Wire(server)
        websocket, polling, idle = await wire.websocket(), await wire.polling(), await wire.polling()
        ids = [await session.join() for session in (websocket, polling, idle)]
        poll = await polling.start_get()
        server.send_signal(number)
        assert (await websocket.drain())[-1] == CLOSED[server.kind]
        assert (await poll.response()).text == '{"code":1,"message":"Session ID unknown"}'
        await ended(server)
        assert [reasons(server, socket_id) for socket_id in ids] == [[REASON]] * 3


@pytest.mark.parametrize("kind", OURS)
async def test_signal_ends_all_sessions_in_an_orderly_way(kind: str) -> None:
    await asyncio.gather(*(end(kind, number) for number in (signal.SIGTERM, signal.SIGINT)))


@pytest.mark.parametrize("kind", OPTIONS)
async def test_crowd_is_sent_away_and_comes_back_to_the_next_server(kind: str, crowd: Crowd, agents: Agents) -> None:
    async with serving(patient(kind)) as server:
        await crowd.gather(server, agents)
        server.send_signal(signal.SIGTERM)
        await ended(server)
        await crowd.disconnected()
        assert [reasons(server, socket_id) for socket_id in crowd.ids] == [[REASON]] * len(crowd.ids)
    async with serving(patient(kind, server.port)) as server:
        await crowd.back()
        assert not server.take_troubles()


async def test_crowd_survives_a_reload_of_runserver(tmp_path: Path, crowd: Crowd, agents: Agents) -> None:
    async with serving(Runserver(tmp_path)) as server:
        await crowd.gather(server, agents)
        await server.reload()
        await crowd.disconnected()
        await crowd.back()
        assert server.starts() == 2
        server.forgive("503")  # to clients that came back before it was gone; its access log calls that an error
        assert [reasons(server, socket_id) for socket_id in crowd.ids] == [[REASON]] * len(crowd.ids)
        assert not server.take_troubles()


async def test_hook_can_use_threads_during_a_reload(tmp_path: Path) -> None:
    async with serving(Runserver(tmp_path)) as server:
        session = await Wire(server).member("websocket", "/threaded")
        await server.reload()
        assert await session.drain() == ["closed 1000"]
        await server.hook(session.id, "parted")
        assert not server.take_troubles()


async def test_runserver_without_autoreload_ends_by_a_signal(tmp_path: Path) -> None:
    async with serving(Runserver(tmp_path, "--noreload")) as server:
        session = await Wire(server).member("websocket")
        server.send_signal(signal.SIGTERM)
        assert await session.drain() == ["closed 1000"]
        await ended(server)
        assert reasons(server, session.id) == [REASON]


@pytest.mark.parametrize("kind", OURS)
async def test_hook_that_takes_its_time_runs_to_its_end(kind: str) -> None:
    async with serving(patient(kind)) as server:
        wire = Wire(server)
        sessions = [await wire.member("websocket", "/parting"), await wire.member("polling", "/parting")]
        server.send_signal(signal.SIGTERM)
        await ended(server)
        assert all(server.hooks(session.id, "parted") for session in sessions)


@pytest.mark.parametrize("kind", OURS)
async def test_hooks_that_miss_the_deadline_are_cancelled_and_counted_once(kind: str) -> None:
    async with running(kind, {**CALM, "SIO_SHUTDOWN_TIMEOUT_MS": 50}) as server:
        wire = Wire(server)
        sessions = [await wire.member("websocket", "/parting"), await wire.member("polling", "/parting")]
        server.send_signal(signal.SIGTERM)
        await server.ended()
        assert not any(server.hooks(session.id, "parted") for session in sessions)
        assert [reasons(server, session.id) for session in sessions] == [[REASON]] * 2
        (trouble,) = server.take_troubles()
        assert "Cancelled 2 hooks and handlers that took longer than SIO_SHUTDOWN_TIMEOUT_MS" in trouble


@pytest.mark.parametrize("kind", OURS)
async def test_handshake_is_refused_while_the_server_ends(kind: str) -> None:
    async with serving(patient(kind)) as server:
        session = await Wire(server).member("websocket", "/parting")
        server.send_signal(signal.SIGTERM)
        await session.drain()
        assert (await request(server, "GET", "/socket.io/?EIO=4&transport=polling")).status == 503
        await ended(server)


@pytest.mark.parametrize("kind", ["node", *OURS])
async def test_server_that_is_closed_ends_all_sessions(kind: str, agents: Agents) -> None:
    async with running(kind) as server:
        wire = Wire(server)
        websocket, polling, idle = await wire.websocket(), await wire.polling(), await wire.polling()
        ids = [await session.join() for session in (websocket, polling, idle)]
        client = Client(await agents.get("node"), server.url, "upgrade")
        await client.connect()
        await client.ends_on("websocket")
        ids.append(client.id)
        poll = await polling.start_get()
        await control(server, "close")
        assert await websocket.drain() in (["closed 1005"], ["closed 1000"])
        assert (await poll.response()).text == "1"
        assert await client.disconnected() == "transport close"
        await client.drop()
        assert [await server.reason(socket_id) for socket_id in ids] == [REASON] * 4
