"""Two servers in one process, each with its own Engine.IO server, options and adapter: they share nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from sio import NamespaceSocket, SocketIOConsumer, SocketIOServer, as_asgi
from sio.engineio import EngineIOOptions, EngineIOServer, get_engineio_server
from sio.socketio.adapter import Adapter
from sio.socketio.protocol.options import SocketIOOptions
from tests.asgi import Poller, WebSocket
from tests.client import SocketIOClient
from tests.unit.engineio.clients import leave, probing, status, turns, upgraded


class Consumer(SocketIOConsumer):
    """Notes what comes, and joins a room."""

    seen: ClassVar[list[Any]]

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("room")
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        self.seen.append((socket.namespace, str(reason)))

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args

    async def event_news(self, socket: NamespaceSocket, text: str) -> None:
        await socket.server.emit("news", text, namespace=socket.namespace)

    async def event_burst(self, socket: NamespaceSocket, count: int) -> None:
        for _ in range(count):
            await socket.server.emit("burst", "x" * 100, room=socket.id, namespace=socket.namespace)


class Chat(Consumer):
    namespace = "/chat"


class OtherChat(Consumer):
    """Serves the namespace of the same name, on the other server."""

    namespace = "/chat"

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> str:
        return "other"


class Alone(Consumer):
    namespace = "/alone"


class CountingAdapter(Adapter):
    """Another adapter than the default: counts its broadcasts."""

    broadcasts = 0
    is_closed = False

    def broadcast_locally(self, *args: Any, **kwargs: Any) -> None:
        self.broadcasts += 1
        super().broadcast_locally(*args, **kwargs)

    async def close(self) -> None:
        self.is_closed = True


class Servers:
    """The two, and an ASGI application of each."""

    def __init__(self) -> None:
        self.options = EngineIOOptions(
            ping_interval=1_000, ping_timeout=500, max_payload=500, max_sessions=2, max_buffered_packets=10
        )
        self.one = SocketIOServer(
            lambda: SocketIOOptions(max_rooms=2, connect_timeout=3_000),
            CountingAdapter,
            engineio=EngineIOServer(lambda: self.options),
        )
        self.other = SocketIOServer(engineio=EngineIOServer())
        self.app = as_asgi(Chat, Alone, server=self.one)
        self.other_app = as_asgi(OtherChat, server=self.other)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    Consumer.seen = []
    yield Servers()
    del Consumer.seen


class Member:
    """A client of either transport that has joined `/chat`."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.events: list[str] = []

    async def join(self) -> None:
        raise NotImplementedError

    async def send(self, packet: str) -> None:
        raise NotImplementedError

    async def receive(self) -> list[str]:
        """Returns the Socket.IO packets that come next."""
        raise NotImplementedError

    async def received(self, packet: str) -> None:
        """Asserts that a packet comes, and no event of the other server before it."""
        while packet not in self.events:
            self.events += await self.receive()
        assert self.events.index(packet) == 0
        self.events.remove(packet)

    async def echo(self) -> str:
        """Asks the server something. Returns the answer, before which nothing else must come."""
        await self.send('42/chat,1["echo","hello"]')
        while not self.events:
            self.events += await self.receive()
        return self.events.pop(0)


class PollingMember(Member):
    async def join(self) -> None:
        self.poller = Poller(self.app)
        await self.poller.open()
        await self.send("40/chat,")
        assert (await self.receive())[0].startswith('40/chat,{"sid"')

    async def send(self, packet: str) -> None:
        assert (await self.poller.post(packet)).status == 200

    async def receive(self) -> list[str]:
        return (await self.poller.get()).packets


class WebSocketMember(Member):
    async def join(self) -> None:
        self.client = await SocketIOClient(self.app).open()
        await self.client.connect("/chat")

    async def send(self, packet: str) -> None:
        self.client.websocket.send(packet)

    async def receive(self) -> list[str]:
        return [f"4{await self.client.receive()}"]


TRANSPORTS = pytest.mark.parametrize("kind", [PollingMember, WebSocketMember], ids=["polling", "websocket"])


async def joined(kind: type[Member], servers: Servers) -> tuple[Member, Member]:
    """Returns a member of each server."""
    members = kind(servers.app), kind(servers.other_app)
    for member in members:
        await member.join()
    return members


async def test_server_needs_no_more_than_to_be_given_to_as_asgi() -> None:
    client = await SocketIOClient(as_asgi(SocketIOConsumer, server=SocketIOServer())).open()
    client.send("0", "/")
    assert (await client.receive()).startswith('0{"sid"')


@TRANSPORTS
async def test_each_has_its_own_handlers_of_a_namespace(kind: type[Member], servers: Servers) -> None:
    one, other = await joined(kind, servers)
    assert (await one.echo(), await other.echo()) == ('43/chat,1["hello"]', '43/chat,1["other"]')


@TRANSPORTS
async def test_broadcast_reaches_the_clients_of_its_server_only(kind: type[Member], servers: Servers) -> None:
    one, other = await joined(kind, servers)
    await servers.one.emit("news", "of one", namespace="/chat")
    await servers.other.emit("news", "of the other", namespace="/chat", room="room")
    await one.received('42/chat,["news","of one"]')
    await other.received('42/chat,["news","of the other"]')
    assert servers.one.adapter.broadcasts == 1  # type: ignore[attr-defined]
    # Nothing else has come by the time of the next answer.
    assert (await one.echo(), await other.echo()) == ('43/chat,1["hello"]', '43/chat,1["other"]')


@TRANSPORTS
async def test_server_of_a_socket_is_the_one_that_it_is_connected_to(kind: type[Member], servers: Servers) -> None:
    one, other = await joined(kind, servers)
    await other.send('42/chat,["news","mine"]')
    await other.received('42/chat,["news","mine"]')
    assert await one.echo() == '43/chat,1["hello"]'


async def test_sessions_are_in_the_registry_of_their_server(servers: Servers) -> None:
    await joined(PollingMember, servers)
    registries = [server.engineio.registry for server in (servers.one, servers.other)]
    assert [len(registry) for registry in registries] == [1, 1]
    assert len(get_engineio_server().registry) == 0
    assert {connection.sid for connection in registries[0]}.isdisjoint(connection.sid for connection in registries[1])


async def test_sid_of_one_is_unknown_to_the_other(servers: Servers) -> None:
    client = Poller(servers.app)
    await client.open()
    stranger = Poller(servers.other_app)
    stranger.sid = client.sid
    for response in (await stranger.get(), await stranger.post("4x")):
        assert (response.status, response.json()["code"]) == (400, 1)
    assert (await WebSocket(servers.other_app, client.sid).connect())["type"] == "websocket.close"
    await leave(await upgraded(servers.app, client.sid))


async def test_upgrade_of_one_leaves_the_other(servers: Servers) -> None:
    one, other = await joined(PollingMember, servers)
    websocket = await probing(servers.other_app, other.poller.sid)
    websocket.send("5")
    websocket.send('42/chat,1["echo"]')
    assert await websocket.receive() == '43/chat,1["other"]'
    assert await one.echo() == '43/chat,1["hello"]'
    await leave(websocket)


async def test_namespace_of_one_is_none_of_the_other(servers: Servers) -> None:
    for app, answer in ((servers.app, "40/alone,{"), (servers.other_app, "44/alone,{")):
        client = await SocketIOClient(app).open()
        client.send("0", "/alone")
        assert f"4{await client.receive()}".startswith(answer)
        await leave(client)


class TestOptions:
    @pytest.mark.parametrize("transport", ["polling", "websocket"])
    async def test_each_says_its_own_in_the_handshake(self, transport: str, servers: Servers) -> None:
        found = []
        for app in (servers.app, servers.other_app):
            client = Poller(app) if transport == "polling" else WebSocket(app)
            handshake = await client.open()
            found.append((handshake["pingInterval"], handshake["pingTimeout"], handshake["maxPayload"]))
        assert found == [(1_000, 500, 500), (25_000, 20_000, 1_000_000)]

    async def test_each_pings_in_its_own_time(self, servers: Servers) -> None:
        one, other = await joined(WebSocketMember, servers)
        assert isinstance(one, WebSocketMember)
        assert await one.client.websocket.receive() == "2"
        assert await one.client.websocket.closed() == 1000
        assert asyncio.get_running_loop().time() == pytest.approx(1.5)
        assert Consumer.seen == [("/chat", "ping timeout")]
        assert await other.echo() == '43/chat,1["other"]'

    async def test_each_has_its_own_limit_of_a_payload(self, servers: Servers) -> None:
        one, other = await joined(PollingMember, servers)
        packet = f'42/chat,1["echo","{"x" * 600}"]'
        assert [(await member.poller.post(packet)).status for member in (one, other)] == [413, 200]
        websockets = [await probing(member.app, member.poller.sid) for member in (one, other)]
        for websocket in websockets:
            websocket.send("5")
            websocket.send(packet)
        assert await websockets[0].closed() == 1009
        await leave(websockets[1])
        await turns()
        assert Consumer.seen == [("/chat", "transport error"), ("/chat", "transport close")]

    async def test_each_has_its_own_number_of_places(self, servers: Servers) -> None:
        assert [await status(servers.app) for _ in range(4)] == [200, 200, 503, 503]
        assert [await status(servers.other_app) for _ in range(4)] == [200] * 4
        assert [server.engineio.admission.refused for server in (servers.one, servers.other)] == [2, 0]

    async def test_each_has_its_own_bound_of_the_buffer(self, servers: Servers) -> None:
        one, other = await joined(PollingMember, servers)
        for member in (one, other):
            await member.send('42/chat,["burst",20]')
        await turns()
        await asyncio.sleep(0.1)
        assert Consumer.seen == [("/chat", "transport error")]
        assert [server.engineio.slow_consumers for server in (servers.one, servers.other)] == [1, 0]
        assert len(await other.receive()) == 20

    async def test_each_has_its_own_of_socketio(self, servers: Servers) -> None:
        """A client that joins no namespace is sent away after the time of its server."""
        servers.options = EngineIOOptions()
        websockets = [WebSocket(app) for app in (servers.app, servers.other_app)]
        for websocket in websockets:
            await websocket.open()
        await asyncio.sleep(4)
        assert await websockets[0].closed() == 1000
        assert len(servers.other.engineio.registry) == 1

    async def test_options_may_change_for_one(self, servers: Servers) -> None:
        servers.options = EngineIOOptions(ping_interval=7_000)
        found = [(await Poller(app).open())["pingInterval"] for app in (servers.app, servers.other_app)]
        assert found == [7_000, 25_000]


class TestEnd:
    @TRANSPORTS
    async def test_close_of_one_leaves_the_other(self, kind: type[Member], servers: Servers) -> None:
        _, other = await joined(kind, servers)
        await servers.one.close()
        await turns()
        assert Consumer.seen == [("/chat", "server shutting down")]
        assert (len(servers.one.engineio.registry), servers.one.adapter.is_closed) == (0, True)  # type: ignore[attr-defined]
        assert await other.echo() == '43/chat,1["other"]'

    @TRANSPORTS
    async def test_shutdown_of_one_leaves_the_other(self, kind: type[Member], servers: Servers) -> None:
        _, other = await joined(kind, servers)
        ending = asyncio.ensure_future(servers.one.engineio.shutdown.run())
        await turns()
        assert [server.engineio.shutdown.is_under_way for server in (servers.one, servers.other)] == [True, False]
        assert await other.echo() == '43/chat,1["other"]'
        assert [await status(app) for app in (servers.app, servers.other_app)] == [503, 200]
        await ending
        assert Consumer.seen == [("/chat", "server shutting down")]
        assert await other.echo() == '43/chat,1["other"]'

    async def test_server_of_the_process_is_untouched(self, servers: Servers) -> None:
        app = as_asgi(Chat)
        member = WebSocketMember(app)
        await member.join()
        await servers.one.engineio.shutdown.run()
        await servers.other.engineio.shutdown.run()
        assert await member.echo() == '43/chat,1["hello"]'
        await leave(member.client)


@pytest.mark.real_time
async def test_each_may_live_on_an_event_loop_of_its_own(servers: Servers) -> None:
    """What is emitted from the loop of one is sent on the loop of the other, in its thread."""
    one = WebSocketMember(servers.app)
    await one.join()
    is_there, loop = asyncio.Event(), asyncio.get_running_loop()

    async def serve_the_other() -> None:
        other = WebSocketMember(servers.other_app)
        await other.join()
        loop.call_soon_threadsafe(is_there.set)
        await other.received('42/chat,["news","from the other loop"]')
        assert await other.echo() == '43/chat,1["other"]'
        await leave(other.client)

    thread = asyncio.ensure_future(asyncio.to_thread(asyncio.run, serve_the_other()))
    await is_there.wait()
    await servers.other.emit("news", "from the other loop", namespace="/chat")
    assert await one.echo() == '43/chat,1["hello"]'
    await thread
    await leave(one.client)
