"""What an Engine.IO server leaves to others to decide: who may connect, and to whom a session belongs."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, TypeAlias

from .asgi import Scope
from .socket import EngineIOSocket

Headers: TypeAlias = Mapping[bytes, bytes]
HeaderList: TypeAlias = list[tuple[bytes, bytes]]


class Policy:
    """The decisions of a server. By themselves they allow everything; subclass it, and pass it to `EngineIOServer`."""

    def bind(self, server: Any) -> None:
        """Makes this the policy of an `EngineIOServer`, which calls it once."""

    @property
    def asks(self) -> bool:
        """Whether `ask` has to be called for each handshake."""
        return False

    @property
    def ask_patience(self) -> float:
        """How long `ask` may go on after its client left, in seconds."""
        return 10.0

    def check_origin(self, scope: Scope, headers: Headers) -> None:
        """Raises HandshakeError (FORBIDDEN) for a request of an origin that may not connect."""

    def cors_headers(self, headers: Headers) -> HeaderList:
        """Returns the CORS headers of the response to a request."""
        return []

    def preflight_headers(self, headers: Headers) -> HeaderList:
        """Returns the headers of the answer to a CORS preflight; none for what is none, or of no allowed origin."""
        return []

    def ask(self, scope: Scope) -> Coroutine[Any, Any, None] | None:
        """Asks whether a session may open. Raises HandshakeError if not; so may what is returned to be awaited."""
        return None

    def check_owner(self, socket: EngineIOSocket, scope: Scope) -> None:
        """Raises HandshakeError (FORBIDDEN) for a request in a session that is not the requester's."""

    def prepare_wait(self, scope: Scope) -> Coroutine[Any, Any, None] | None:
        """A request is about to wait, for half a minute maybe: what middleware keeps for it gets old meanwhile. What is
        returned is awaited first.
        """
        return None

    def session_opens(self, socket: EngineIOSocket) -> None:
        """A session is about to open, on the running loop."""
