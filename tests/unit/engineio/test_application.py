"""The application of a server: what it hears of a session, and when."""

from __future__ import annotations

from typing import Any

import pytest

from sio.engineio import (
    CloseReason,
    EngineIOApplication,
    EngineIOServer,
    EngineIOSocket,
    EngineIOWebSocketConsumer,
    get_engineio_app,
    get_engineio_server,
    set_engineio_app,
)
from sio.engineio.application import EchoApplication
from tests.asgi import APP, Poller, WebSocket


class Recorder(EngineIOApplication):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.sockets: list[EngineIOSocket] = []

    def on_connect(self, socket: EngineIOSocket) -> None:
        self.heard.append(("connect", socket.is_open))
        self.sockets.append(socket)

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        assert [socket] == self.sockets
        self.heard.append(("message", data))

    def on_disconnect(self, socket: EngineIOSocket, reason: CloseReason) -> None:
        assert [socket] == self.sockets
        self.heard.append(("disconnect", reason))


async def test_application_hears_of_a_polling_session_from_its_handshake_to_its_end() -> None:
    app = Recorder()
    set_engineio_app(app)
    client = Poller(APP)
    await client.open()
    await client.post("4text\x1ebAAE=\x1e6\x1e41")
    await client.post("1")
    assert app.heard == [
        ("connect", True),
        ("message", "text"),
        ("message", b"\0\1"),
        ("message", "1"),
        ("disconnect", CloseReason.TRANSPORT_CLOSE),
    ]


async def test_application_hears_of_a_websocket_session_from_its_handshake_to_its_end() -> None:
    app = Recorder()
    set_engineio_app(app)
    client = WebSocket(APP)
    await client.open()
    for frame in ("4text", b"\0\1", "6", "x"):
        client.send(frame)
    await client.closed()
    assert app.heard == [
        ("connect", True),
        ("message", "text"),
        ("message", b"\0\1"),
        ("disconnect", CloseReason.PARSE_ERROR),
    ]


async def test_what_the_application_sends_first_follows_the_open_packet() -> None:
    class Greeter(EngineIOApplication):
        def on_connect(self, socket: EngineIOSocket) -> None:
            socket.send("welcome", b"\1")

    set_engineio_app(Greeter())
    client = WebSocket(APP)
    await client.open()
    assert [await client.receive(), await client.receive()] == ["4welcome", b"\1"]


async def test_client_whose_session_is_revoked_gets_what_was_sent() -> None:
    app = Recorder()
    set_engineio_app(app)
    client = WebSocket(APP)
    await client.open()
    (socket,) = app.sockets
    socket.send("the last one")
    app.on_revoked(socket)
    assert await client.receive() == "4the last one"
    await client.closed()
    assert app.heard[1:] == [("disconnect", CloseReason.FORCED_CLOSE)]


async def test_shutdown_ends_the_sessions_before_the_application_hears_of_it() -> None:
    class Closing(Recorder):
        async def on_shutdown(self) -> None:
            self.heard.append(("shutdown",))

    app = Closing()
    set_engineio_app(app)
    await WebSocket(APP).open()
    await get_engineio_server().shutdown.run()
    assert app.heard[1:] == [("disconnect", CloseReason.SERVER_SHUTTING_DOWN), ("shutdown",)]


async def test_hooks_that_a_subclass_leaves_out_do_nothing() -> None:
    set_engineio_app(EngineIOApplication())
    client = WebSocket(APP)
    await client.open()
    client.send("4hello")
    client.send("1")
    await client.closed()
    await get_engineio_server().shutdown.run()


class TestInstalled:
    """`set_engineio_app` installs the application of the process's server."""

    @pytest.mark.parametrize("message", ["hello", "", b"\0\1"])
    async def test_messages_are_sent_back_when_no_application_is_set(self, message: str | bytes) -> None:
        set_engineio_app(None)
        client = WebSocket(APP)
        await client.open()
        frame = "4" + message if isinstance(message, str) else message
        client.send(frame)
        assert await client.receive() == frame

    def test_none_is_the_echo(self) -> None:
        app = Recorder()
        set_engineio_app(app)
        assert get_engineio_app() is app
        set_engineio_app(None)
        assert isinstance(get_engineio_app(), EchoApplication)

    async def test_sessions_keep_the_application_with_which_they_opened(self) -> None:
        first, second = Recorder(), Recorder()
        set_engineio_app(first)
        client = WebSocket(APP)
        await client.open()
        set_engineio_app(second)
        client.send("1")
        await client.closed()
        assert first.heard[1:] == [("disconnect", CloseReason.TRANSPORT_CLOSE)]
        assert second.heard == []

    async def test_server_of_its_own_has_an_application_of_its_own(self) -> None:
        app = Recorder()
        client = WebSocket(EngineIOWebSocketConsumer.as_asgi(server=EngineIOServer(app=app)))
        await client.open()
        assert app.heard == [("connect", True)]
        assert get_engineio_app() is not app
        assert len(get_engineio_server().registry) == 0
