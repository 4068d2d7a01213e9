"""The application of an Engine.IO server: who gets the messages."""

from __future__ import annotations

from .protocol.state import CloseReason
from .socket import EngineIOSocket


class EngineIOApplication:
    """What happens with Engine.IO sessions. Subclass it, and install an instance with `set_engineio_app`.

    The hooks are called on the event loop, from the reader of the transport, and must not block. What has to wait is
    started with `socket.create_task`.
    """

    def on_connect(self, socket: EngineIOSocket) -> None:
        """A session opened. It is called before the client is answered, so no message can come earlier."""

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        """A message came. Binary data is bytes, whatever the transport."""

    def on_disconnect(self, socket: EngineIOSocket, reason: CloseReason) -> None:
        """The session is over. Called exactly once for each session."""

    def on_revoked(self, socket: EngineIOSocket) -> None:
        """The client of a session may not stay, since its user is logged out, say: closes the session."""
        socket.close()

    async def on_shutdown(self) -> None:
        """The server is about to go: all sessions are over, and what they started is done."""


class EchoApplication(EngineIOApplication):
    """Sends every message back: what runs when no application is set, and what the protocol's own test suites talk
    to.
    """

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        socket.send(data)
