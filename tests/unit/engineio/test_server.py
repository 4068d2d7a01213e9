"""`EngineIOServer`: what its sessions share, and what opens one."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import pytest

from sio.engineio import CloseReason, EngineIOApplication, EngineIOOptions, EngineIOServer, EngineIOSocket, Policy
from sio.engineio.protocol.state import Transport
from sio.engineio.registry import InMemorySessionRegistry
from sio.exceptions import Unavailable
from tests.asgi import Poller

from .applications import Recorder, asgi, open_session


def opened(server: EngineIOServer) -> EngineIOSocket:
    return open_session(server).socket


def payload(socket: EngineIOSocket) -> str:
    """Returns what the client of a session on polling gets."""
    connection: Any = socket._connection
    assert connection.open_poll()
    return str(connection.take_payload().decode())


def test_server_needs_no_loop_before_its_first_session() -> None:
    server = EngineIOServer()
    assert list(server.sockets) == []
    assert server.options() == EngineIOOptions()


async def test_messages_are_sent_back_without_an_application() -> None:
    server = EngineIOServer()
    connection = open_session(server)
    payload(connection.socket)
    server.app.on_message(connection.socket, "hello")
    assert payload(connection.socket) == "4hello"


async def test_application_gets_the_sessions_that_open_from_then_on() -> None:
    first, second = Recorder(), Recorder()
    server = EngineIOServer(app=first)
    before = opened(server)
    server.app = second
    after = opened(server)
    for socket in (before, after):
        socket.end(CloseReason.FORCED_CLOSE)
    assert (first.sockets, second.sockets) == ([before], [after])
    assert (len(first.reasons), len(second.reasons)) == (1, 1)


async def test_options_of_its_handshake_are_those_of_a_session() -> None:
    options = EngineIOOptions(ping_interval=1_000)
    connection = EngineIOServer().open(Transport.POLLING, options, {"type": "http"})
    assert connection.session.options is options
    assert '"pingInterval":1000' in payload(connection.socket)


async def test_options_are_asked_for_each_request() -> None:
    options = EngineIOOptions(ping_interval=1_000)
    app = asgi(EngineIOServer(lambda: options))
    intervals = [(await Poller(app).open())["pingInterval"]]
    options = EngineIOOptions(ping_interval=2_000)
    intervals.append((await Poller(app).open())["pingInterval"])
    assert intervals == [1_000, 2_000]


async def test_sockets_are_those_that_live_and_may_be_ended_while_they_are_looked_through() -> None:
    server = EngineIOServer()
    sockets = [opened(server) for _ in range(3)]
    assert list(server.sockets) == sockets
    sockets.pop().end(CloseReason.FORCED_CLOSE)
    assert list(server.sockets) == sockets
    for socket in server.sockets:
        socket.end(CloseReason.FORCED_CLOSE)
    assert list(server.sockets) == []


async def test_policy_hears_of_a_session_before_the_application_does() -> None:
    found: list[tuple[str, str]] = []

    class Application(EngineIOApplication):
        def on_connect(self, socket: EngineIOSocket) -> None:
            found.append(("application", socket.sid))

    class Watching(Policy):
        def session_opens(self, socket: EngineIOSocket) -> None:
            found.append(("policy", socket.sid))

    server = EngineIOServer(app=Application(), policy=Watching())
    sid = opened(server).sid
    assert found == [("policy", sid), ("application", sid)]


@pytest.mark.parametrize("where", ["policy", "application"])
async def test_session_that_cannot_open_leaves_nothing(where: str) -> None:
    sockets: list[weakref.ref[EngineIOSocket]] = []

    def fail(self: object, socket: EngineIOSocket) -> None:
        sockets.append(weakref.ref(socket))
        raise LookupError

    app, policy = EngineIOApplication(), Policy()
    if where == "policy":
        policy = type("Failing", (Policy,), {"session_opens": fail})()
    else:
        app = type("Failing", (EngineIOApplication,), {"on_connect": fail})()
    server = EngineIOServer(lambda: EngineIOOptions(max_sessions=1, max_unestablished_sessions=1), app, policy)
    for _ in range(2):
        with pytest.raises(LookupError):
            open_session(server)
    assert len(server.registry) == 0
    assert [reference() for reference in sockets] == [None, None]


async def test_session_that_its_application_ends_at_once_leaves_nothing() -> None:
    seen: list[EngineIOSocket] = []

    class Hostile(Recorder):
        def on_connect(self, socket: EngineIOSocket) -> None:
            super().on_connect(socket)
            socket.end(CloseReason.FORCED_CLOSE)

    class Watching(Policy):
        def session_opens(self, socket: EngineIOSocket) -> None:
            seen.append(socket)

    app = Hostile()
    server = EngineIOServer(lambda: EngineIOOptions(max_sessions=1), app, Watching())
    for _ in range(3):
        assert open_session(server).session.is_closed
        await asyncio.sleep(0)
    assert app.reasons == [CloseReason.FORCED_CLOSE] * 3
    assert (seen, len(server.registry)) == (app.sockets, 0)


class TestAdmission:
    async def test_full_server_opens_nothing(self) -> None:
        server = EngineIOServer(lambda: EngineIOOptions(max_sessions=2))
        sockets = [opened(server) for _ in range(2)]
        with pytest.raises(Unavailable, match="SIO_MAX_SESSIONS is reached") as refused:
            opened(server)
        assert (refused.value.retry_after, server.admission.refused) == (5, 1)
        sockets[0].end(CloseReason.FORCED_CLOSE)
        server.check_admission(server.options())

    async def test_established_session_makes_room_for_another(self) -> None:
        server = EngineIOServer(lambda: EngineIOOptions(max_unestablished_sessions=1))
        socket = opened(server)
        with pytest.raises(Unavailable, match="SIO_MAX_UNJOINED_SESSIONS is reached"):
            server.check_admission(server.options())
        for _ in range(2):
            socket.establish()
        server.check_admission(server.options())

    async def test_session_may_be_established_as_it_opens(self) -> None:
        class Application(EngineIOApplication):
            def on_connect(self, socket: EngineIOSocket) -> None:
                socket.establish()

        server = EngineIOServer(lambda: EngineIOOptions(max_unestablished_sessions=1), Application())
        for _ in range(3):
            opened(server)
        assert len(server.registry) == 3

    async def test_server_that_shuts_down_opens_nothing(self) -> None:
        server = EngineIOServer()
        ending = asyncio.ensure_future(server.shutdown.run())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="the server is shutting down") as refused:
            opened(server)
        assert refused.value.retry_after == 1
        await ending


async def test_registry_of_its_own_keeps_the_sessions() -> None:
    class Registry(InMemorySessionRegistry[Any]):
        def new_sid(self) -> str:
            return f"sid-{len(self)}"

    registry = Registry()
    server = EngineIOServer(registry=registry)
    assert [opened(server).sid for _ in range(2)] == ["sid-0", "sid-1"]
    assert registry.get("sid-1") is not None
    assert [socket.sid for socket in server.sockets] == ["sid-0", "sid-1"]


async def test_two_servers_share_nothing() -> None:
    one, other = EngineIOServer(), EngineIOServer()
    shared = [name for name, part in vars(one).items() if part is vars(other)[name] and not isinstance(part, int)]
    assert shared == ["options"]  # the function that gives the defaults
    socket = opened(one)
    assert other.registry.get(socket.sid) is None
    assert (list(one.sockets), list(other.sockets)) == ([socket], [])
