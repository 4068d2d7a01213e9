"""Volatile events: sent if they can leave at once, else dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer, get_socketio_server
from sio.engineio.registry import registry
from tests.asgi import Poller
from tests.client import SocketIOClient


class Consumer(SocketIOConsumer):
    socket: NamespaceSocket

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        type(self).socket = socket
        await socket.emit("early", volatile=True)
        return True


@pytest.fixture
def app() -> Any:
    return Consumer.as_asgi()


@pytest.fixture
async def client(app: Any) -> SocketIOClient:
    client = await SocketIOClient(app).open()
    await client.connect()
    return client


async def test_client_that_keeps_up_gets_them(client: SocketIOClient) -> None:
    await Consumer.socket.emit("a", volatile=True)
    await Consumer.socket.send("b", volatile=True)
    await get_socketio_server().emit("c", b"\x01", volatile=True)
    # Nothing comes before them: what was volatile before the client was accepted is gone.
    await client.received('2["a"]', '2["message","b"]', '51-["c",{"_placeholder":true,"num":0}]', b"\x01")


async def test_client_that_does_not_read_misses_them_and_nothing_else(client: SocketIOClient) -> None:
    client.websocket.taken.clear()
    await Consumer.socket.emit("blocks")
    await Consumer.socket.emit("lost", volatile=True)
    await get_socketio_server().emit("lost too", volatile=True)
    await Consumer.socket.emit("kept")
    client.websocket.taken.set()
    await client.received('2["blocks"]', '2["kept"]')
    await Consumer.socket.emit("again", volatile=True)
    await client.received('2["again"]')


async def test_poll_that_waits_takes_one(app: Any) -> None:
    poller = Poller(app)
    await poller.open()
    await poller.post("40")
    await poller.get()
    await Consumer.socket.emit("lost", volatile=True)
    poll = poller.get()
    await asyncio.sleep(0.001)
    await Consumer.socket.emit("first", volatile=True)
    await Consumer.socket.emit("lost too", volatile=True)
    assert (await poll).packets == ['42["first"]']


@override_settings(SIO_MAX_BUFFERED_PACKETS=2)
async def test_they_do_not_cut_a_slow_consumer(app: Any) -> None:
    client = await SocketIOClient(app).open()
    await client.connect()
    client.websocket.taken.clear()
    cut = registry.slow_consumers
    for _ in range(2):
        Consumer.socket.send_packets(get_socketio_server().encode_event("/", "x", []))
    for _ in range(10):
        await get_socketio_server().emit("lost", volatile=True)
    assert Consumer.socket.connected
    for _ in range(2):
        Consumer.socket.send_packets(get_socketio_server().encode_event("/", "x", []))
    assert not Consumer.socket.connected
    assert registry.slow_consumers == cut + 1


async def test_acknowledgement_of_one_that_was_dropped_is_not_awaited(client: SocketIOClient) -> None:
    with override_settings(SIO_MAX_PENDING_ACKS=1):
        other = await SocketIOClient(client.websocket._app).open()
        await other.connect()
    other.websocket.taken.clear()
    await Consumer.socket.emit("blocks")
    for _ in range(3):
        await Consumer.socket.emit("lost", callback=print, volatile=True)
    other.websocket.taken.set()
    await Consumer.socket.emit("asked", callback=print)
    await other.received('2["blocks"]')
    assert '["asked"]' in await other.receive()


async def test_acknowledgement_of_one_that_arrived_is_taken(client: SocketIOClient) -> None:
    answers: list[Any] = []
    await Consumer.socket.emit("a", callback=answers.append, volatile=True)
    packet = await client.receive()
    client.send("3", ack_id=packet[1 : packet.index("[")], data=["yes"])
    async with asyncio.timeout(2):
        while not answers:
            await asyncio.sleep(0.001)
    assert answers == ["yes"]
