"""What a packet costs, counted in calls of our functions: `make bench` measures the time, and is no test.

A bound that is passed on purpose is to be raised here, and `make bench` to be run.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import sio
from sio import NamespaceSocket, SocketIOConsumer, get_socketio_server
from tests.asgi import Poller
from tests.client import SocketIOClient

PACKAGE = str(Path(sio.__file__).parent)
COUNT = 100


class Consumer(SocketIOConsumer):
    async def event_echo(self, socket: NamespaceSocket, text: str) -> str:
        return text


class Calls:
    """Counts the calls, and the resumptions, of functions of the package."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            self.count += 1

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        sys.setprofile(self.note)
        try:
            yield
        finally:
            sys.setprofile(None)


async def test_event_with_acknowledgement() -> None:
    client = await SocketIOClient(Consumer.as_asgi()).open()
    await client.connect()
    calls = Calls()
    for number in range(COUNT):
        client.emit("/", "echo", "text", ack_id=number)
        with calls.counted():
            await client.received(f'3{number}["text"]')
    assert calls.count / COUNT <= 48


async def test_broadcast() -> None:
    application = Consumer.as_asgi()
    clients = [await SocketIOClient(application).open() for _ in range(COUNT)]
    for client in clients:
        await client.connect()
    calls = Calls()
    with calls.counted():
        await get_socketio_server().emit("news", "text")
    for client in clients:
        await client.received('2["news","text"]')
    assert calls.count / COUNT <= 8


async def test_polling_round_trip() -> None:
    client = Poller(Consumer.as_asgi())
    await client.open()
    await client.post("40")
    await client.get()
    calls = Calls()
    for number in range(COUNT):
        with calls.counted():
            assert (await client.post(f'42{number}["echo","text"]')).text == "ok"
            assert (await client.get()).packets == [f'43{number}["text"]']
    assert calls.count / COUNT <= 132


async def test_idle_time() -> None:
    """A client that says nothing costs nothing until its ping is due."""
    client = await SocketIOClient(Consumer.as_asgi()).open()
    await client.connect()
    calls = Calls()
    with calls.counted():
        await asyncio.sleep(0.01)
    assert calls.count == 0
