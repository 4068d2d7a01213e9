"""Engine.IO by itself: a server with an application, and maybe a registry, of one's own, and nothing of Socket.IO."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from sio.engineio import CloseReason, EngineIOApplication, EngineIOOptions, EngineIOServer, EngineIOSocket
from sio.engineio.connection import EngineIOConnection
from sio.engineio.registry import SessionRegistry
from tests.asgi import Poller, WebSocket, request
from tests.unit.engineio.applications import asgi
from tests.unit.engineio.clients import HANDSHAKE, begun, leave, status, turns, upgraded, warnings


class Room(EngineIOApplication):
    """A chat with one room: whatever a client says, all others hear."""

    def __init__(self) -> None:
        self.sockets: dict[EngineIOSocket, str] = {}
        self.log: list[str] = []

    def on_connect(self, socket: EngineIOSocket) -> None:
        self.sockets[socket] = f"client {len(self.sockets)}"

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        if data == "bye":
            self.on_revoked(socket)
            return
        for other in self.sockets:
            if other is not socket:
                other.send(data)

    def on_disconnect(self, socket: EngineIOSocket, reason: CloseReason) -> None:
        self.log.append(f"{self.sockets.pop(socket)}: {reason}")
        socket.create_task(self._clean_up())

    async def _clean_up(self) -> None:
        await asyncio.sleep(0.5)
        self.log.append("cleaned up")

    async def on_shutdown(self) -> None:
        self.log.append("shut down")


@pytest.fixture
async def room() -> Room:
    return Room()


@pytest.fixture
async def server(room: Room) -> EngineIOServer:
    return EngineIOServer(lambda: EngineIOOptions(max_sessions=3), room)


@pytest.fixture
async def app(server: EngineIOServer) -> Any:
    return asgi(server)


async def test_clients_of_both_transports_meet(app: Any, room: Room) -> None:
    poller, websocket = Poller(app), WebSocket(app)
    await poller.open()
    await websocket.open()
    websocket.send("4hello")
    assert (await poller.get()).text == "4hello"
    await poller.post("bAQI=")
    assert await websocket.receive() == b"\x01\x02"
    await leave(websocket)
    await poller.post("1")
    assert room.log == ["client 1: transport close", "client 0: transport close"]


async def test_session_goes_on_after_its_upgrade(app: Any, room: Room) -> None:
    poller, listener = Poller(app), WebSocket(app)
    await poller.open()
    await listener.open()
    listener.send("4on polling")
    await turns()
    websocket = await upgraded(app, poller.sid)
    listener.send("4on websocket")
    assert [await websocket.receive(), await websocket.receive()] == ["4on polling", "4on websocket"]
    websocket.send("4from websocket")
    assert await listener.receive() == "4from websocket"
    assert room.log == []
    await leave(websocket)
    await leave(listener)


async def test_application_sends_a_client_away(app: Any, room: Room) -> None:
    websocket = WebSocket(app)
    await websocket.open()
    websocket.send("4bye")
    assert await websocket.closed() == 1000
    assert room.log == ["client 0: forced close"]


async def test_session_that_is_over_keeps_its_place_while_its_task_runs(app: Any) -> None:
    clients = [Poller(app) for _ in range(3)]
    for client in clients:
        await client.open()
    assert await status(app) == 503
    await clients[0].post("1")
    assert await status(app) == 503
    await asyncio.sleep(0.51)
    assert await status(app) == 200


async def test_shutdown_ends_the_sessions_then_their_tasks_then_the_application(
    app: Any, server: EngineIOServer, room: Room
) -> None:
    websocket = WebSocket(app)
    await websocket.open()
    await server.shutdown.run()
    assert await websocket.closed() == 1012
    assert room.log == ["client 0: server shutting down", "cleaned up", "shut down"]


class NumberedRegistry:
    """A registry of one's own: its sids are the name of a process, and a number. No class of the package is its base.

    A number is no secret, and only for tests.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._count = 0
        self._connections: dict[str, EngineIOConnection] = {}

    def new_sid(self) -> str:
        self._count += 1
        return f"{self._process}-{self._count}"

    def add(self, connection: EngineIOConnection) -> None:
        self._connections[connection.sid] = connection

    def remove(self, connection: EngineIOConnection) -> None:
        self._connections.pop(connection.sid, None)

    def get(self, sid: str) -> EngineIOConnection | None:
        return self._connections.get(sid)

    def is_foreign(self, sid: str) -> bool:
        return "-" in sid and not sid.startswith(f"{self._process}-")

    def __iter__(self) -> Iterator[EngineIOConnection]:
        return iter(list(self._connections.values()))

    def __len__(self) -> int:
        return len(self._connections)


class TestRegistry:
    @pytest.fixture
    async def registry(self) -> SessionRegistry[EngineIOConnection]:
        return NumberedRegistry("here")

    @pytest.fixture
    async def server(self, room: Room, registry: SessionRegistry[EngineIOConnection]) -> EngineIOServer:
        return EngineIOServer(lambda: EngineIOOptions(max_sessions=2), room, registry=registry)

    async def test_its_sids_are_those_of_the_clients(self, app: Any) -> None:
        handshakes = [await Poller(app).open(), await WebSocket(app).open()]
        assert [handshake["sid"] for handshake in handshakes] == ["here-1", "here-2"]

    async def test_requests_find_their_session_in_it(self, app: Any) -> None:
        poller = Poller(app)
        await poller.open()
        assert poller.sid == "here-1"
        assert (await poller.post("4x")).status == 200
        await leave(await upgraded(app, poller.sid))
        assert (await poller.get()).json()["code"] == 1

    async def test_it_says_which_sids_are_of_another_process(self, app: Any, caplog: pytest.LogCaptureFixture) -> None:
        for sid in ("here-7", "there-7"):
            assert (await request(app, "GET", f"{HANDSHAKE}&sid={sid}")).json()["code"] == 1
        (message,) = warnings(caplog)
        assert "there-7" in message

    async def test_its_sessions_take_the_places(
        self, app: Any, registry: SessionRegistry[EngineIOConnection], server: EngineIOServer
    ) -> None:
        assert [await status(app) for _ in range(3)] == [200, 200, 503]
        assert len(registry) == 2
        assert [socket.sid for socket in server.sockets] == ["here-1", "here-2"]

    async def test_its_sessions_are_ended_by_the_shutdown(
        self, app: Any, registry: SessionRegistry[EngineIOConnection], server: EngineIOServer
    ) -> None:
        poller = Poller(app)
        await poller.open()
        assert registry.get("here-1") is not None
        poll = await begun(poller.get())
        await server.shutdown.run()
        assert (await poll).json()["code"] == 1
        assert registry.get("here-1") is None
