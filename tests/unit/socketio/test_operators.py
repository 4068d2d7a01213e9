"""`BroadcastOperator`: which sockets an operation is for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync

from sio import BroadcastOperator, EncodingError, NamespaceSocket, SocketIOConsumer, SocketIOServer, get_socketio_server
from sio.socketio.users import Users
from tests.client import SocketIOClient

ALL = {"ada", "bob", "cem", "dot"}
#: Who is in which room.
ROOMS = {"ada": ["red"], "bob": ["red", "blue"], "cem": ["blue"], "dot": []}
#: Whose sockets they are: two of them are one user's, and one is nobody's.
USERS = {"ada": "1", "bob": "2", "cem": "1", "dot": None}


class Chat(SocketIOConsumer):
    namespace = "/chat"
    members: ClassVar[dict[str, NamespaceSocket]] = {}

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.members[auth["name"]] = socket
        await socket.join(*ROOMS[auth["name"]])
        return True


class As:
    """The application, with the user whom middleware finds."""

    def __init__(self, application: Any, user: str | None) -> None:
        self._application = application
        self._scope = {} if user is None else {"user": user}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._application({**scope, **self._scope}, receive, send)


class Room:
    """Four clients on a server that takes the user of a scope as it is."""

    def __init__(self) -> None:
        self.server = SocketIOServer()
        self.clients: dict[str, SocketIOClient] = {}

    async def fill(self) -> Room:
        application = Chat.as_asgi(self.server)
        for name in sorted(ALL):
            client = self.clients[name] = await SocketIOClient(As(application, USERS[name])).open()
            await client.connect("/chat", {"name": name})
        return self

    @property
    def all(self) -> BroadcastOperator:
        return self.server.of(Chat)

    async def hearers(self, operator: BroadcastOperator) -> set[str]:
        """Returns who gets what an operator emits. Each gets it once."""
        await operator.emit("news", 1)
        await self.all.emit("end")
        heard = set()
        for name, client in self.clients.items():
            if (packet := await client.receive()) == '2/chat,["news",1]':
                heard.add(name)
                packet = await client.receive()
            assert packet == '2/chat,["end"]'
        return heard


@pytest.fixture
async def room() -> Room:
    return await Room().fill()


Choose = Callable[[Room], BroadcastOperator]


def case(choose: Choose, heard: Iterable[str]) -> Any:
    return pytest.param(choose, set(heard))


def member(name: str) -> NamespaceSocket:
    return Chat.members[name]


@pytest.mark.parametrize(
    ("choose", "heard"),
    [
        case(lambda room: room.all, ALL),
        case(lambda room: room.server.of("/chat"), ALL),
        case(lambda room: room.all.to("red"), ["ada", "bob"]),
        case(lambda room: room.all.to("red", "blue"), ["ada", "bob", "cem"]),
        case(lambda room: room.all.to(["red", "blue"]), ["ada", "bob", "cem"]),
        case(lambda room: room.all.to("red").to("blue"), ["ada", "bob", "cem"]),
        case(lambda room: room.all.to([]), []),
        case(lambda room: room.all.to("nowhere"), []),
        case(lambda room: room.all.to([]).to("red"), ["ada", "bob"]),
        case(lambda room: room.all.to(member("dot").id), ["dot"]),
        case(lambda room: room.all.except_("red"), ["cem", "dot"]),
        case(lambda room: room.all.except_("red").except_("blue"), ["dot"]),
        case(lambda room: room.all.to("red").except_("blue"), ["ada"]),
        case(lambda room: room.all.except_("blue").to("blue"), []),
        case(lambda room: room.all.except_([]), ALL),
        case(lambda room: room.all.to_user("1"), ["ada", "cem"]),
        case(lambda room: room.all.to_user(1), ["ada", "cem"]),
        case(lambda room: room.all.to_user("1", "2"), ["ada", "bob", "cem"]),
        case(lambda room: room.all.to_user("3"), []),
        case(lambda room: room.all.to("red").to_user("1"), ["ada", "bob", "cem"]),
        case(lambda room: room.all.except_user("1"), ["bob", "dot"]),
        case(lambda room: room.all.to("red").except_user("2"), ["ada"]),
        case(lambda room: room.all.local, ALL),
        case(lambda room: room.all.volatile.to("red"), ["ada", "bob"]),
        case(lambda room: member("ada").broadcast, ["bob", "cem", "dot"]),
        case(lambda room: member("ada").to("red"), ["bob"]),
        case(lambda room: member("dot").to("red"), ["ada", "bob"]),
        case(lambda room: member("ada").broadcast.to_user("1"), ["cem"]),
        case(lambda room: member("ada").except_("blue"), ["dot"]),
        case(lambda room: member("ada").to("red", "blue").except_("blue"), []),
        case(lambda room: member("ada").broadcast.to("blue").except_user("1"), ["bob"]),
        case(lambda room: member("ada").to([]), []),
        case(lambda room: room.all.to(name for name in ("red", "nowhere")), ["ada", "bob"]),
        case(lambda room: room.all.to("red", ["blue"], []), ["ada", "bob", "cem"]),
        case(lambda room: room.all.to("red").to([]), ["ada", "bob"]),
        case(lambda room: room.all.except_(member("ada").id, "blue"), ["dot"]),
        case(lambda room: room.server.of("/").to("red"), []),
        case(lambda room: room.server.to_user("1"), []),
        case(lambda room: member("ada").to(member("ada").id), []),
    ],
)
async def test_event_reaches_who_is_meant(room: Room, choose: Choose, heard: set[str]) -> None:
    assert await room.hearers(choose(room)) == heard


class TestOperator:
    """It can be kept, compared and used again."""

    def test_each_modifier_returns_a_new_one(self) -> None:
        server = SocketIOServer()
        everybody = server.of("/chat")
        others = [everybody.to("red"), everybody.except_("red"), everybody.to_user("1"), everybody.except_user("1")]
        others += [everybody.local, everybody.volatile]
        assert everybody == server.of("/chat")
        assert len({everybody, *others}) == 7
        assert {other.namespace for other in others} == {"/chat"}

    def test_those_for_the_same_sockets_are_equal(self) -> None:
        server, other = SocketIOServer(), SocketIOServer()
        one, same = server.of("/chat").to("red", "blue"), server.of("/chat").to("blue").to("red")
        assert (one, hash(one)) == (same, hash(same))
        assert one not in {server.of("/chat"), server.of("/").to("red", "blue"), other.of("/chat").to("red", "blue")}

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            SocketIOServer().of("/chat")._target = SocketIOServer().of("/")._target  # type: ignore[misc]

    def test_says_what_it_is_for(self) -> None:
        assert "namespace='/chat', rooms=frozenset({'red'})" in repr(SocketIOServer().of("/chat").to("red"))


class TestServer:
    """Modifiers of a server are those of its main namespace."""

    def test_main_namespace(self) -> None:
        server = SocketIOServer()
        main = server.of("/")
        assert server.to("red") == main.to("red")
        assert server.to_user("1") == main.to_user("1")
        assert server.except_("red") == main.except_("red")
        assert server.except_user("1") == main.except_user("1")
        assert (server.local, server.volatile) == (main.local, main.volatile)

    def test_consumer_has_those_of_its_namespace(self) -> None:
        class Child(Chat):
            namespace = "/child"

        assert Child.sockets == Child().sockets == get_socketio_server().of("/child")
        assert Chat.sockets == get_socketio_server().of(Chat) == get_socketio_server().of("/chat")

    @pytest.mark.parametrize("namespace", [None, 5, object])
    def test_what_is_no_namespace_is_refused(self, namespace: Any) -> None:
        with pytest.raises(TypeError, match="of\\(\\) takes the name of a namespace, or a consumer class"):
            SocketIOServer().of(namespace)


@pytest.mark.parametrize("method", ["to", "except_"])
class TestRooms:
    """What is no room is an error, and names what to do."""

    def test_none_at_all(self, method: str) -> None:
        with pytest.raises(TypeError, match="needs at least one room"):
            getattr(SocketIOServer(), method)()

    @pytest.mark.parametrize("room", [5, b"red", [None], ["red", 5]])
    def test_no_string(self, method: str, room: Any) -> None:
        with pytest.raises(TypeError):
            getattr(SocketIOServer(), method)(room)

    def test_room_of_a_user(self, method: str) -> None:
        with pytest.raises(ValueError, match="use to_user\\(\\) or except_user\\(\\)"):
            getattr(SocketIOServer(), method)("~user:1")


@pytest.mark.parametrize("method", ["to_user", "except_user"])
def test_no_user_at_all_is_refused(method: str) -> None:
    with pytest.raises(TypeError, match="needs at least one user"):
        getattr(SocketIOServer(), method)()


@pytest.mark.parametrize("method", ["to_user", "except_user"])
def test_what_is_no_user_is_refused(method: str) -> None:
    class Known(Users):
        def key_of(self, user: Any) -> str | None:
            if user != "ada":
                raise ValueError(f"{user} is unknown")
            return "ada"

    with pytest.raises(ValueError, match="None is no user"):
        getattr(SocketIOServer(), method)(None)
    with pytest.raises(ValueError, match="bob is unknown"):
        getattr(SocketIOServer(users=Known()), method)("ada", "bob")


def test_anonymous_user_is_nobody() -> None:
    class Guests(Users):
        def key_of(self, user: Any) -> str | None:
            return None if user == "guest" else str(user)

    server = SocketIOServer(users=Guests())
    everybody = server.of("/chat")
    assert everybody.to_user("guest") == everybody.to([])
    assert everybody.to_user("guest", "1") == everybody.to_user("1")
    assert everybody.except_user("guest") == everybody


class TestEmit:
    async def test_attachments_arrive(self, room: Room) -> None:
        await room.all.to("red").emit("news", b"1", {"more": b"2"})
        for name in ("ada", "bob"):
            packet = '52-/chat,["news",{"_placeholder":true,"num":0},{"more":{"_placeholder":true,"num":1}}]'
            await room.clients[name].received(packet, b"1", b"2")

    @pytest.mark.parametrize("volatile", [True, False])
    async def test_volatile_event_passes_over_a_client_that_does_not_read(self, room: Room, volatile: bool) -> None:
        ada = room.clients["ada"]
        ada.websocket.taken.clear()
        await member("ada").emit("blocks")
        red = room.all.to("red")
        await (red.volatile if volatile else red).emit("news")
        await red.emit("end")
        await room.clients["bob"].received('2/chat,["news"]', '2/chat,["end"]')
        ada.websocket.taken.set()
        await ada.received('2/chat,["blocks"]', *['2/chat,["news"]'] * (not volatile), '2/chat,["end"]')

    @pytest.mark.parametrize(
        ("args", "error"), [(("x", object()), EncodingError), (("connect",), ValueError), ((5,), TypeError)]
    )
    @pytest.mark.parametrize("in_thread", [False, True])
    async def test_error_is_raised_at_the_caller_and_nothing_is_sent(
        self, room: Room, args: Any, error: type[Exception], in_thread: bool
    ) -> None:
        with pytest.raises(error):
            await (asyncio.to_thread(async_to_sync(room.all.emit), *args) if in_thread else room.all.emit(*args))
        assert await room.hearers(room.all.to([])) == set()

    async def test_namespace_without_a_consumer_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        server = SocketIOServer()
        Chat.as_asgi(server)
        await server.of("/caht").to("red").emit("x")
        assert "'/caht', which has no consumer here" in caplog.text


class TestHooks:
    """Others hear what hooks have to say, and the client itself does not."""

    class Hooks(SocketIOConsumer):
        async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
            await socket.join("room")
            await socket.to("room").emit("comes", auth["name"])
            await socket.broadcast.emit("comes to all", auth["name"])
            return True

        async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
            await socket.to("room").emit("left")
            await socket.broadcast.emit("left all")
            await self.sockets.to(socket.id).emit("lost")

    async def test_others_hear_of_a_socket_before_it_is_accepted_and_after_its_end(self) -> None:
        app = self.Hooks.as_asgi()
        first, second = [await SocketIOClient(app).open() for _ in range(2)]
        await first.connect("/", {"name": "ada"})
        await second.connect("/", {"name": "bob"})
        second.leave()
        await second.websocket.finished()
        await self.Hooks.sockets.emit("end")
        await first.received('2["comes","bob"]', '2["comes to all","bob"]', '2["left"]', '2["left all"]', '2["end"]')


async def test_operator_of_a_socket_works_in_another_thread(room: Room) -> None:
    """Unlike the socket itself."""
    await asyncio.to_thread(async_to_sync(member("ada").to("red").emit), "news")
    assert await room.clients["bob"].receive() == '2/chat,["news"]'
    assert await room.hearers(room.all.to([])) == set()


async def test_send_emits_a_message(room: Room) -> None:
    await room.all.to("red").send("hello", 5)
    assert await room.clients["ada"].receive() == '2/chat,["message","hello",5]'


async def test_socket_that_left_is_in_no_room_of_its_user(room: Room) -> None:
    room.clients["ada"].leave()
    await room.clients.pop("ada").websocket.finished()
    assert await room.hearers(room.all.to_user("1")) == {"cem"}


async def test_refused_client_is_in_no_room_of_its_user() -> None:
    class Closed(SocketIOConsumer):
        async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
            await self.sockets.to_user("1").emit("x")
            return False

    server = SocketIOServer()
    client = await SocketIOClient(As(Closed.as_asgi(server), "1")).open()
    client.send("0")
    assert (await client.receive()).startswith("4{")


async def test_works_in_another_thread(room: Room) -> None:
    await asyncio.to_thread(async_to_sync(room.all.to("red").emit), "news")
    assert await room.clients["ada"].receive() == '2/chat,["news"]'


async def test_rooms_of_a_socket_do_not_show_that_of_its_user(room: Room) -> None:
    assert member("ada").rooms == {member("ada").id, "red"}


async def test_encoded_event_is_sent_as_it_was(room: Room) -> None:
    value = [1]
    encoded = room.all.to("red").encode("news", value)
    value.append(2)
    await asyncio.to_thread(async_to_sync(encoded.send))
    await encoded.send()
    for _ in range(2):
        assert await room.clients["ada"].receive() == '2/chat,["news",[1]]'


def test_what_cannot_be_encoded_is_an_error_at_once() -> None:
    with pytest.raises(EncodingError):
        SocketIOServer().of("/chat").encode("news", object())
