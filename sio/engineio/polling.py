"""The HTTP long-polling transport.

Source: the reference's `engine.io/lib/transports/polling.ts`, for every status, header and order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from channels.generic.http import AsyncHttpConsumer

from .. import sessions, shutdown
from .connection import abort
from .handshake import Action, ErrorCode, HandshakeError, Unavailable
from .packets import decode_payload
from .request import EngineIORequest, Receive, Scope, Send
from .servers import is_gone
from .socket import EngineIOSocket
from .state import Reason, Transport
from .steps import Interruptible
from .undecided import ClientGone

logger = logging.getLogger("sio.engineio")

_TEXT = (b"content-type", b"text/plain; charset=UTF-8")
_HTML = (b"content-type", b"text/html")
_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")


class BodyTooLarge(Exception):
    """A POST has more bytes than a payload may."""


class LongPollingConsumer(AsyncHttpConsumer):  # type: ignore[misc]
    """Answers the requests of long-polling clients: one instance for each request.

    It is a Channels consumer for `as_asgi()` and for middleware, and drives `receive` and `send` by itself: the loop of
    `AsyncConsumer` would take a turn of the database thread for every message, open a channel for every request, and
    see neither a client leave nor a body grow.
    """

    #: The session that the request is for.
    _socket: EngineIOSocket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        try:
            await self._handle(scope)
        except Exception as error:
            # Of middleware: what it did not let through is lost, and the client must learn of that.
            logger.error("A %s request of %s failed: %r", scope["method"], scope.get("client"), error)
            if self._socket is not None:
                self._socket.end(Reason.TRANSPORT_ERROR)
            raise

    async def _handle(self, scope: Scope) -> None:
        self._request = request = EngineIORequest(scope)
        preflight = request.preflight_headers()
        if preflight:
            await self._respond(204, b"", *preflight)
            return
        try:
            action = request.check()
            if "session" in scope and (action is not Action.OPEN or request.must_ask):
                await sessions.protect(scope)
            if request.must_ask:
                await request.ask(self._receive)
            socket = request.open_socket(Transport.POLLING) if action is Action.OPEN else request.live_socket()
        except HandshakeError as error:
            body = b"" if request.method == "HEAD" else error.body
            await self._respond(error.status, body, _JSON)
        except Unavailable as refusal:
            await self._respond(503, b"", refusal.header)
        except ClientGone:
            pass
        else:
            self._socket = socket
            await self._perform(action, socket, request)

    async def _perform(self, action: Action, socket: EngineIOSocket, request: EngineIORequest) -> None:
        if action is Action.OPEN:
            # The open packet is alone in its response: nothing else can be there yet.
            socket.open_poll()
            await self._respond(200, socket.take_payload(), _TEXT, _NO_STORE)
        elif action is Action.POLL:
            await self._poll(socket)
        elif action is Action.POST:
            await self._post(socket, request)
        else:
            await self._respond(500, b"")

    async def _poll(self, socket: EngineIOSocket) -> None:
        """Answers a GET with what the session has to send, as soon as it has."""
        if not socket.open_poll():
            await self._respond(400, b"")
            return
        socket.tasks.hold()
        try:
            await self._answer(socket)
        finally:
            socket.tasks.let_go()

    async def _answer(self, socket: EngineIOSocket) -> None:
        # The client is watched only while there is something to wait for.
        if not socket.poll_ready:
            await self._wait(socket, socket.on_poll_ready)
        if shutdown.is_under_way():
            # Not the close packet: python-socketio takes it for a wish of the application, and does not come back.
            gone = HandshakeError(ErrorCode.UNKNOWN_SID, "the server is shutting down")
            await self._respond(gone.status, gone.body, _JSON)
            return
        payload = socket.take_payload()
        options = socket.session.options
        # A client that does not take the answer is given up when it must have missed a ping.
        timeout = (options.ping_interval + options.ping_timeout) / 1000
        watch = asyncio.get_running_loop().call_later(timeout, abort, self._receive)
        try:
            # At most once: a client that goes while this is written has missed these packets, and the order of the rest
            # holds.
            await self._respond(200, payload, _TEXT, _NO_STORE)
        finally:
            watch.cancel()

    async def _wait(self, socket: EngineIOSocket, to_be_told: Callable[[Callable[[], None]], None]) -> None:
        """Waits to be told, and meanwhile for the client to leave, which ends the session ("poll connection closed
        prematurely").
        """
        try:
            with Interruptible() as interrupt:
                to_be_told(interrupt)
                await self._client_gone()
                socket.end(Reason.TRANSPORT_ERROR)
        except asyncio.CancelledError:
            await socket.shut_down()
            raise

    async def _client_gone(self) -> None:
        """Waits for the client to leave. What still comes of its body is forgotten."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _post(self, socket: EngineIOSocket, request: EngineIORequest) -> None:
        """Takes the packets of a POST."""
        if socket.post_open or request.headers.get(b"content-type") == b"application/octet-stream":
            # "data request overlap from client", "invalid content"
            socket.end(Reason.TRANSPORT_ERROR)
            await self._respond(400, b"")
            return
        socket.post_open = True
        try:
            status = 200 if await self._take_packets(socket, request) else 400
        except BodyTooLarge:
            status = 413  # the session goes on, as in the reference
        except ClientGone:
            socket.end(Reason.TRANSPORT_ERROR)
            return
        except asyncio.CancelledError:
            # Also after `_wait`, which has seen to it: ending a session twice is ending it once.
            await socket.shut_down()
            raise
        finally:
            # Before the answer: a server may still be busy with it when the next POST of the client is here.
            socket.post_open = False
        if status == 200:
            await self._respond(200, b"ok", _HTML, _NO_STORE)
        else:
            await self._refuse_body(status)

    async def _take_packets(self, socket: EngineIOSocket, request: EngineIORequest) -> bool:
        """Reads the body of a POST, and hands its packets on. False if the session ended before it was there."""
        body = await self._read_body_of(socket, request)
        if body is None:
            return False
        packets = decode_payload(body)
        while not await socket.receive_packets(packets):
            await self._wait(socket, socket.on_readable)
        return True

    async def _refuse_body(self, status: int) -> None:
        """Answers a POST whose body is too large, or comes too late."""
        # The rest of the body is taken meanwhile: Hypercorn ends no response while its queue is full.
        rest = asyncio.ensure_future(self._client_gone())
        try:
            await self._respond(status, b"")
        finally:
            rest.cancel()

    async def _read_body_of(self, socket: EngineIOSocket, request: EngineIORequest) -> bytes | None:
        """Returns the body; None if the session ends before it does ("aborting ongoing data request"). Raises what
        `_read_body` raises.
        """
        body = None
        with Interruptible() as interrupt:
            socket.on_finish_of_post(interrupt)
            body = await self._read_body(request, request.settings.engineio.max_payload)
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
        cors = () if status == 204 else self._request.cors_headers()
        length = () if status == 204 else ((b"content-length", b"%d" % len(body)),)
        begun = False
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *cors, *length]})
            begun = True
            await self._send({"type": "http.response.body", "body": body})
        except Exception as error:
            # A client that is gone is told by `http.disconnect`, or not at all.
            if is_gone(self._send, error):
                return
            if begun:
                # Daphne cannot end by itself what was begun: it would see to the errors of no request any more.
                with contextlib.suppress(Exception):
                    await self._send({"type": "http.response.body", "body": b""})
            raise
