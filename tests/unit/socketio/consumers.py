"""Consumers that the tests of this folder share, and ways to look at what the server keeps of their sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from sio import ConnectionRefused, DisconnectReason, NamespaceSocket, SocketIOConsumer, get_socketio_server
from sio.engineio import EngineIOSocket
from sio.socketio.client import Client
from sio.socketio.namespace import Namespace
from tests.client import SocketIOClient
from tests.pace import TIMEOUT
from tests.sessions import sessions

Ack = Callable[..., Awaitable[None]]


class Consumer(SocketIOConsumer):
    """Keeps its sockets, and what happened, for the test to look at. `auth` says what its connect hook does."""

    namespace = "/test"
    log: ClassVar[list[Any]] = []
    members: ClassVar[list[NamespaceSocket]] = []
    #: What handlers that wait wait for.
    gate: ClassVar[asyncio.Event]

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> Any:
        self.members.append(socket)
        if room := auth.get("room"):
            await socket.join(room)
        if auth.get("emit"):
            await socket.emit("early", b"\x01")
        if auth.get("emit_volatile"):
            await socket.emit("early", volatile=True)
        if auth.get("wait"):
            await self.gate.wait()
        if "refuse" in auth:
            raise ConnectionRefused("go away", *auth["refuse"])
        if auth.get("raise"):
            raise LookupError("a secret")
        return auth.get("answer", True)

    async def disconnect(self, socket: NamespaceSocket, reason: DisconnectReason) -> None:
        self.log.append((reason, len(socket.rooms)))

    # What handlers return

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args

    async def event_one(self, socket: NamespaceSocket, value: Any) -> Any:
        return value

    async def event_acked(self, socket: NamespaceSocket, *args: Any, ack: Ack | None = None) -> str:
        self.log.append(ack is not None)
        if ack is not None:
            await ack("first", b"\x02")
            await ack("second")
        return "ignored"

    async def event_unsendable(self, socket: NamespaceSocket) -> Any:
        return object()

    async def event_user(self, socket: NamespaceSocket) -> str:
        return str(socket.user)

    # How long they take

    async def event_count(self, socket: NamespaceSocket, number: int) -> None:
        self.log.append(number)

    async def event_wait(self, socket: NamespaceSocket, number: int) -> int:
        self.log.append(("start", number))
        await self.gate.wait()
        self.log.append(("end", number))
        return number

    async def event_take(self, socket: NamespaceSocket, number: int, *data: Any) -> int:
        await self.gate.wait()
        self.log.append(number)
        return number

    # How they fail

    async def event_raise(self, socket: NamespaceSocket) -> None:
        raise LookupError("oops")

    async def event_cancelled(self, socket: NamespaceSocket) -> None:
        raise asyncio.CancelledError

    async def event_cancel_task(self, socket: NamespaceSocket) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    # What they do with the socket

    async def event_ask(self, socket: NamespaceSocket, timeout: float = 1) -> Any:
        return ["answer", await socket.call("question", timeout=timeout)]

    async def event_call(self, socket: NamespaceSocket, *data: Any) -> Any:
        return await socket.call("question")

    async def event_call_by_hand(self, socket: NamespaceSocket, *data: Any) -> Any:
        """Does what `call` does, so that the server cannot know that the handler waits for an answer."""
        answer = asyncio.get_running_loop().create_future()
        await socket.emit("question", callback=answer.set_result)
        return await answer

    async def event_repeat(self, socket: NamespaceSocket) -> None:
        for _ in range(4):
            await socket.emit("answer", "x" * 200)

    async def event_join(self, socket: NamespaceSocket, *rooms: str) -> int:
        for room in rooms:
            await socket.join(room)
        return len(socket.rooms)

    async def event_leave(self, socket: NamespaceSocket, close: bool = False) -> None:
        await socket.disconnect(close)


class SecondConsumer(Consumer):
    """The same in another namespace, with the same log and sockets."""

    namespace = "/second"


class PlainConsumer(SocketIOConsumer):
    """Has no hook and no handler."""

    namespace = "/other"


async def member(app: Any, *namespaces: str, auth: Any = None) -> SocketIOClient:
    """Returns a client that joined the namespaces, by default that of `Consumer`."""
    client = await SocketIOClient(app).open()
    for namespace in namespaces or ("/test",):
        await client.connect(namespace, auth)
    return client


async def wait_until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.001)


def only_session() -> EngineIOSocket:
    """Returns the Engine.IO session of the only client."""
    (connection,) = sessions
    return connection.socket


async def wait_until_paused() -> None:
    """Waits until nothing more is read from the only client."""
    await wait_until(lambda: only_session().is_paused)


async def settled() -> None:
    """Waits until the server has read what it can: on a slow machine it pauses between two packets."""
    await asyncio.sleep(5)


def send_at_once(socket: NamespaceSocket, event: str, *args: Any) -> None:
    """Sends an event, and neither waits nor gives the loop a turn."""
    socket._connection.send_packets(socket._connection.encode(event, args))


def client_of(socket: NamespaceSocket) -> Client:
    """Returns what the server keeps for the session of a socket."""
    return get_socketio_server()._clients[socket._eio]


def namespace_called(name: str) -> Namespace:
    return get_socketio_server()._shared.namespaces[name]


def rooms_in_use() -> set[tuple[str, str | None]]:
    """Returns the rooms of this process, each with its namespace."""
    return set(get_socketio_server().adapter._rooms)
