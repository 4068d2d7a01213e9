"""Servers in one process that share a layer, each with a client."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from sio import NamespaceSocket, SocketIOConsumer, as_asgi
from sio.cluster.adapter import ChannelLayerAdapter
from sio.socketio.server import SocketIOServer
from tests.client import SocketIOClient


class Chat(SocketIOConsumer):
    namespace = "/chat"
    #: The sockets of the servers of a test, by their id.
    members: ClassVar[dict[str, NamespaceSocket]] = {}

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.members[socket.id] = socket
        return True


class Process:
    """A server, and a client of it in the namespace /chat, who is a user."""

    def __init__(self, user: str = "ada") -> None:
        self.server = SocketIOServer(adapter=ChannelLayerAdapter)
        self._application = as_asgi(Chat, server=self.server)
        self._user = user

    async def start(self) -> Process:
        self.client = await SocketIOClient(self._application, user=self._user).open()
        self.sid = await self.client.connect("/chat")
        self.socket = Chat.members[self.sid]
        return self

    async def another_socket(self) -> NamespaceSocket:
        """Returns the socket of another client."""
        client = await SocketIOClient(self._application, user=self._user).open()
        return Chat.members[await client.connect("/chat")]

    @property
    def adapter(self) -> ChannelLayerAdapter:
        assert isinstance(self.server.adapter, ChannelLayerAdapter)
        return self.server.adapter

    async def emit(self, event: str, **target: Any) -> None:
        await self.server.emit(event, namespace="/chat", **target)

    async def receives(self, *events: str) -> None:
        """The client gets exactly these events: a last one of its own follows them."""
        await asyncio.sleep(0.02)
        await self.socket.emit("end")
        await self.client.received(*[f'2/chat,["{event}"]' for event in events], '2/chat,["end"]')
