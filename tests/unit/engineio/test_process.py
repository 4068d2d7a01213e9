"""The server of this process: made on first use, and forgotten between two tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sio.engineio import EngineIOServer, get_engineio_app, get_engineio_server, set_engineio_app
from sio.engineio.application import EchoApplication
from sio.engineio.process import Process, process
from sio.socketio.server import reset_socketio_server
from tests.asgi import APP, Poller

from .applications import Recorder


class Server:
    """What serves a process."""

    def __init__(self) -> None:
        self.engineio = EngineIOServer()


class TestProcess:
    def test_has_no_server_where_nobody_said_how_it_is_made(self) -> None:
        with pytest.raises(RuntimeError, match="this process has no server: add 'sio' to INSTALLED_APPS"):
            _ = Process().server

    def test_makes_its_server_once(self) -> None:
        own = Process()
        own.make = Server
        assert own.server is own.server

    def test_makes_one_server_when_several_threads_are_the_first(self) -> None:
        barrier, own = threading.Barrier(4), Process()
        own.make = Server

        def ask(_: int) -> object:
            barrier.wait()
            return own.server

        with ThreadPoolExecutor(4) as threads:
            assert len(set(threads.map(ask, range(4)))) == 1

    def test_makes_another_one_after_it_forgot_the_first(self) -> None:
        own = Process()
        own.make = Server
        first = own.server
        own.reset()
        assert own.server is not first


@pytest.fixture
def no_app_config() -> Iterator[None]:
    """The process as it is without Django."""
    make, process.make = process.make, None
    yield
    process.make = make


class TestGlobal:
    def test_engineio_server_is_that_below_the_server_of_the_process(self) -> None:
        assert get_engineio_server() is process.server.engineio

    def test_server_is_another_one_after_the_reset(self) -> None:
        before = get_engineio_server()
        reset_socketio_server()
        assert get_engineio_server() is not before

    @pytest.mark.usefixtures("no_app_config")
    async def test_transport_without_a_server_says_what_to_do(self) -> None:
        with pytest.raises(RuntimeError, match="this process has no server"):
            await Poller(APP).open()


class TestApplication:
    def test_server_of_the_process_is_it_at_first(self) -> None:
        assert get_engineio_app() is process.server

    def test_set_application_is_that_of_the_server(self) -> None:
        app = Recorder()
        set_engineio_app(app)
        assert get_engineio_app() is app
        assert get_engineio_server().app is app

    def test_none_is_the_echo(self) -> None:
        set_engineio_app(Recorder())
        set_engineio_app(None)
        assert isinstance(get_engineio_app(), EchoApplication)

    async def test_application_gets_the_sessions_of_both_transports(self) -> None:
        app = Recorder()
        set_engineio_app(app)
        client = Poller(APP)
        await client.open()
        await client.post("4hello")
        assert app.messages == ["hello"]
