"""`NamespaceSocket`: one client in one namespace, as applications see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from sio import EncodingError, NamespaceSocket, TooManyRooms, get_socketio_server
from sio.engineio import get_engineio_server
from sio.socketio.rooms import LONG_ROOM_NAME
from tests.asgi import Poller
from tests.client import SocketIOClient

from .consumers import Consumer, member, send_at_once, wait_until


class TestProperties:
    async def test_socket_knows_its_request(self, app: Any) -> None:
        client = await SocketIOClient(app, headers=[(b"x-test", b"1")], user="someone").open()
        await client.connect("/test")
        socket = Consumer.members[0]
        assert (b"x-test", b"1") in socket.scope["headers"]
        assert (socket.user, socket.transport, socket.state) == ("someone", "websocket", socket.data)
        assert socket.id in repr(socket)

    async def test_socket_knows_its_server_and_namespace(self, socket: NamespaceSocket) -> None:
        assert socket.server is get_socketio_server()
        assert socket.namespace == "/test"
        assert socket.namespace in repr(socket)

    async def test_data_is_the_sockets_own(self, app: Any) -> None:
        await member(app, "/test", "/second")
        first, second = Consumer.members
        first.data["key"] = 1
        assert (first.state, second.data) == ({"key": 1}, {})

    async def test_connected_says_whether_it_is_accepted_and_not_disconnected(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"wait": True})
        await wait_until(lambda: Consumer.members)
        (socket,) = Consumer.members
        states = [socket.connected]
        Consumer.gate.set()
        await client.receive()
        states.append(socket.connected)
        client.leave()
        await client.websocket.finished()
        assert [*states, socket.connected] == [False, True, False]


class TestUser:
    async def test_error_without_middleware_says_what_is_missing(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        joined.emit("/test", "user")
        joined.emit("/test", "one", "next", ack_id=1)
        await joined.received('3/test,1["next"]')
        assert caplog.records[0].exc_info is not None
        error = caplog.records[0].exc_info[1]
        assert isinstance(error, ImproperlyConfigured)
        assert "AuthMiddlewareStack" in str(error)
        assert "'websocket'" in str(error)

    async def test_user_is_the_one_that_middleware_found(self, app: Any) -> None:
        client = await SocketIOClient(app, user=None).open()
        await client.connect("/test")
        client.emit("/test", "user", ack_id=1)
        await client.received('3/test,1["None"]')


class TestEmit:
    @pytest.mark.parametrize(
        ("event", "error"), [("connect", ValueError), ("disconnecting", ValueError), (1, TypeError), (None, TypeError)]
    )
    async def test_impossible_event_name_is_an_error(
        self, socket: NamespaceSocket, event: Any, error: type[Exception]
    ) -> None:
        for emit in (socket.emit, get_socketio_server().emit):
            with pytest.raises(error):
                await emit(event)

    async def test_value_that_cannot_be_encoded_is_an_error_here_and_reaches_nobody(
        self, joined: SocketIOClient, socket: NamespaceSocket
    ) -> None:
        for emit in (socket.emit, get_socketio_server().emit):
            with pytest.raises(EncodingError, match="the event 'x'"):
                await emit("x", {"value": object()})
        await socket.emit("next")
        await joined.received('2/test,["next"]')

    async def test_disconnected_socket_sends_nothing(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        await socket.disconnect()
        await joined.received("1/test,")
        await socket.emit("x")
        await socket.emit("x", callback=print)
        await socket.join("room")
        await socket.leave("room")
        await socket.disconnect()
        await joined.connect("/other")

    @override_settings(SIO_MAX_BUFFERED_PACKETS=4)
    async def test_emit_waits_for_a_client_that_does_not_read(self, app: Any) -> None:
        client = await member(app)
        client.websocket.taken.clear()

        async def emit() -> None:
            for number in range(20):
                await Consumer.members[0].emit("x", number)

        task = asyncio.ensure_future(emit())
        await asyncio.sleep(0.01)
        assert not task.done()
        client.websocket.taken.set()
        await client.received(*[f'2/test,["x",{number}]' for number in range(20)])
        await task


class TestVolatile:
    """A volatile event is sent if it can leave at once, and is dropped otherwise."""

    @pytest.fixture
    async def volatile(self, client: SocketIOClient) -> SocketIOClient:
        """A client whose connect hook emitted a volatile event."""
        await client.connect("/test", {"emit_volatile": True})
        return client

    async def test_client_that_keeps_up_gets_them(self, volatile: SocketIOClient) -> None:
        (socket,) = Consumer.members
        await socket.emit("a", volatile=True)
        await socket.send("b", volatile=True)
        await get_socketio_server().emit("c", b"\x01", namespace="/test", volatile=True)
        # Nothing comes before them: a volatile event from before the client was accepted is gone.
        await volatile.received(
            '2/test,["a"]', '2/test,["message","b"]', '51-/test,["c",{"_placeholder":true,"num":0}]', b"\x01"
        )

    async def test_client_that_does_not_read_misses_them_and_nothing_else(
        self, joined: SocketIOClient, socket: NamespaceSocket
    ) -> None:
        joined.websocket.taken.clear()
        await socket.emit("blocks")
        await socket.emit("lost", volatile=True)
        await get_socketio_server().emit("lost too", namespace="/test", volatile=True)
        await socket.emit("kept")
        joined.websocket.taken.set()
        await joined.received('2/test,["blocks"]', '2/test,["kept"]')
        await socket.emit("again", volatile=True)
        await joined.received('2/test,["again"]')

    async def test_poll_that_waits_takes_one(self, app: Any) -> None:
        poller = Poller(app)
        await poller.open()
        await poller.post("40/test,")
        await poller.get()
        (socket,) = Consumer.members
        await socket.emit("lost", volatile=True)
        poll = poller.get()
        await asyncio.sleep(0.001)
        await socket.emit("first", volatile=True)
        await socket.emit("lost too", volatile=True)
        assert (await poll).packets == ['42/test,["first"]']

    @override_settings(SIO_MAX_BUFFERED_PACKETS=2)
    async def test_they_do_not_cut_a_slow_consumer(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.members
        client.websocket.taken.clear()
        cut = get_engineio_server().slow_consumers
        for _ in range(2):
            send_at_once(socket, "x")
        for _ in range(10):
            await get_socketio_server().emit("lost", namespace="/test", volatile=True)
        assert socket.connected
        for _ in range(2):
            send_at_once(socket, "x")
        assert not socket.connected
        assert get_engineio_server().slow_consumers == cut + 1

    @override_settings(SIO_MAX_PENDING_ACKS=1)
    async def test_acknowledgement_of_one_that_was_dropped_is_not_awaited(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.members
        client.websocket.taken.clear()
        await socket.emit("blocks")
        for _ in range(3):
            await socket.emit("lost", callback=print, volatile=True)
        client.websocket.taken.set()
        await socket.emit("asked", callback=print)
        await client.received('2/test,["blocks"]')
        assert '["asked"]' in await client.receive()

    async def test_acknowledgement_of_one_that_arrived_is_taken(
        self, joined: SocketIOClient, socket: NamespaceSocket
    ) -> None:
        answers: list[Any] = []
        await socket.emit("a", callback=answers.append, volatile=True)
        packet = await joined.receive()
        joined.send("3", "/test", ["yes"], packet.removeprefix("2/test,").removesuffix('["a"]'))
        await wait_until(lambda: answers)
        assert answers == ["yes"]


class TestRooms:
    @override_settings(SIO_MAX_ROOMS=3)
    async def test_rooms_are_as_many_as_allowed(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.members
        client.emit("/test", "join", "a", "b", "c", "a", ack_id=1)
        await client.received("3/test,1[4]")
        with pytest.raises(TooManyRooms, match="is in 3 rooms, and SIO_MAX_ROOMS is 3"):
            await socket.join("d")
        assert socket.rooms == {socket.id, "a", "b", "c"}
        await socket.leave("a")
        await socket.join("d")

    @override_settings(SIO_MAX_ROOMS=3)
    async def test_long_names_count_as_several(self, app: Any) -> None:
        await member(app)
        (socket,) = Consumer.members
        long = "x" * (2 * LONG_ROOM_NAME - 1)
        await socket.join(long)
        for room in ("y" * LONG_ROOM_NAME, "z" * 1_000_000):
            with pytest.raises(TooManyRooms, match="is in 1 rooms"):
                await socket.join(room)
        await socket.join("a")
        await socket.leave_all()
        await socket.join("y" * LONG_ROOM_NAME)

    async def test_rooms_that_were_joined_in_connect_are_kept(self, client: SocketIOClient) -> None:
        await client.connect("/test", {"room": "lobby"})
        (socket,) = Consumer.members
        assert socket.rooms == {socket.id, "lobby"}
        assert isinstance(socket.rooms, frozenset)
