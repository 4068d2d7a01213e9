"""An application with the consumers of this folder, and a client of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sio import NamespaceSocket, as_asgi
from tests.client import SocketIOClient

from .consumers import Consumer, PlainConsumer, SecondConsumer


@pytest.fixture
def app() -> Any:
    Consumer.log, Consumer.members, Consumer.gate = [], [], asyncio.Event()
    return as_asgi(Consumer, SecondConsumer, PlainConsumer)


@pytest.fixture
async def client(app: Any) -> SocketIOClient:
    """A client that joined no namespace yet."""
    return await SocketIOClient(app).open()


@pytest.fixture
async def joined(client: SocketIOClient) -> SocketIOClient:
    """The client, which joined the namespace of `Consumer`."""
    await client.connect("/test")
    return client


@pytest.fixture
async def socket(joined: SocketIOClient) -> NamespaceSocket:
    """The socket of that client."""
    return Consumer.members[0]
