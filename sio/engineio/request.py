"""What the two transports have in common: a request under the settings, and the session that it opens or is for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from .. import conf, shutdown, users
from . import upgrades
from .app import get_engineio_app
from .handshake import Action, ErrorCode, HandshakeError, Unavailable, check_protocol, check_request, parse_query
from .registry import registry
from .repeats import Repeats
from .socket import EngineIOSocket
from .state import Transport
from .undecided import decide

logger = logging.getLogger("sio.engineio")
_repeats = Repeats(logger)

# The ASGI application interface, as Channels calls a consumer.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

#: When the next server may be there, in seconds.
_RETRY_AFTER_SHUTDOWN = 1

_FOREIGN_HINT = (
    ", of another process, or of this one before it restarted: with several processes, set up sticky sessions, "
    "or SIO_TRANSPORTS = ['websocket']"
)


class EngineIORequest:
    """One HTTP or WebSocket request. `settings` are those in force when it came."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.settings = conf.get_settings()
        self.method: str = scope.get("method", "GET")
        self.query = parse_query(scope.get("query_string", b""))
        self.headers: dict[bytes, bytes] = dict(scope.get("headers", ()))  # ASGI has the names in lower case
        self._origins = self.settings.origins
        #: The session that the request names, when it was checked.
        self._found: EngineIOSocket | None = None

    def check(self) -> Action:
        """Returns what the request is for; if that `must_ask`, it is not decided yet. Raises HandshakeError, which is
        logged here.
        """
        try:
            action = check_request(
                self.query,
                self.method,
                websocket=self.scope["type"] == "websocket",
                transports=self.settings.engineio.transports,
                current_transport=self._current_transport,
                check_origin=lambda: self._origins.check(self.scope, self.headers),
                origin=self.headers.get(b"origin", b""),
            )
            if action is not Action.OPEN:
                assert self._found is not None  # by `check_request`
                users.check_owner(self._found, self.scope)
            elif self.settings.allow_request is None:
                check_protocol(self.query)
        except HandshakeError as error:
            if self.query.transport == Transport.WEBSOCKET and self.method == "GET" and self.scope["type"] == "http":
                upgrades.watch.came_as_http(self.headers)
            self._log(error)
            raise
        return action

    @property
    def must_ask(self) -> bool:
        """Whether it asks for a session, and the application has to be asked."""
        return not self.query.sid and self.settings.allow_request is not None

    async def ask(self, receive: Receive) -> None:
        """Asks the application whether a session may open. Raises Unavailable; HandshakeError, which is logged; and
        ClientGone.
        """
        # First, whether there is a place for it: what the application asks a database would be in vain.
        self._admit()
        assert self.settings.allow_request is not None
        try:
            answer = self.settings.allow_request.check(self.scope)
            if answer is not None:
                await decide(answer, receive, registry, self.settings.socketio.connect_hook_timeout / 1000)
            check_protocol(self.query)
        except HandshakeError as error:
            self._log(error)
            raise

    def _admit(self) -> None:
        if shutdown.is_under_way():
            raise Unavailable("the server is shutting down", _RETRY_AFTER_SHUTDOWN)
        registry.admit(self.settings.engineio)

    def _log(self, error: HandshakeError) -> None:
        client = self.scope.get("client")
        foreign = error.code is ErrorCode.UNKNOWN_SID and registry.is_foreign(self.query.sid)
        if foreign or error.is_loud:
            # Anybody can be refused as often as they like.
            _repeats.warning(f"Refused a request: {error}{_FOREIGN_HINT if foreign else ''}", f"of {client}")
        else:
            logger.debug("Refused a request of %s: %s", client, error)

    def _current_transport(self, sid: str) -> Transport | None:
        self._found = socket = registry.get(sid)
        return None if socket is None else socket.transport

    def open_socket(self, transport: Transport) -> EngineIOSocket:
        """Opens the session that this handshake asks for. Raises Unavailable."""
        # Nothing waits from here to the end: as many come in as there are places, and none after the last.
        self._admit()
        shutdown.watch()
        socket = EngineIOSocket(transport, self.settings.engineio, self.scope, get_engineio_app(), registry)
        socket.owner = users.identify(self.scope)
        socket.open()
        if self.settings.user_check_interval is not None:
            users.watch()
        return socket

    def live_socket(self) -> EngineIOSocket:
        """Returns the session that the request names. Raises HandshakeError if it ended since `check` found it."""
        socket = registry.get(self.query.sid)
        if socket is None:
            raise HandshakeError(ErrorCode.UNKNOWN_SID, "the session ended while the request waited")
        return socket

    def cors_headers(self) -> list[tuple[bytes, bytes]]:
        """Returns the CORS headers of the response."""
        return self._origins.headers(self.headers)

    def preflight_headers(self) -> list[tuple[bytes, bytes]]:
        """Returns the headers of the answer to a CORS preflight; none if this is not one, or not of an allowed
        origin.
        """
        return self._origins.preflight_headers(self.headers) if self.method == "OPTIONS" else []
