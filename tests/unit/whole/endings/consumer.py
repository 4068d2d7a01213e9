"""The consumer of the sessions that end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer

Note: TypeAlias = Callable[[Any], None]


class Data(dict[str, Any]):
    """What an application keeps. Unlike a dict, it can be the target of a weak reference."""


class Consumer(SocketIOConsumer):
    """Does what `auth` and the events of its clients say. `note` gets all that should be gone afterwards."""

    namespace = "/test"
    note: Note

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.socket = socket  # as many applications do
        socket.data = Data()
        self._note_all(socket)
        await socket.join("room")
        if "hang" in auth:
            await asyncio.sleep(auth["hang"])
        if "raise" in auth:
            raise LookupError(socket)
        if "refuse" in auth:
            raise ConnectionRefused("no", {"why": "no"}) from LookupError(socket)
        await socket.emit("welcome", callback=self.take_ack)
        return "deny" not in auth

    def _note_all(self, socket: NamespaceSocket) -> None:
        """Notes what can be the target of a weak reference. The rest is seen by its number."""
        connection, eio = socket._connection, socket._eio
        client = connection._client
        own = (self, socket, socket.data, connection, asyncio.current_task())
        for thing in (*own, client, client._parser, eio._connection, eio._session):
            type(self).note(thing)

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        type(self).note(asyncio.current_task())
        await asyncio.sleep(0.01)

    async def take_ack(self, *args: Any) -> None:
        type(self).note(asyncio.current_task())

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        type(self).note(asyncio.current_task())
        return args

    async def event_work(self, socket: NamespaceSocket, seconds: float) -> None:
        type(self).note(asyncio.current_task())
        await asyncio.sleep(seconds)
        await socket.emit("done")

    async def event_ask(self, socket: NamespaceSocket, ack: Any = None) -> None:
        await ack(await socket.call("question", timeout=20))

    async def event_raise(self, socket: NamespaceSocket) -> None:
        raise LookupError(socket)

    async def event_give_up(self, socket: NamespaceSocket) -> None:
        _cancel_this_task()
        await asyncio.sleep(1)

    async def event_fill(self, socket: NamespaceSocket) -> None:
        for _ in range(20):
            await socket.emit("burst", "x" * 1_000_000)

    async def event_bye(self, socket: NamespaceSocket, close: bool) -> None:
        await socket.disconnect(close=close)


def _cancel_this_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
