"""`sio.emitter` where it is used: in a view of each server, and in processes that serve no clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .conftest import Bystanders, unharmed
from .servers import Farm, Server
from .test_cluster import settings
from .wire import Wire

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = ("uvicorn", "daphne")
VIEWS: dict[str, object] = {"ROOT_URLCONF": "tests.conformance.project.urls"}
THREADS, EVENTS = 4, 250

#: A script of a project, or a management command: there is no event loop, and no server.
SCRIPT = """
import json, os, sys, django
from django.conf import settings
settings.configure(INSTALLED_APPS=["channels", "sio"], **json.loads(sys.argv[1]))
django.setup()
import sio
from sio import emitter
"""


@contextlib.asynccontextmanager
async def served(
    kind: str, farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest, layer: dict[str, object]
) -> AsyncIterator[Server]:
    server = await farm.get(kind, layer)
    async with unharmed(server, bystanders, request.node):
        yield server


@pytest.mark.parametrize("kind", KINDS)
async def test_view_that_is_not_async_emits(
    kind: str, farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest
) -> None:
    """Without a channel layer: its thread is one of the process that serves the clients."""
    async with served(kind, farm, bystanders, request, VIEWS) as server, Wire(server) as wire:
        members = [await wire.member(transport) for transport in ("websocket", "polling")]
        for member in members:
            await member.call("join", "red")
        answer = await wire.http("GET", "/emit/red/3")
        assert answer.text == "sent"
        for member in members:
            assert [await member.event() for _ in range(3)] == [["news", number] for number in range(3)]


async def run(script: str, layer: dict[str, object]) -> str:
    """Runs a script of a project with a channel layer. Returns what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRIPT + script,
        json.dumps(layer),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.mark.parametrize(
    "statement",
    [
        "sio.emit('news', 0, room='red')",
        "emitter.to('red', 'nowhere').except_('blue').emit('news', 0)",
        "import asyncio; asyncio.run(sio.aemit('news', 0, room='red'))",
        "import multiprocessing; sio.emit('x'); p = multiprocessing.get_context('fork').Process("
        "target=sio.emit, args=('news', 0), kwargs={'room': 'red'}); p.start(); p.join()",
    ],
    ids=["emit", "emitter", "asyncio.run", "after a fork"],
)
@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_process_without_clients_emits(
    layer: str, statement: str, farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest, redis_url: str
) -> None:
    """And ends at once, with no thread that keeps it."""
    options = settings(layer, redis_url)
    async with served("uvicorn", farm, bystanders, request, options) as server, Wire(server) as wire:
        member = await wire.member("websocket")
        await member.call("join", "red")
        assert await run(statement, options) == ""
        event = await member.event()
        assert (event if event != ["x"] else await member.event()) == ["news", 0]


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_many_events_of_many_threads_need_one_connection(
    layer: str, farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest, redis_url: str
) -> None:
    options = settings(layer, redis_url)
    script = f"""
import threading, redis
def emit_all(thread):
    for number in range({EVENTS}):
        emitter.to("red").emit("news", thread, number)
emitter.to("red").emit("begin")
before = redis.Redis.from_url({redis_url!r}).info("stats")["total_connections_received"]
threads = [threading.Thread(target=emit_all, args=(number,)) for number in range({THREADS})]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(redis.Redis.from_url({redis_url!r}).info("stats")["total_connections_received"] - before - 1)
"""
    async with served("uvicorn", farm, bystanders, request, options) as server, Wire(server) as wire:
        member = await wire.member("websocket")
        await member.call("join", "red")
        asked = asyncio.ensure_future(run(script, options))
        assert await member.event() == ["begin"]
        numbers: list[list[int]] = [[] for _ in range(THREADS)]
        for _ in range(THREADS * EVENTS):
            _, thread, number = await member.event()
            numbers[thread].append(number)
        assert numbers == [list(range(EVENTS))] * THREADS
        assert int(await asked) == 0


async def test_layer_that_is_down_is_logged_and_holds_nobody_up() -> None:
    options = settings("pubsub", "redis://127.0.0.1:1/0")
    assert "The channel layer failed" in await run("sio.emit('x'); sio.emit('x')", options)
