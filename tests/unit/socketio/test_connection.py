"""`NamespaceConnection`: one client in one namespace, from its CONNECT to its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings

from sio import (
    AckTimeout,
    Disconnected,
    NamespaceSocket,
    SocketIOServer,
    TooManyPendingAcks,
    TooManyRooms,
    WrongEventLoop,
    as_asgi,
    get_socketio_server,
)
from sio.engineio import get_engineio_server
from sio.socketio.adapter import Adapter
from sio.socketio.protocol.packets import PacketType, SocketIOPacket
from tests.client import SocketIOClient

from .consumers import Consumer, client_of, member, namespace_called, rooms_in_use, send_at_once, wait_until


class TestAccept:
    async def test_auth_is_an_empty_dict_when_absent(self, socket: NamespaceSocket) -> None:
        assert socket.auth == {}

    async def test_emits_in_connect_follow_the_answer(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"emit": True})
        assert (await client.receive()).startswith('0/test,{"sid"')
        await client.received('51-/test,["early",{"_placeholder":true,"num":0}]', b"\x01")

    async def test_broadcasts_reach_a_socket_once_it_is_accepted(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"wait": True, "room": "lobby"})
        await wait_until(lambda: Consumer.members)
        await get_socketio_server().emit("missed", room="lobby", namespace="/test")
        Consumer.gate.set()
        assert (await client.receive()).startswith("0/test,")
        await get_socketio_server().emit("got", room="lobby", namespace="/test")
        await client.received('2/test,["got"]')

    async def test_client_that_leaves_amid_connect_was_never_there(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"wait": True, "room": "lobby"})
        await wait_until(lambda: Consumer.members)
        client.leave()
        await client.websocket.finished()
        Consumer.gate.set()
        await wait_until(lambda: not get_engineio_server().unfinished)
        assert (Consumer.log, rooms_in_use()) == ([], set())

    @pytest.mark.parametrize("call", ["disconnect", "call"])
    async def test_method_that_needs_an_accepted_socket_says_so(
        self, client: SocketIOClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        async def connect(self: Any, socket: NamespaceSocket, auth: Any) -> None:
            await (socket.disconnect() if call == "disconnect" else socket.call("x"))

        monkeypatch.setattr(Consumer, "connect", connect)
        client.send("0", "/test")
        await client.received('4/test,{"message":"Internal server error"}')
        assert f"{call}() cannot be used in connect()" in caplog.text
        assert "NotConnected" in caplog.text

    async def test_client_that_leaves_while_other_processes_are_waited_for_was_never_there(self, app: Any) -> None:
        adapter = SlowAdapter()
        adapter.settled = Consumer.gate
        server = SocketIOServer(adapter=lambda: adapter)
        client = await SocketIOClient(as_asgi(Consumer, server=server)).open()
        client.send("0", "/test")
        await wait_until(lambda: server.adapter._rooms)
        client.leave()
        await client.websocket.finished()
        Consumer.gate.set()
        await wait_until(lambda: Consumer.log)
        assert not Consumer.members[0].connected
        assert (Consumer.log, server.adapter._rooms) == ([("transport close", 1)], {})

    async def test_ids_differ_in_each_namespace(self, client: SocketIOClient) -> None:
        """A socket's id is public, and that of its session is a secret."""
        first, second = await client.connect("/test"), await client.connect("/second")
        assert first != second
        assert {first, second} == {socket.id for socket in Consumer.members}
        assert not {first, second} & {socket._eio.sid for socket in Consumer.members}


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "problem"),
        [
            (["typo", 1], "no method handles it"),
            ([12, 1], "no method handles it"),
            (["one"], "event_one takes 1 arguments, not 0"),
            (["ask", 1, 2], "event_ask takes 0 to 1 arguments, not 2"),
        ],
    )
    async def test_event_without_a_handler_is_logged_once_and_not_acknowledged(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture, event: Any, problem: str
    ) -> None:
        for _ in range(2):
            joined.emit("/test", *event, ack_id=1)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')
        assert caplog.text.count(problem) == 1

    async def test_event_without_payload_is_taken(self, joined: SocketIOClient) -> None:
        joined.send("2", "/test")
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')

    async def test_event_whose_client_left_is_not_acknowledged(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        joined.emit("/test", "wait", 1, ack_id=1)
        await wait_until(lambda: Consumer.log)
        joined.send("1", "/test")
        await joined.connect("/other")
        Consumer.gate.set()
        await wait_until(lambda: len(Consumer.log) == 3)
        assert Consumer.log == [("start", 1), ("end", 1), ("client namespace disconnect", 1)]
        await joined.connect("/")
        assert caplog.text == ""

    async def test_binary_arrives_in_its_place(self, joined: SocketIOClient) -> None:
        placeholders = [{"_placeholder": True, "num": number} for number in (1, 0)]
        joined.send("52-", "/test", ["echo", *placeholders], 3)
        for attachment in (b"zero", b""):
            joined.websocket.send(attachment)
        packet = '62-/test,3[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        await joined.received(packet, b"", b"zero")


class TestCall:
    async def test_call_returns_what_the_client_answers(self, joined: SocketIOClient) -> None:
        for answer, result in (([], "null"), (["x"], '"x"'), ([1, 2], "[1,2]")):
            joined.emit("/test", "ask", ack_id=5)
            number = (await joined.receive()).removeprefix("2/test,").removesuffix('["question"]')
            joined.send("3", "/test", answer, number)
            await joined.received(f'3/test,5[["answer",{result}]]')

    @override_settings(SIO_MAX_PENDING_ACKS=1)
    async def test_call_that_is_not_answered_times_out(self, app: Any) -> None:
        await member(app)
        for _ in range(2):  # the first one is not pending any more
            with pytest.raises(AckTimeout, match=r"did not acknowledge 'x' within 0\.01 s"):
                await Consumer.members[0].call("x", timeout=0.01)

    async def test_call_fails_when_the_client_leaves(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        call = asyncio.ensure_future(socket.call("x"))
        await joined.receive()
        joined.leave()
        with pytest.raises(Disconnected):
            await call
        with pytest.raises(Disconnected):
            await socket.call("x")

    @override_settings(SIO_MAX_PENDING_ACKS=1)
    async def test_call_that_is_cancelled_is_not_pending_any_more(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.members
        call = asyncio.ensure_future(socket.call("x", timeout=None))
        await client.received('2/test,0["x"]')
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        client.send("3", "/test", ["late"], 0)
        call = asyncio.ensure_future(socket.call("x"))
        await client.received('2/test,1["x"]')
        client.send("3", "/test", ["in time"], 1)
        assert await call == "in time"

    async def test_answer_that_comes_as_the_call_is_cancelled_is_ignored(
        self, joined: SocketIOClient, socket: NamespaceSocket
    ) -> None:
        call = asyncio.ensure_future(socket.call("x"))
        await joined.received('2/test,0["x"]')
        call.cancel()
        assert client_of(socket)._connections["/test"].receive(SocketIOPacket(PacketType.ACK, "/test", ["late"], 0))
        with pytest.raises(asyncio.CancelledError):
            await call
        assert socket.connected

    async def test_client_that_leaves_a_handler_waiting_is_no_error(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        joined.emit("/test", "ask")
        await joined.receive()
        joined.leave()
        await wait_until(lambda: Consumer.log)
        assert caplog.text == ""


class SlowAdapter(Adapter):
    """Waits for other processes until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.settled = asyncio.Event()
        self.settled.set()
        #: The rooms of the members whenever it was waited for.
        self.log: list[set[str | None]] = []

    async def settle(self) -> None:
        self.log.append({room for _, room in self._rooms})
        await self.settled.wait()


class Joiner:
    """A client that joins rooms of a server with a slow adapter."""

    def __init__(self) -> None:
        self.adapter = SlowAdapter()
        self._server = SocketIOServer(adapter=lambda: self.adapter)

    async def start(self) -> Joiner:
        await member(as_asgi(Consumer, server=self._server))
        (self.socket,) = Consumer.members
        self.adapter.log.clear()
        return self

    @property
    def rooms(self) -> set[str]:
        """The rooms but for that of its id, which the adapter must have too."""
        rooms = {room for _, room in self.adapter._rooms}
        assert rooms == {None, *self.socket.rooms}
        return self.socket.rooms - {self.socket.id}


class TestRooms:
    @pytest.fixture
    async def joiner(self, app: Any) -> Joiner:
        return await Joiner().start()

    async def test_several_are_joined_and_waited_for_at_once(self, joiner: Joiner) -> None:
        joiner.adapter.settled.clear()
        join = asyncio.create_task(joiner.socket.join("a", "b", "a"))
        await asyncio.sleep(0)
        assert joiner.rooms == {"a", "b"}
        await asyncio.sleep(1)
        assert not join.done()
        joiner.adapter.settled.set()
        await join
        assert joiner.adapter.log == [{None, joiner.socket.id, "a", "b"}]

    async def test_nothing_is_waited_for_if_none_is_new(self, joiner: Joiner) -> None:
        await joiner.socket.join("a", "b")
        joiner.adapter.settled.clear()
        await joiner.socket.join("b", "a")
        await joiner.socket.join("b")
        await joiner.socket.join()
        assert joiner.rooms == {"a", "b"}
        assert len(joiner.adapter.log) == 1

    async def test_all_are_joined_or_none(self, app: Any) -> None:
        with override_settings(SIO_MAX_ROOMS=3):
            client = await member(app)
            (socket,) = Consumer.members
            await socket.join("a")
            with pytest.raises(TooManyRooms, match="is in 1 rooms, and SIO_MAX_ROOMS is 3"):
                await socket.join("b", "c", "d")
            assert socket.rooms == {socket.id, "a"}
            assert rooms_in_use() == {("/test", room) for room in (None, socket.id, "a")}
            await socket.join("b", "a", "c", "b")
            assert socket.rooms == {socket.id, "a", "b", "c"}
        client.leave()

    @pytest.mark.parametrize("private", ["~", "~a", "~user:1", "~user:"])
    @pytest.mark.parametrize("place", [0, 1, 2])
    async def test_private_name_is_refused_and_nothing_joined(self, joiner: Joiner, private: str, place: int) -> None:
        rooms = ["a", "b"]
        rooms.insert(place, private)
        with pytest.raises(ValueError, match=f"'{private}' cannot be joined: what begins with '~' is the id"):
            await joiner.socket.join(*rooms)
        assert joiner.rooms == set()
        assert joiner.adapter.log == []

    async def test_room_of_another_socket_is_refused_and_the_own_one_is_fine(self, app: Any) -> None:
        clients = [await member(app) for _ in range(2)]
        one, other = Consumer.members
        with pytest.raises(ValueError, match="cannot be joined"):
            await one.join("a", other.id)
        await one.join(one.id, "b")
        assert one.rooms == {one.id, "b"}
        await get_socketio_server().emit("private", room=other.id, namespace="/test")
        await get_socketio_server().emit("end", namespace="/test")
        await clients[0].received('2/test,["end"]')
        await clients[1].received('2/test,["private"]', '2/test,["end"]')

    async def test_own_room_can_be_left_and_joined_again(self, joiner: Joiner) -> None:
        await joiner.socket.leave(joiner.socket.id)
        assert joiner.socket.rooms == joiner.rooms == set()
        await joiner.socket.join(joiner.socket.id)
        assert joiner.socket.rooms == {joiner.socket.id}
        assert joiner.rooms == set()

    async def test_private_name_is_refused_in_connect_too(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"room": "~user:1"})
        await client.received('4/test,{"message":"Internal server error"}')
        assert rooms_in_use() == set()

    async def test_several_are_left_at_once(self, joiner: Joiner) -> None:
        await joiner.socket.join("a", "b", "c")
        await joiner.socket.leave("a", "nowhere", "c", "a")
        assert joiner.rooms == {"b"}
        await joiner.socket.leave()
        assert joiner.rooms == {"b"}
        await joiner.socket.leave("~other", "b")
        assert joiner.rooms == set()

    @pytest.mark.parametrize(("method", "room"), [("join", 5), ("join", ["b"]), ("leave", None), ("leave", "~user:1")])
    async def test_what_is_no_room_changes_nothing(self, joiner: Joiner, method: str, room: Any) -> None:
        await joiner.socket.join("a")
        with pytest.raises((TypeError, ValueError)):
            await getattr(joiner.socket, method)("a", "b", room)
        assert joiner.rooms == {"a"}

    async def test_all_are_left_but_that_of_its_user(self, app: Any) -> None:
        server = SocketIOServer()
        client = await SocketIOClient(as_asgi(Consumer, server=server), user="ada").open()
        await client.connect("/test")
        (socket,) = Consumer.members
        await socket.join("a")
        await socket.leave_all()
        await socket.leave(socket.id)
        assert socket.rooms == set()
        assert set(server.adapter._rooms) == {("/test", None), ("/test", "~user:ada")}
        await socket.disconnect()
        assert server.adapter._rooms == {}


class TestCallbacks:
    async def test_late_and_foreign_acks_are_ignored(self, joined: SocketIOClient) -> None:
        for ack_id in ("", 0, 999):
            joined.send("3", "/test", ["x"], ack_id)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')

    async def test_callback_runs_while_a_handler_does(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        joined.emit("/test", "wait", 1)
        got: list[Any] = []
        await socket.emit("x", callback=got.append)
        await joined.receive()
        joined.send("3", "/test", ["answer"], 0)
        await wait_until(lambda: got)

    async def test_ids_are_not_shared_by_sockets(self, app: Any, joined: SocketIOClient) -> None:
        second = await member(app)
        for socket in Consumer.members:
            await socket.emit("x", callback=print)
        assert await joined.receive() != await second.receive()

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_callback_gets_the_arguments_once(
        self, joined: SocketIOClient, socket: NamespaceSocket, is_async: bool
    ) -> None:
        got: list[Any] = []

        async def callback(*args: Any) -> None:
            got.append(args)

        await socket.send("x", callback=callback if is_async else lambda *args: got.append(args))
        await joined.received('2/test,0["message","x"]')
        for _ in range(2):
            joined.send("3", "/test", [1, 2], 0)
        await wait_until(lambda: got)
        assert got == [(1, 2)]

    @override_settings(SIO_MAX_PENDING_ACKS=2)
    async def test_pending_acks_are_bounded(self, app: Any) -> None:
        await member(app)
        for _ in range(2):
            await Consumer.members[0].emit("x", callback=print)
        with pytest.raises(TooManyPendingAcks, match="SIO_MAX_PENDING_ACKS"):
            await Consumer.members[0].emit("x", callback=print)

    @override_settings(SIO_MAX_PENDING_ACKS=1)
    async def test_event_that_cannot_be_encoded_is_not_pending(self, app: Any) -> None:
        await member(app)
        for _ in range(2):
            with pytest.raises(ValueError, match="cannot encode"):
                await Consumer.members[0].emit("x", object(), callback=print)


@override_settings(SIO_MAX_QUEUED_EVENTS=4, SIO_MAX_BUFFERED_BYTES=1_000)
async def test_emit_that_waits_for_a_pong_behind_a_full_queue_gets_it(app: Any) -> None:
    """A handler waits for the client to take what it was sent, which shows by a pong that stands behind its events."""
    client = await member(app)
    for _ in range(7):
        client.emit("/test", "repeat")
    answers = 0
    while answers < 7 * 4:
        frame = await client.websocket.receive()
        if frame == "2":
            client.websocket.send("3")
        else:
            answers += 1


class TestDisconnect:
    async def test_client_leaves_the_namespace(self, joined: SocketIOClient) -> None:
        await Consumer.members[0].join("room")
        joined.send("1", "/test")
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("client namespace disconnect", 2)]
        await joined.connect("/test")

    async def test_server_disconnects_the_namespace(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "leave")
        await joined.received("1/test,")
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("server namespace disconnect", 1)]
        await joined.connect("/other")

    async def test_hook_runs_after_the_handler_and_drops_what_is_queued(self, joined: SocketIOClient) -> None:
        for number in (1, 2):
            joined.emit("/test", "wait", number)
        await wait_until(lambda: Consumer.log)
        joined.leave()
        await joined.websocket.finished()
        Consumer.gate.set()
        await wait_until(lambda: len(Consumer.log) == 3)
        assert Consumer.log == [("start", 1), ("end", 1), ("transport close", 1)]

    @override_settings(SIO_MAX_BUFFERED_PACKETS=2)
    async def test_client_that_is_cut_as_it_is_disconnected_has_one_reason(self, app: Any) -> None:
        """Its buffer is full, so that it is cut before it is disconnected."""
        client = await member(app)
        (socket,) = Consumer.members
        client.websocket.taken.clear()
        for _ in range(3):
            send_at_once(socket, "x")
        await socket.disconnect()
        await wait_until(lambda: Consumer.log)
        await asyncio.sleep(1)
        assert Consumer.log == [("transport error", 1)]

    async def test_namespace_keeps_nothing_of_it(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        await socket.join("room")
        assert namespace_called("/test").sockets == {socket.id: socket}
        assert rooms_in_use() == {("/test", None), ("/test", socket.id), ("/test", "room")}
        await socket.disconnect()
        assert namespace_called("/test").sockets == {}
        assert rooms_in_use() == set()


@pytest.mark.parametrize(
    "use",
    [
        lambda socket: socket.emit("x"),
        lambda socket: socket.call("x"),
        lambda socket: socket.join("room"),
        lambda socket: socket.leave("room"),
        lambda socket: socket.disconnect(),
    ],
    ids=["emit", "call", "join", "leave", "disconnect"],
)
async def test_socket_is_refused_in_another_thread(joined: SocketIOClient, socket: NamespaceSocket, use: Any) -> None:
    def run() -> None:
        asyncio.run(use(socket))

    with pytest.raises(WrongEventLoop, match=r"emit with 'await server\.emit"):
        await asyncio.to_thread(run)
    assert socket.connected
    await socket.emit("next")
    await joined.received('2/test,["next"]')
