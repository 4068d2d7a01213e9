"""The HTTP long-polling transport.

Source: the reference's `engine.io/lib/transports/polling.ts`, for every status, header and order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from channels.generic.http import AsyncHttpConsumer

from ...aio.interruptible import Interruptible
from ...exceptions import BodyTooLarge, ClientGone, ErrorCode, HandshakeError, Unavailable
from ..asgi import Receive, Scope, Send
from ..asgi_servers import is_gone
from ..connection import EngineIOConnection
from ..log import Log
from ..process import get_engineio_server
from ..protocol.handshake import Action
from ..protocol.packets import decode_payload
from ..protocol.state import CloseReason
from ..server import EngineIOServer
from .network import abort
from .request import EngineIORequest

_TEXT = (b"content-type", b"text/plain; charset=UTF-8")
_HTML = (b"content-type", b"text/html")
_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")


class LongPollingConsumer(AsyncHttpConsumer):  # type: ignore[misc]
    """Answers the requests of long-polling clients: one instance for each request.

    It is a Channels consumer for `as_asgi()` and for middleware, and drives `receive` and `send` by itself: the loop of
    `AsyncConsumer` would take a turn of the database thread for every message, open a channel for every request, and
    see neither a client leave nor a body grow.
    """

    #: The session that the request is for.
    _connection: EngineIOConnection | None = None

    def __init__(self, *, server: EngineIOServer | None = None) -> None:
        """`server` is the server of the session, by default that of this process."""
        # The base classes prepare what only their own loop uses.
        self._server = server or get_engineio_server()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        try:
            await self._handle(scope)
        except Exception as error:
            # Of middleware: what it did not let through is lost, and the client must learn of that.
            Log.REQUEST_FAILED.log(scope["method"], scope.get("client"), error)
            if self._connection is not None:
                self._connection.end(CloseReason.TRANSPORT_ERROR)
            raise

    async def _handle(self, scope: Scope) -> None:
        self._request = request = EngineIORequest(self._server, scope)
        if request.method == "OPTIONS":
            preflight = self._server.policy.preflight_headers(request.headers)
            if preflight:
                await self._respond(204, b"", *preflight)
                return
        try:
            action, connection = await request.admit(self._receive)
        except HandshakeError as error:
            body = b"" if request.method == "HEAD" else error.body
            await self._respond(error.status, body, _JSON)
        except Unavailable as refusal:
            await self._respond(503, b"", refusal.header)
        except ClientGone:
            pass
        else:
            self._connection = connection
            await self._perform(action, connection, request)

    async def _perform(self, action: Action, connection: EngineIOConnection, request: EngineIORequest) -> None:
        if action is Action.OPEN:
            # The open packet is alone in its response: nothing else can be there yet.
            connection.open_poll()
            await self._respond(200, connection.take_payload(), _TEXT, _NO_STORE)
        elif action is Action.POLL:
            await self._poll(connection)
        elif action is Action.POST:
            await self._post(connection, request)
        else:
            await self._respond(500, b"")

    async def _poll(self, connection: EngineIOConnection) -> None:
        """Answers a GET with what the session has to send, as soon as it has."""
        if not connection.open_poll():
            await self._respond(400, b"")
            return
        connection.tasks.hold()
        try:
            await self._answer(connection)
        finally:
            connection.tasks.let_go()

    async def _answer(self, connection: EngineIOConnection) -> None:
        # The client is watched only while there is something to wait for.
        if not connection.session.poll_ready:
            await self._wait(connection, connection.when_poll_ready)
        if self._server.shutdown.is_under_way:
            # Not the close packet: python-socketio takes it for a wish of the application, and does not come back.
            gone = HandshakeError(ErrorCode.UNKNOWN_SID, "the server is shutting down")
            await self._respond(gone.status, gone.body, _JSON)
            return
        payload = connection.take_payload()
        options = connection.session.options
        # A client that does not take the answer is given up when it must have missed a ping.
        timeout = (options.ping_interval + options.ping_timeout) / 1000
        watch = asyncio.get_running_loop().call_later(timeout, abort, self._receive)
        try:
            # At most once: a client that goes while this is written has missed these packets, and the order of the rest
            # holds.
            await self._respond(200, payload, _TEXT, _NO_STORE)
        finally:
            watch.cancel()

    async def _wait(self, connection: EngineIOConnection, register: Callable[[Callable[[], None]], None]) -> None:
        """Waits for what `register` gets an interrupt for. If the client leaves meanwhile, the session ends ("poll
        connection closed prematurely").
        """
        try:
            with Interruptible() as interrupt:
                register(interrupt)
                await self._client_gone()
                connection.end(CloseReason.TRANSPORT_ERROR)
        except asyncio.CancelledError:
            await connection.end_and_wait()
            raise

    async def _client_gone(self) -> None:
        """Waits for the client to leave. What still comes of its body is forgotten."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _post(self, connection: EngineIOConnection, request: EngineIORequest) -> None:
        """Takes the packets of a POST."""
        if connection.post_open or request.headers.get(b"content-type") == b"application/octet-stream":
            # "data request overlap from client", "invalid content"
            connection.end(CloseReason.TRANSPORT_ERROR)
            await self._respond(400, b"")
            return
        connection.post_open = True
        try:
            status = 200 if await self._take_packets(connection, request) else 400
        except BodyTooLarge:
            status = 413  # the session goes on, as in the reference
        except ClientGone:
            connection.end(CloseReason.TRANSPORT_ERROR)
            return
        except asyncio.CancelledError:
            # Also after `_wait`, which has seen to it: ending a session twice is ending it once.
            await connection.end_and_wait()
            raise
        finally:
            # Before the answer: a server may still be busy with it when the next POST of the client is here.
            connection.post_open = False
        if status == 200:
            await self._respond(200, b"ok", _HTML, _NO_STORE)
        else:
            await self._refuse_body(status)

    async def _take_packets(self, connection: EngineIOConnection, request: EngineIORequest) -> bool:
        """Reads the body of a POST, and hands its packets on. False if the session ended before it was there."""
        body = await self._read_body_of(connection, request)
        if body is None:
            return False
        packets = decode_payload(body)
        while not await connection.receive_packets(packets):
            await self._wait(connection, connection.flow.when_resumed)
        return True

    async def _refuse_body(self, status: int) -> None:
        """Answers a POST whose body is too large, or comes too late."""
        # The rest of the body is taken meanwhile: Hypercorn ends no response while its queue is full.
        rest = asyncio.ensure_future(self._client_gone())
        try:
            await self._respond(status, b"")
        finally:
            rest.cancel()

    async def _read_body_of(self, connection: EngineIOConnection, request: EngineIORequest) -> bytes | None:
        """Returns the body; None if the session ends before it does ("aborting ongoing data request"). Raises what
        `_read_body` raises.
        """
        body = None
        with Interruptible() as interrupt:
            connection.when_finished(interrupt)
            body = await self._read_body(request, request.options.max_payload)
        return body

    async def _read_body(self, request: EngineIORequest, limit: int) -> bytes:
        """Returns the body. Raises BodyTooLarge as soon as it is, ClientGone if the client leaves before its end."""
        length = request.headers.get(b"content-length", b"")
        # What the client announces is enough to refuse it; what it does not announce is counted while it comes.
        if length.isdigit() and (len(length) > 18 or int(length) > limit):
            raise BodyTooLarge
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            if message["type"] != "http.request":
                continue
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise BodyTooLarge
            if not message.get("more_body"):
                return b"".join(parts)

    async def _respond(self, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        cors = () if status == 204 else self._server.policy.cors_headers(self._request.headers)
        length = () if status == 204 else ((b"content-length", b"%d" % len(body)),)
        begun = False
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *cors, *length]})
            begun = True
            await self._send({"type": "http.response.body", "body": body})
        except Exception as error:
            # That a client is gone is said by `http.disconnect`, or not at all.
            if is_gone(self._send, error):
                return
            if begun:
                # Daphne cannot end by itself what was begun: it would see to the errors of no request any more.
                with contextlib.suppress(Exception):
                    await self._send({"type": "http.response.body", "body": b""})
            raise
