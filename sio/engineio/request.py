"""What the two transports have in common: a request under the settings, and the session that it opens or is for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from .. import conf, shutdown
from .app import get_engineio_app
from .handshake import Action, ErrorCode, HandshakeError, check_request, parse_query
from .registry import registry
from .socket import EngineIOSocket
from .state import Transport

logger = logging.getLogger("sio.engineio")

# The ASGI application interface, as Channels calls a consumer.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_FOREIGN_HINT = (
    ", of another process, or of this one before it restarted: with several processes, set up sticky sessions, "
    "or SIO_TRANSPORTS = ['websocket']"
)
#: Refusals that a developer should hear of; the others are the daily noise of the internet.
_LOUD = frozenset({ErrorCode.FORBIDDEN, ErrorCode.UNSUPPORTED_PROTOCOL_VERSION})


class EngineIORequest:
    """One HTTP or WebSocket request. `settings` are those in force when it came."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.settings = conf.get_settings()
        self.method: str = scope.get("method", "GET")
        self.query = parse_query(scope.get("query_string", b""))
        self.headers: dict[bytes, bytes] = dict(scope.get("headers", ()))  # ASGI has the names in lower case
        self._origins = self.settings.origins

    def check(self) -> Action:
        """Returns what the request is for. Raises HandshakeError, which is logged here."""
        try:
            return check_request(
                self.query,
                self.method,
                websocket=self.scope["type"] == "websocket",
                transports=self.settings.engineio.transports,
                current_transport=self._current_transport,
                check_origin=lambda: self._origins.check(self.scope, self.headers),
                origin=self.headers.get(b"origin", b""),
            )
        except HandshakeError as error:
            foreign = error.code is ErrorCode.UNKNOWN_SID and registry.is_foreign(self.query.sid)
            logger.log(
                logging.WARNING if foreign or error.code in _LOUD else logging.DEBUG,
                "Refused a request of %s: %s%s",
                self.scope.get("client"),
                error,
                _FOREIGN_HINT if foreign else "",
            )
            raise

    @staticmethod
    def _current_transport(sid: str) -> Transport | None:
        socket = registry.get(sid)
        return None if socket is None else socket.transport

    @property
    def is_too_late(self) -> bool:
        """Whether it asks for a session while the server is shutting down."""
        return not self.query.sid and shutdown.is_under_way()

    def open_socket(self, transport: Transport) -> EngineIOSocket:
        """Opens the session that this handshake asks for."""
        shutdown.watch()
        socket = EngineIOSocket(transport, self.settings.engineio, self.scope, get_engineio_app(), registry)
        socket.open()
        return socket

    def live_socket(self) -> EngineIOSocket:
        """Returns the session that the request names. To be called right after `check` found it."""
        socket = registry.get(self.query.sid)
        assert socket is not None
        return socket

    def cors_headers(self) -> list[tuple[bytes, bytes]]:
        """Returns the CORS headers of the response."""
        return self._origins.headers(self.headers)

    def preflight_headers(self) -> list[tuple[bytes, bytes]]:
        """Returns the headers of the answer to a CORS preflight; none if this is not one, or not of an allowed
        origin.
        """
        return self._origins.preflight_headers(self.headers) if self.method == "OPTIONS" else []
