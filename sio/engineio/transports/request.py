"""One HTTP or WebSocket request: what it asks for, whether it may, and the session that it opens or is for."""

from __future__ import annotations

import functools

from ...exceptions import ErrorCode, HandshakeError
from ..asgi import Receive, Scope
from ..connection import EngineIOConnection
from ..log import Log
from ..protocol.handshake import Action, check_protocol, check_request, parse_query
from ..protocol.state import Transport
from ..server import EngineIOServer
from .decision import decide

_FOREIGN_HINT = (
    ", of another process, or of this one before it restarted: with several processes, set up sticky sessions, "
    "or SIO_TRANSPORTS = ['websocket']"
)


class EngineIORequest:
    """A request to a server."""

    def __init__(self, server: EngineIOServer, scope: Scope) -> None:
        self.scope = scope
        self.options = server.options()
        self.method: str = scope.get("method", "GET")
        self.query = parse_query(scope.get("query_string", b""))
        self.headers: dict[bytes, bytes] = dict(scope.get("headers", ()))  # ASGI has the names in lower case
        self._server = server
        self._policy = server.policy
        self._is_websocket = scope["type"] == "websocket"
        #: The session that the request names, when it was checked.
        self._found: EngineIOConnection | None = None

    async def admit(self, receive: Receive) -> tuple[Action, EngineIOConnection]:
        """Returns what the request is for, and the session that it opens, or is for.

        Raises HandshakeError for a request that is refused, which is logged here; Unavailable; and ClientGone.
        """
        try:
            action = self._check()
            asks = action is Action.OPEN and self._policy.asks
            if asks or action is not Action.OPEN:
                preparation = self._policy.prepare_wait(self.scope)
                if preparation is not None:
                    await preparation
            if asks:
                await self._ask(receive)
            if action is Action.OPEN:
                check_protocol(self.query)
        except HandshakeError as error:
            self._log(error)
            raise
        if action is Action.OPEN:
            transport = Transport.WEBSOCKET if self._is_websocket else Transport.POLLING
            # Before it is answered or accepted, so that handshakes which a server is slow to answer count as well.
            return action, self._server.open(transport, self.options, self.scope)
        connection = self._found
        if connection is None or connection.session.is_closed:
            # Not logged: it did nothing wrong.
            raise HandshakeError(ErrorCode.UNKNOWN_SID, "the session ended while the request waited")
        return action, connection

    def _check(self) -> Action:
        try:
            action = check_request(
                self.query,
                self.method,
                websocket=self._is_websocket,
                transports=self.options.transports,
                current_transport=self._current_transport,
                check_origin=functools.partial(self._policy.check_origin, self.scope, self.headers),
                origin=self.headers.get(b"origin", b""),
            )
        except HandshakeError:
            if self.query.transport == Transport.WEBSOCKET and self.method == "GET" and not self._is_websocket:
                self._server.upgrades.came_as_http(self.headers)
            raise
        if action is not Action.OPEN:
            assert self._found is not None  # by `check_request`
            self._policy.check_owner(self._found.socket, self.scope)
        return action

    def _current_transport(self, sid: str) -> Transport | None:
        self._found = connection = self._server.registry.get(sid)
        return None if connection is None else connection.session.transport

    async def _ask(self, receive: Receive) -> None:
        # First, whether there is a place for the session: what is asked of a database would be in vain.
        self._server.check_admission(self.options)
        question = self._policy.ask(self.scope)
        if question is not None:
            await decide(question, receive, self._server)

    def _log(self, error: HandshakeError) -> None:
        client = self.scope.get("client")
        foreign = error.code is ErrorCode.UNKNOWN_SID and self._server.registry.is_foreign(self.query.sid)
        if foreign or error.is_notable:
            # Anybody can be refused as often as they like.
            self._server.repeats.warning(
                f"Refused a request: {error}{_FOREIGN_HINT if foreign else ''}", f"of {client}"
            )
        else:
            Log.REQUEST_REFUSED.log(client, error)
