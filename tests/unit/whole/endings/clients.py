"""The clients whose sessions end."""

from __future__ import annotations

from typing import Any

from tests.asgi import Poller
from tests.client import SocketIOClient
from tests.unit.engineio.clients import upgraded as upgrade


async def poller(app: Any, auth: str = "") -> Poller:
    """A client on polling that asked for the namespace."""
    client = Poller(app)
    await client.open()
    assert (await client.post("40/test," + auth)).status == 200
    return client


async def member(app: Any) -> Poller:
    """A client on polling that has joined."""
    client = await poller(app)
    assert (await client.get()).text.startswith("40/test,")
    return client


async def websocket(app: Any, auth: Any = None) -> SocketIOClient:
    """A client on WebSocket that asked for the namespace."""
    client = await SocketIOClient(app).open()
    client.send("0", "/test", auth)
    return client


async def joined(app: Any) -> SocketIOClient:
    """A client on WebSocket that has joined."""
    client = await websocket(app)
    assert (await client.receive()).startswith("0/test,")
    assert (await client.receive()).startswith("2/test,")
    return client


async def upgraded(app: Any) -> SocketIOClient:
    """A client that has joined, and moved from polling to WebSocket."""
    client = SocketIOClient(app)
    client.websocket = await upgrade(app, (await member(app)).sid)
    return client
