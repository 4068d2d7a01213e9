"""The server of this process: the one global of the package. Everything else hangs on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ..aio.background_loop import BackgroundLoop
from .application import EchoApplication, EngineIOApplication
from .server import EngineIOServer


class ProcessServer(Protocol):
    """What serves a process: anything that has an Engine.IO server."""

    @property
    def engineio(self) -> EngineIOServer: ...


class Process:
    """Makes the server of this process on first use, as the Django app says how."""

    def __init__(self) -> None:
        self.make: Callable[[], ProcessServer] | None = None
        self._server: ProcessServer | None = None
        self._lock = threading.Lock()
        #: Where threads without an event loop have coroutines run.
        self.background = BackgroundLoop()

    @property
    def server(self) -> ProcessServer:
        """The server. Raises RuntimeError where nobody said how it is made."""
        if self._server is None:
            self._make()
        assert self._server is not None
        return self._server

    def _make(self) -> None:
        if self.make is None:
            raise RuntimeError(
                "this process has no server: add 'sio' to INSTALLED_APPS and call django.setup() first, or pass server="
            )
        with self._lock:  # several threads may be the first
            if self._server is None:
                self._server = self.make()

    def reset(self) -> None:
        """Forgets the server and its sessions, and ends the thread, for tests."""
        self._server = None
        self.background.stop()


process = Process()


def get_engineio_server() -> EngineIOServer:
    """Returns the Engine.IO server of this process."""
    return process.server.engineio


def set_engineio_app(app: EngineIOApplication | None) -> None:
    """Installs the application of all sessions of this process that open from now on. None is the echo."""
    get_engineio_server().app = EchoApplication() if app is None else app


def get_engineio_app() -> EngineIOApplication:
    """Returns the application that is installed: at first, the server of this process itself."""
    return get_engineio_server().app
