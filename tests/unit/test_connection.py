"""A client that does not read what it was sent does not keep its connection: it is broken, or at least it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer, get_asgi_application
from sio.engineio.connection import find_transport
from sio.engineio.registry import registry
from sio.engineio.state import Reason
from tests import virtual_time
from tests.asgi import Poller, Request, request
from tests.client import SocketIOClient

HANDSHAKE = "EIO=4&transport=polling"


class Consumer(SocketIOConsumer):
    async def event_bye(self, socket: NamespaceSocket) -> None:
        await socket.disconnect(close=True)


class Transport:
    """What asyncio has for a client: bytes that it did not take yet."""

    def __init__(self) -> None:
        self.unread = 0
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.unread, self.is_aborted = 0, True


class Connection:
    """One of an ASGI server such as uvicorn, whose `receive` belongs to what has the transport."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self.transport = Transport()
        self._receive = receive

    async def receive(self) -> Any:
        return await self._receive()


class Server:
    """Runs the application on such connections."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.connections: list[Connection] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        connection = Connection(receive)
        self.connections.append(connection)
        await self._app(scope, connection.receive, send)

    @property
    def transport(self) -> Transport:
        """That of the latest connection."""
        return self.connections[-1].transport


def live(test: Callable[[Any], Awaitable[None]]) -> None:
    problems: list[dict[str, Any]] = []

    async def run() -> None:
        await test(get_asgi_application(Consumer))

    virtual_time.run(run(), problems)
    assert problems == []


async def member(app: Any) -> SocketIOClient:
    client = await SocketIOClient(app).open()
    await client.connect()
    return client


def is_done(client: SocketIOClient) -> bool:
    return client.websocket.task is not None and client.websocket.task.done()


async def status(app: Any) -> int:
    """Asks for a session on polling. Returns the status of the answer."""
    return (await request(app, "GET", HANDSHAKE)).status


@pytest.mark.parametrize("is_stuck", [False, True], ids=["a little", "more than the server takes"])
def test_client_that_was_cut_for_not_reading_is_gone_at_once(is_stuck: bool) -> None:
    async def test(app: Any) -> None:
        server = Server(app)
        client = await member(server)
        server.transport.unread = 100
        if is_stuck:
            client.websocket.taken.clear()
        await asyncio.sleep(45.1)
        assert len(registry) == 0
        await asyncio.sleep(1.1)  # in which it may take the close
        assert is_done(client)
        assert server.transport.is_aborted

    live(test)


@override_settings(SIO_MAX_SESSIONS=1)
def test_client_that_is_sent_away_may_take_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    async def test(app: Any) -> None:
        server = Server(app)
        client = await member(server)
        server.transport.unread = 100
        client.emit("/", "bye")
        await asyncio.sleep(20)
        assert (len(registry), await status(app)) == (0, 503)
        server.transport.unread = 0
        await asyncio.sleep(0.2)
        assert is_done(client)
        assert not server.transport.is_aborted
        assert await status(app) == 200

    live(test)
    assert "SIO_MAX_SESSIONS = 1 is reached (1 of them are over" in caplog.text


@pytest.mark.parametrize("leaves", [lambda client: client.emit("/", "bye"), SocketIOClient.leave])
def test_client_that_does_not_take_the_rest_is_gone_after_a_while(leaves: Callable[[SocketIOClient], None]) -> None:
    """Also one that said itself that it leaves."""

    async def test(app: Any) -> None:
        server = Server(app)
        client = await member(server)
        server.transport.unread = 100
        leaves(client)
        await asyncio.sleep(29)
        assert not is_done(client)
        await asyncio.sleep(2)
        assert is_done(client)
        assert server.transport.is_aborted

    live(test)


def test_server_that_ends_waits_no_longer_than_for_hooks() -> None:
    async def test(app: Any) -> None:
        server = Server(app)
        client = await member(server)
        server.transport.unread = 100
        for socket in registry:
            socket.end(Reason.SERVER_SHUTTING_DOWN)
        await asyncio.sleep(1.9)
        assert not is_done(client)
        await asyncio.sleep(0.3)
        assert server.transport.is_aborted

    live(test)


def test_client_that_took_everything_is_not_waited_for() -> None:
    async def test(app: Any) -> None:
        server = Server(app)
        client = await member(server)
        client.emit("/", "bye")
        await client.received("1")
        await client.websocket.closed()
        assert not server.transport.is_aborted

    live(test)


@override_settings(SIO_MAX_SESSIONS=1)
def test_connection_that_cannot_be_seen_counts_as_long_as_it_is_there() -> None:
    async def test(app: Any) -> None:
        client = await member(app)
        client.websocket.taken.clear()
        await asyncio.sleep(100)
        assert (len(registry), await status(app)) == (0, 503)
        client.leave()
        await client.websocket.finished()
        assert await status(app) == 200

    live(test)


def test_server_that_cancels_is_not_held_up() -> None:
    async def test(app: Any) -> None:
        client = await member(app)
        client.websocket.taken.clear()
        assert client.websocket.task is not None
        client.websocket.task.cancel()
        await asyncio.wait([client.websocket.task], timeout=1.1)
        assert is_done(client)

    live(test)


async def waiting_poll(app: Any) -> tuple[Poller, Request]:
    """A client whose poll waits, and that reads nothing more."""
    poller = Poller(app)
    await poller.open()
    poll = poller.get()
    await asyncio.sleep(0.01)
    poll.taken.clear()
    return poller, poll


@override_settings(SIO_MAX_SESSIONS=1)
def test_answer_that_is_not_taken_counts_until_its_connection_is_broken() -> None:
    async def test(app: Any) -> None:
        server = Server(app)
        poller, poll = await waiting_poll(server)
        transport = server.transport
        await poller.post("1")
        assert (len(registry), await status(app)) == (0, 503)
        await asyncio.sleep(44)
        assert not transport.is_aborted
        await asyncio.sleep(1.1)
        assert transport.is_aborted
        poll.taken.set()  # a server's `send` waits no longer then
        await poll
        assert await status(app) == 200

    live(test)


def test_answer_that_is_taken_is_forgotten() -> None:
    """Its connection may serve other requests by now."""

    async def test(app: Any) -> None:
        server = Server(app)
        poller, poll = await waiting_poll(server)
        transport = server.transport
        await poller.post("1")
        poll.taken.set()
        await poll
        await asyncio.sleep(100)
        assert not transport.is_aborted

    live(test)


@pytest.mark.parametrize("owner", [None, object(), Transport()])
def test_other_connections_cannot_be_seen(owner: Any) -> None:
    """A function, a queue, something else that is called a transport."""

    class Owner:
        transport = owner

        async def receive(self) -> Any: ...

    expected = owner if isinstance(owner, Transport) else None
    assert find_transport(Owner().receive) is expected
    assert find_transport(asyncio.Queue[Any]().get) is None
    assert find_transport(lambda: Owner().receive()) is None
