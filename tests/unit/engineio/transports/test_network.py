"""A client that does not read what it was sent does not keep its connection: it is broken, or at least it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sio.engineio import CloseReason, EngineIOOptions, EngineIOServer
from sio.engineio.transports.network import abort, drained, find_transport
from tests.asgi import Poller, Request, WebSocket
from tests.unit.engineio.applications import Recorder, asgi
from tests.unit.engineio.clients import begun, live, status


class Transport:
    """What asyncio has for a client: bytes that it did not take yet."""

    def __init__(self, unread: int = 0) -> None:
        self.unread = unread
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.unread, self.is_aborted = 0, True


class Connection:
    """A connection of an ASGI server such as uvicorn, whose `receive` belongs to what has the transport."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self.transport = Transport()
        self._receive = receive

    async def receive(self) -> Any:
        return await self._receive()


class Application(Recorder):
    """Closes the session of a client that says so."""

    def on_message(self, socket: Any, data: str | bytes) -> None:
        if data == "bye":
            socket.close()


class Server:
    """An Engine.IO server: on such connections, and on others that cannot be seen (`app`)."""

    def __init__(self, **options: Any) -> None:
        self.engineio = EngineIOServer(lambda: EngineIOOptions(**options), Application())
        self.app = asgi(self.engineio)
        self.connections: list[Connection] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        connection = Connection(receive)
        self.connections.append(connection)
        await self.app(scope, connection.receive, send)

    def __len__(self) -> int:
        """How many sessions live."""
        return len(self.engineio.registry)

    @property
    def transport(self) -> Transport:
        """The transport of the latest connection."""
        return self.connections[-1].transport


async def opened(app: Any) -> WebSocket:
    websocket = WebSocket(app)
    await websocket.open()
    return websocket


def is_done(websocket: WebSocket) -> bool:
    return websocket.task is not None and websocket.task.done()


class TestWebSocket:
    @pytest.mark.parametrize("is_stuck", [False, True], ids=["a little", "more than the server takes"])
    def test_client_that_was_cut_for_not_reading_is_gone_at_once(self, is_stuck: bool) -> None:
        async def test() -> None:
            server = Server()
            websocket = await opened(server)
            server.transport.unread = 100
            if is_stuck:
                websocket.taken.clear()
            await asyncio.sleep(45.1)
            assert len(server) == 0
            await asyncio.sleep(1.1)  # in which it may take the close
            assert is_done(websocket)
            assert server.transport.is_aborted

        live(test)

    def test_client_that_is_sent_away_may_take_the_rest(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            server = Server(max_sessions=1)
            websocket = await opened(server)
            server.transport.unread = 100
            websocket.send("4bye")
            await asyncio.sleep(20)
            assert (len(server), await status(server.app)) == (0, 503)
            server.transport.unread = 0
            await asyncio.sleep(0.2)
            assert is_done(websocket)
            assert not server.transport.is_aborted
            assert await status(server.app) == 200

        live(test)
        assert "SIO_MAX_SESSIONS = 1 is reached (1 of them are over" in caplog.text

    @pytest.mark.parametrize("leaves", [lambda client: client.send("4bye"), WebSocket.disconnect])
    def test_client_that_does_not_take_the_rest_is_gone_after_a_while(
        self, leaves: Callable[[WebSocket], None]
    ) -> None:
        """So is one that said itself that it leaves."""

        async def test() -> None:
            server = Server()
            websocket = await opened(server)
            server.transport.unread = 100
            leaves(websocket)
            await asyncio.sleep(29)
            assert not is_done(websocket)
            await asyncio.sleep(2)
            assert is_done(websocket)
            assert server.transport.is_aborted

        live(test)

    def test_server_that_ends_waits_no_longer_than_for_hooks(self) -> None:
        async def test() -> None:
            server = Server()
            websocket = await opened(server)
            server.transport.unread = 100
            for socket in server.engineio.sockets:
                socket.end(CloseReason.SERVER_SHUTTING_DOWN)
            await asyncio.sleep(1.9)
            assert not is_done(websocket)
            await asyncio.sleep(0.3)
            assert server.transport.is_aborted

        live(test)

    def test_client_that_took_everything_is_not_waited_for(self) -> None:
        async def test() -> None:
            server = Server()
            websocket = await opened(server)
            websocket.send("4bye")
            await websocket.closed()
            assert not server.transport.is_aborted

        live(test)

    def test_connection_that_cannot_be_seen_counts_as_long_as_it_is_there(self) -> None:
        async def test() -> None:
            server = Server(max_sessions=1)
            websocket = await opened(server.app)
            websocket.taken.clear()
            await asyncio.sleep(100)
            assert (len(server), await status(server.app)) == (0, 503)
            websocket.disconnect()
            await websocket.finished()
            assert await status(server.app) == 200

        live(test)

    def test_server_that_cancels_is_not_held_up(self) -> None:
        async def test() -> None:
            websocket = await opened(Server().app)
            websocket.taken.clear()
            assert websocket.task is not None
            websocket.task.cancel()
            await asyncio.wait([websocket.task], timeout=1.1)
            assert is_done(websocket)

        live(test)


class TestPoll:
    async def waiting(self, app: Any) -> tuple[Poller, Request]:
        """Returns a client whose poll waits, and that reads nothing more."""
        poller = Poller(app)
        await poller.open()
        poll = await begun(poller.get())
        poll.taken.clear()
        return poller, poll

    def test_answer_that_is_not_taken_counts_until_its_connection_is_broken(self) -> None:
        async def test() -> None:
            server = Server(max_sessions=1)
            poller, poll = await self.waiting(server)
            transport = server.transport
            await poller.post("1")
            assert (len(server), await status(server)) == (0, 503)
            await asyncio.sleep(44)
            assert not transport.is_aborted
            await asyncio.sleep(1.1)
            assert transport.is_aborted
            poll.taken.set()  # a server's `send` waits no longer then
            await poll
            assert await status(server) == 200

        live(test)

    def test_connection_of_an_answer_that_was_taken_is_left_alone(self) -> None:
        """It may serve other requests by now."""

        async def test() -> None:
            server = Server()
            poller, poll = await self.waiting(server)
            transport = server.transport
            await poller.post("1")
            poll.taken.set()
            await poll
            await asyncio.sleep(100)
            assert not transport.is_aborted

        live(test)


@pytest.mark.parametrize("owner", [None, object(), Transport()])
def test_only_the_transport_of_a_server_is_seen(owner: Any) -> None:
    """A function, a queue, or something else that is called a transport is none."""

    class Owner:
        transport = owner

        async def receive(self) -> Any: ...

    expected = owner if isinstance(owner, Transport) else None
    assert find_transport(Owner().receive) is expected
    assert find_transport(asyncio.Queue[Any]().get) is None
    assert find_transport(lambda: Owner().receive()) is None


def test_abort_breaks_the_connection_that_can_be_seen() -> None:
    connection = Connection(asyncio.Queue[Any]().get)
    abort(connection.receive)
    assert connection.transport.is_aborted
    abort(asyncio.Queue[Any]().get)  # nothing can be done about this one


@pytest.mark.parametrize(
    ("unread", "taken_after", "patience", "is_drained", "waited"),
    [
        (0, None, 0, True, 0),
        (9, None, 0, False, 0),
        (9, None, 0.35, False, 0.4),
        (9, 0.25, 30, True, 0.3),
        (9, 30.1, 30, False, 30),
    ],
)
async def test_drained_waits_until_everything_is_taken_or_patience_is_out(
    unread: int, taken_after: float | None, patience: float, is_drained: bool, waited: float
) -> None:
    transport, loop = Transport(unread), asyncio.get_running_loop()
    if taken_after is not None:
        loop.call_later(taken_after, setattr, transport, "unread", 0)
    assert await drained(transport, patience) is is_drained
    assert loop.time() == pytest.approx(waited, abs=0.11 if waited > 1 else 0.001)
    assert not transport.is_aborted
