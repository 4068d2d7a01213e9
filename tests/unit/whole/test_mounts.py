"""A mounted application is a boundary: a namespace that it does not serve cannot be joined through it, `/` neither."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer, as_asgi, get_socketio_server
from tests import virtual_time
from tests.asgi import Poller, request
from tests.client import SocketIOClient
from tests.sessions import sessions

#: In seconds.
CONNECT_TIMEOUT, ATTACHMENTS_TIMEOUT = 1, 0.5


class Main(SocketIOConsumer):
    """Serves `/`, and stands behind middleware in an application of its own."""

    members: ClassVar[list[NamespaceSocket]] = []

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.members.append(socket)
        await socket.join("room")
        return True

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args


class Other(SocketIOConsumer):
    namespace = "/other"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        return not auth.get("refuse")

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args


@pytest.fixture(autouse=True)
def main() -> Any:
    """The application that serves `/`."""
    Main.members = []
    return Main.as_asgi()


@pytest.fixture
async def outside() -> SocketIOClient:
    """A client of another application, which does not."""
    return await SocketIOClient(Other.as_asgi()).open()


class TestRoutedClass:
    """A consumer class is routed instead of its application."""

    class WithInit(Other):
        def __init__(self) -> None: ...

    @pytest.mark.parametrize("consumer", [Other, WithInit])
    async def test_error_names_as_asgi(self, consumer: Any) -> None:
        with pytest.raises(TypeError, match=rf"{consumer.__name__} is no ASGI application: route .*\.as_asgi\(\)"):
            await consumer({"type": "http"}, None, None)

    @pytest.mark.parametrize(("args", "kwargs"), [((1,), {}), ((), {"room": 1}), (({},), {})])
    def test_other_arguments_are_refused_as_ever(self, args: Any, kwargs: Any) -> None:
        with pytest.raises(TypeError, match=r"Other\(\) takes no arguments"):
            Other(*args, **kwargs)

    def test_class_may_have_a_constructor(self) -> None:
        class Sized(Other):
            def __init__(self, size: int = 0) -> None:
                self.size = size

        assert (Sized().size, Sized(2).size, Sized(size=3).size) == (0, 2, 3)

    @pytest.mark.parametrize("make", [Other.as_asgi, Other, lambda: object, lambda: "Other"])
    def test_error_names_what_is_no_consumer_class(self, make: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="takes consumer classes, and not"):
            as_asgi(make())


class TestLobby:
    """Where the application does not serve `/`, clients may join it, and get nothing of it."""

    async def test_client_may_join_it(self, outside: SocketIOClient) -> None:
        assert len(await outside.connect("/")) == 21
        await outside.connect("/other")

    async def test_it_has_no_handlers(self, outside: SocketIOClient) -> None:
        await outside.connect("/")
        await outside.connect("/other")
        outside.emit("/", "echo", "a secret?", ack_id=1)
        outside.emit("/other", "echo", "fence", ack_id=2)
        await outside.received('3/other,2["fence"]')
        assert Main.members == []

    async def test_client_in_it_is_in_no_room_and_gets_no_broadcast(self, main: Any, outside: SocketIOClient) -> None:
        inside = await SocketIOClient(main).open()
        await inside.connect("/")
        socket_id = await outside.connect("/")
        await outside.connect("/other")
        server = get_socketio_server()
        for room in (None, "room", socket_id, [socket_id, "room"]):
            await server.emit("news", room=room)
        await server.emit("fence", namespace="/other")
        await outside.received('2/other,["fence"]')
        await inside.received(*['2["news"]'] * 3)
        assert list(server._shared.namespaces["/"].sockets.values()) == Main.members

    async def test_client_in_it_leaves_nothing_behind(self, outside: SocketIOClient) -> None:
        await outside.connect("/")
        outside.send("1", "/")
        await outside.connect("/")
        outside.leave()
        await outside.websocket.finished()
        lobby = get_socketio_server()._shared.namespaces.find("/", outside.websocket.scope)
        assert lobby is not None
        assert not lobby.is_served
        assert lobby.sockets == {}
        assert len(sessions) == 0

    async def test_second_connect_ends_the_connection_as_anywhere(self, outside: SocketIOClient) -> None:
        await outside.connect("/")
        outside.send("0", "/")
        await outside.websocket.closed()

    async def test_it_leaves_the_consumer_alone(self, main: Any) -> None:
        """One application may serve it, and another not, in any order of their mounting."""
        both = as_asgi(Other, Main)
        for application in (main, both):
            client = await SocketIOClient(application).open()
            await client.connect("/")
            client.emit("/", "echo", 1, ack_id=1)
            await client.received("31[1]")


class TestJoining:
    """Only a namespace with a consumer counts as joined."""

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_lobby_is_no_namespace_that_was_joined(self, outside: SocketIOClient) -> None:
        app = Other.as_asgi()
        await outside.connect("/")
        assert (await request(app, "GET", "EIO=4&transport=polling")).status == 503
        await outside.connect("/other")
        await Poller(app).open()

    @pytest.mark.parametrize("auth", [None, {"refuse": True}])
    def test_client_that_joins_only_the_lobby_is_closed(self, auth: Any) -> None:
        async def scenario() -> None:
            client = await joined_lobby()
            if auth:
                client.send("0", "/other", auth)
                await client.received('4/other,{"message":"Not authorized"}')
            await closes_after(client, CONNECT_TIMEOUT)
            assert len(sessions) == 0

        run(scenario)

    def test_client_that_joins_a_namespace_beside_it_stays(self) -> None:
        async def scenario() -> None:
            client = await joined_lobby()
            await client.connect("/other")
            await asyncio.sleep(2 * CONNECT_TIMEOUT)
            client.emit("/other", "echo", "still here", ack_id=1)
            await client.received('3/other,1["still here"]')
            client.leave()
            await client.websocket.finished()

        run(scenario)

    @pytest.mark.parametrize(
        ("joins", "seconds"), [("/", CONNECT_TIMEOUT), ("/other", CONNECT_TIMEOUT - 0.1 + ATTACHMENTS_TIMEOUT)]
    )
    def test_packet_that_waits_for_attachments_buys_the_lobby_no_time(self, joins: str, seconds: float) -> None:
        async def scenario() -> None:
            client = await SocketIOClient(Other.as_asgi()).open()
            await client.connect(joins)
            await asyncio.sleep(CONNECT_TIMEOUT - 0.1)
            client.send("51-", joins, ["echo", {"_placeholder": True, "num": 0}])
            await closes_after(client, seconds)

        run(scenario)

    def test_attachments_of_the_lobby_must_come(self) -> None:
        async def scenario() -> None:
            client = await joined_lobby()
            await asyncio.sleep(0.4)
            client.send("51-", "/", ["echo", {"_placeholder": True, "num": 0}])
            await closes_after(client, 0.4 + ATTACHMENTS_TIMEOUT)

        run(scenario)


async def joined_lobby() -> SocketIOClient:
    client = await SocketIOClient(Other.as_asgi()).open()
    await client.connect("/")
    return client


async def closes_after(client: SocketIOClient, seconds: float) -> None:
    """The server closes the connection when so much time has passed since the beginning."""
    await client.websocket.closed()
    assert asyncio.get_running_loop().time() == pytest.approx(seconds)


@override_settings(
    SIO_CONNECT_TIMEOUT_MS=CONNECT_TIMEOUT * 1000, SIO_ATTACHMENTS_TIMEOUT_MS=int(ATTACHMENTS_TIMEOUT * 1000)
)
def run(scenario: Callable[[], Any]) -> None:
    problems: list[dict[str, Any]] = []
    virtual_time.run(scenario(), problems)
    assert problems == []
