"""The application of the Engine.IO layer: who gets the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .socket import EngineIOSocket
    from .state import Reason


class EngineIOApplication:
    """What happens with Engine.IO sessions. Subclass it and install an instance with `set_engineio_app`.

    The hooks are called on the event loop, from the reader of the transport, and must not block: start a task with
    `socket.tasks.create` for what has to wait.
    """

    def on_connect(self, socket: EngineIOSocket) -> None:
        """A session opened. It is called before the client is answered, so no message can come earlier."""

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        """A message came. Binary data is bytes, whatever the transport."""

    def on_disconnect(self, socket: EngineIOSocket, reason: Reason) -> None:
        """The session is over. Called exactly once for each session."""

    def dismiss(self, socket: EngineIOSocket) -> None:
        """Closes a session whose client may not stay. It is told, if there is a way to tell it."""
        socket.close()

    async def on_shutdown(self) -> None:
        """The server is about to go: all sessions are over, and what they started is done."""


class EchoApplication(EngineIOApplication):
    """Sends every message back: what runs when no application is set, and what the protocol's own test suites talk
    to.
    """

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        socket.send(data)


_default: EngineIOApplication = EchoApplication()
_app: EngineIOApplication = _default


def set_engineio_app(app: EngineIOApplication | None) -> None:
    """Installs the application of all sessions that open from now on. None goes back to the echo."""
    global _app
    _app = _default if app is None else app


def get_engineio_app() -> EngineIOApplication:
    """Returns the application that was installed, or the echo."""
    return _app
