"""`SocketIOServer`: broadcasts to rooms and namespaces, and the server's end."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOServer, as_asgi, get_socketio_server
from sio.engineio import EngineIOServer, get_engineio_app, get_engineio_server
from sio.socketio.adapter import Adapter
from sio.socketio.handlers import Handlers
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.server import reset_socketio_server
from sio.socketio.users import Users
from tests.client import SocketIOClient
from tests.sessions import sessions

from .consumers import Consumer, PlainConsumer, SecondConsumer, member, rooms_in_use, send_at_once


@pytest.fixture
async def clients(app: Any) -> list[SocketIOClient]:
    """Three clients, of which the first is in the rooms x and y, the second in y, and the third in z."""
    clients = [await member(app) for _ in range(3)]
    for socket, rooms in zip(Consumer.members, ("xy", "y", "z"), strict=True):
        for room in rooms:
            await socket.join(room)
    return clients


class TestRooms:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ({}, "abc"),
            ({"room": "y"}, "ab"),
            ({"room": ["x", "y"]}, "ab"),
            ({"room": ["x", "z"]}, "ac"),
            ({"room": []}, ""),
            ({"room": "nobody"}, ""),
            ({"except_": "y"}, "c"),
            ({"room": ("y", "z"), "except_": ["x"]}, "bc"),
            ({"namespace": "/other"}, ""),
            ({"namespace": "/unknown"}, ""),
        ],
    )
    async def test_broadcast_reaches_each_once(
        self, clients: list[SocketIOClient], target: dict[str, Any], expected: str
    ) -> None:
        await get_socketio_server().emit("hit", **({"namespace": "/test"} | target))
        await get_socketio_server().emit("end", namespace="/test")
        for name, client in zip("abc", clients, strict=True):
            await client.received(*['2/test,["hit"]'] * (name in expected), '2/test,["end"]')

    async def test_id_of_a_socket_is_its_room(self, clients: list[SocketIOClient]) -> None:
        first = Consumer.members[0]
        assert first.rooms == {first.id, "x", "y"}
        await get_socketio_server().emit("hit", room=first.id, namespace="/test")
        await clients[0].received('2/test,["hit"]')

    async def test_socket_that_left_is_not_reached(self, clients: list[SocketIOClient]) -> None:
        a, b, _ = Consumer.members
        await a.leave_all()
        await b.leave("y")
        assert (a.rooms, b.rooms) == ({a.id}, {b.id})
        await get_socketio_server().emit("hit", room=["x", "y"], namespace="/test")
        await a.emit("end")
        await clients[0].received('2/test,["end"]')

    @pytest.mark.parametrize("room", [1, None, b"x"])
    async def test_room_that_is_no_string_is_an_error(self, clients: list[SocketIOClient], room: Any) -> None:
        with pytest.raises(TypeError, match="a room name is a str"):
            await Consumer.members[0].join(room)
        with pytest.raises(TypeError, match="a room name is a str"):
            await get_socketio_server().emit("x", room=[room])

    async def test_no_room_is_left_behind(self, clients: list[SocketIOClient]) -> None:
        for client in clients:
            client.leave()
            await client.websocket.finished()
        assert rooms_in_use() == set()
        assert len(sessions) == 0


class TestSlowConsumers:
    @override_settings(SIO_MAX_BUFFERED_PACKETS=3)
    async def test_broadcasts_in_a_loop_overflow_no_buffer(self, app: Any) -> None:
        client = await member(app)
        for number in range(50):
            await get_socketio_server().emit("x", number, namespace="/test")
        await client.received(*[f'2/test,["x",{number}]' for number in range(50)])

    @override_settings(SIO_MAX_BUFFERED_PACKETS=3)
    async def test_slow_consumer_is_cut_amid_a_broadcast(self, app: Any) -> None:
        clients = [await member(app) for _ in range(3)]
        clients[1].websocket.taken.clear()
        send_at_once(Consumer.members[1], "x", b"1", b"2")
        await get_socketio_server().emit("y", b"1", namespace="/test")
        for client in (clients[0], clients[2]):
            await client.received('51-/test,["y",{"_placeholder":true,"num":0}]', b"1")
        assert [reason for reason, _ in Consumer.log] == ["transport error"]


class TestEnd:
    async def test_server_shuts_down(self, joined: SocketIOClient) -> None:
        await get_socketio_server().close()
        await joined.websocket.closed()
        assert Consumer.log == [("server shutting down", 1)]

    async def test_server_without_clients_can_be_closed(self, app: Any) -> None:
        await get_socketio_server().close()

    @pytest.mark.parametrize("end", ["close", "on_shutdown"])
    async def test_adapter_is_closed_too(self, end: str) -> None:
        closed: list[bool] = []

        class ClosingAdapter(Adapter):
            async def close(self) -> None:
                closed.append(True)

        await getattr(SocketIOServer(adapter=ClosingAdapter), end)()
        assert closed == [True]

    async def test_server_that_was_closed_serves_again(self, app: Any, joined: SocketIOClient) -> None:
        await get_socketio_server().close()
        await joined.websocket.closed()
        await member(app)
        assert [socket.connected for socket in Consumer.members] == [False, True]


class TestServers:
    """Each server has namespaces, sockets and sessions of its own."""

    async def test_two_servers_share_nothing(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        server = SocketIOServer()
        other = await member(as_asgi(Consumer, server=server))
        for sender, receiver, name in ((get_socketio_server(), joined, "first"), (server, other, "second")):
            await sender.emit(name, namespace="/test")
            await receiver.received(f'2/test,["{name}"]')
        assert (len(sessions), len(server.engineio.registry)) == (1, 1)
        assert [found.server for found in Consumer.members] == [get_socketio_server(), server]
        await server.close()
        await other.websocket.closed()
        assert socket.connected

    async def test_server_has_the_options_that_it_is_given(self, app: Any) -> None:
        server = SocketIOServer(lambda: SocketIOOptions(max_rooms=1))
        await member(as_asgi(Consumer, server=server))
        await Consumer.members[0].join("one")
        with pytest.raises(Exception, match="SIO_MAX_ROOMS is 1"):
            await Consumer.members[0].join("two")

    async def test_server_asks_who_the_user_is(self, app: Any) -> None:
        class Paths(Users):
            def get(self, scope: MutableMapping[str, Any]) -> Any:
                return scope["path"]

        server = SocketIOServer(users=Paths())
        await member(as_asgi(Consumer, server=server))
        assert Consumer.members[0].user == "/socket.io/"

    def test_server_is_the_application_of_the_engineio_server_that_it_is_given(self) -> None:
        engineio = EngineIOServer()
        server = SocketIOServer(engineio=engineio)
        assert server.engineio is engineio
        assert engineio.app is server

    def test_server_has_an_engineio_server_of_its_own_by_default(self) -> None:
        server = SocketIOServer()
        assert server.engineio.app is server
        assert server.engineio is not get_engineio_server()

    def test_server_of_the_process_is_one(self) -> None:
        server = get_socketio_server()
        assert get_socketio_server() is server
        assert get_engineio_server() is server.engineio
        assert get_engineio_app() is server

    def test_reset_forgets_the_server(self) -> None:
        server = get_socketio_server()
        reset_socketio_server()
        assert get_socketio_server() is not server


class TestRegister:
    def test_same_class_may_be_registered_twice(self) -> None:
        for _ in range(2):
            PlainConsumer.register()

    def test_second_class_on_a_namespace_is_an_error_that_names_both(self) -> None:
        server = SocketIOServer()
        server.register("/a", Handlers("app.First", factory=Consumer))
        with pytest.raises(ValueError, match=r"'/a': app\.First and app\.Second$"):
            server.register("/a", Handlers("app.Second", factory=SecondConsumer))
