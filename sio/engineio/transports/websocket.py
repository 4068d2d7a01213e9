"""The WebSocket transport.

Source: the reference's `engine.io/lib/server.ts` (`onWebSocket`) and `transports/websocket.ts`.
"""

from __future__ import annotations

import asyncio
import contextlib

from channels.generic.websocket import AsyncWebsocketConsumer

from ...aio.interruptible import Interruptible
from ...exceptions import ClientGone, HandshakeError, Unavailable
from ..asgi import Message, Receive, Scope, Send
from ..asgi_servers import is_uvicorns
from ..connection import EngineIOConnection
from ..log import Log
from ..process import get_engineio_server
from ..protocol.handshake import Action
from ..protocol.session import CLOSE_TIMEOUT
from ..protocol.state import CloseReason
from ..server import EngineIOServer
from ..turns import TURN_BYTES
from .network import drained, find_transport
from .request import EngineIORequest
from .upgrade import upgrade
from .websocket_io import MESSAGE_TOO_BIG, NORMAL_CLOSURE, SERVICE_RESTART, WebSocketIO, frame_of

#: How long a client that does not read may delay the end of its WebSocket, in seconds.
_CLOSE_TIMEOUT = 1.0

#: Turns of the event loop in which a connection is closed whose client takes what it is sent.
_REFUSAL_TURNS = 10


class EngineIOWebSocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Serves one WebSocket: a session that starts on it, or the upgrade of one.

    It is a Channels consumer for `as_asgi()` and for middleware, and drives `receive` and `send` by itself: the loop of
    `AsyncConsumer` would take a turn of the database thread for every frame.
    """

    def __init__(self, *, server: EngineIOServer | None = None) -> None:
        """`server` is the server of the session, by default that of this process."""
        # The base classes prepare what only their own loop uses.
        self._server = server or get_engineio_server()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._io = WebSocketIO(receive, send)
        try:
            connection = await self._open(scope)
            if connection is not None:
                connection.tasks.hold()  # the session keeps its place until the network connection is free
                try:
                    is_closed = await self._serve(connection)
                    await self._drain(connection, is_closed)
                finally:
                    connection.tasks.let_go()
        except Exception as error:  # of middleware: the session is over
            Log.WEBSOCKET_FAILED.log(scope.get("client"), error)
            raise

    async def _open(self, scope: Scope) -> EngineIOConnection | None:
        """Accepts or refuses the WebSocket. Returns the session that it carries from now on, if there is one."""
        self._server.upgrades.websocket_came()
        request = EngineIORequest(self._server, scope)
        self._max_payload = request.options.max_payload
        await self._io.receive()  # websocket.connect
        try:
            action, connection = await request.admit(self._io.receive)
        except HandshakeError as error:
            # The reference's 400, whatever the error, and its text.
            await self._refuse(scope, 400, error.message.encode(errors="replace"), (b"content-type", b"text/html"))
        except Unavailable as refusal:
            await self._refuse(scope, 503, b"", refusal.header)
        except ClientGone:
            # Nobody hears it, but a server may complain of an application that says nothing.
            await self._io.try_send({"type": "websocket.close"})
        else:
            if request.query.b64:
                self._io.send_text_only()
            accept = _accept if action is Action.OPEN else upgrade
            return connection if await accept(self._io, connection, _acceptance(request)) else None
        return None

    async def _refuse(self, scope: Scope, status: int, body: bytes, header: tuple[bytes, bytes]) -> None:
        """Refuses the WebSocket: with this answer where the server can give it, else with the server's 403."""
        # The extension is what lets a server answer with more than its own refusal: uvicorn has it, Daphne does not.
        if "websocket.http.response" not in scope.get("extensions", {}):
            await self._io.try_send({"type": "websocket.close"})
            return
        headers = [header, (b"connection", b"close")]
        if await self._io.try_send({"type": "websocket.http.response.start", "status": status, "headers": headers}):
            await self._io.try_send({"type": "websocket.http.response.body", "body": body})
            if is_uvicorns(self._io.send):
                await self._end_refused()

    async def _end_refused(self) -> None:
        """Waits for uvicorn to close the connection of a WebSocket that was refused with an answer: by default, it logs
        an error if the application ends before. Until then it raises what is no OSError.
        """
        with contextlib.suppress(OSError):
            for _ in range(_REFUSAL_TURNS):
                await asyncio.sleep(0)
                with contextlib.suppress(RuntimeError):
                    await self._io.send({"type": "websocket.close"})

    async def _serve(self, connection: EngineIOConnection) -> bool:
        """Runs the session until its end, and closes the WebSocket. False if the client does not take that."""
        close_code = NORMAL_CLOSURE
        # The ASGI task is the reader, which the server cancels when it stops. What is sent is written by its sender.
        try:
            with Interruptible() as interrupt:
                connection.attach(self._io.send, interrupt)
                close_code = await self._read(connection)
            if self._io.disconnect_code == SERVICE_RESTART:
                # Outside of the block, which the end of the session interrupts: the hooks are waited for here.
                await connection.end_and_wait()
        except asyncio.CancelledError:
            await connection.end_and_wait()
            raise
        finally:
            # Whatever happened here, nobody speaks for the session any more.
            connection.end(CloseReason.TRANSPORT_ERROR)
            error = connection.detach()
            is_closed = error is None and await self._close_in_time(
                SERVICE_RESTART if self._server.shutdown.is_under_way else close_code
            )
        if error is None:
            return is_closed
        try:
            raise error  # the server closes the WebSocket
        finally:
            del error  # it has this frame, which would keep it

    async def _close_in_time(self, code: int) -> bool:
        """Closes the WebSocket, unless the client did. False if the client does not take that, since it reads
        nothing.
        """
        if self._io.disconnect_code is not None:
            return True
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._io.close(code)
        except TimeoutError:
            return False
        return True

    async def _drain(self, connection: EngineIOConnection, is_closed: bool) -> None:
        """Waits for the client to take what is left. A client that does not is cut off: else it would keep its
        connection as long as it likes, and what the server has for it.
        """
        transport = find_transport(self._io.receive)
        if transport is not None:
            if not await drained(transport, _patience(connection)):
                transport.abort()
        elif not is_closed:
            # Nothing more can be done. But it counts as long as it is there.
            while not self._io.is_over(await self._io.receive()):
                pass

    async def _read(self, connection: EngineIOConnection) -> int:
        """Takes frames until the client leaves. Returns the code to close with."""
        io = self._io
        while True:
            # In line what `WebSocketIO.next_frame` does: a coroutine less for each frame.
            frame = frame_of(message := await io.receive())
            if frame is None:
                if io.is_over(message):
                    break
                continue
            if self._is_too_big(frame):
                connection.end(CloseReason.TRANSPORT_ERROR)
                return MESSAGE_TOO_BIG
            if len(frame) > TURN_BYTES:
                await connection.wait_for_long_packet()
            # One frame is read ahead, so that a client which leaves meanwhile is noticed.
            if connection.flow.is_paused:
                await connection.flow.wait()
            pause = connection.receive_frame(frame)
            if pause is not None:
                await asyncio.sleep(pause)
        # uvicorn closes its WebSockets with this code when it shuts down. A client that does looks the same.
        is_shutdown = io.disconnect_code == SERVICE_RESTART
        connection.end(CloseReason.SERVER_SHUTTING_DOWN if is_shutdown else CloseReason.TRANSPORT_CLOSE)
        return NORMAL_CLOSURE

    def _is_too_big(self, frame: str | bytes) -> bool:
        limit = self._max_payload
        # A character is four bytes at most: only near the limit must they be counted.
        return len(frame) * 4 > limit and (len(frame) if isinstance(frame, bytes) else len(frame.encode())) > limit


async def _accept(io: WebSocketIO, connection: EngineIOConnection, acceptance: Message) -> bool:
    """Accepts the WebSocket of a new session, which is over if that fails."""
    accepted = False
    try:
        accepted = await io.try_send(acceptance)
    finally:
        if not accepted:
            connection.end(CloseReason.TRANSPORT_CLOSE)
    return accepted


def _acceptance(request: EngineIORequest) -> Message:
    """Returns the message that accepts a WebSocket. A client that offers subprotocols fails if it gets none of them: it
    gets the first, as the reference has it.
    """
    # As it is in the header: Daphne unquotes what it puts into the scope, and takes back only what was offered.
    header = request.headers.get(b"sec-websocket-protocol")
    offered = header.decode("latin-1").split(",") if header else request.scope.get("subprotocols")
    first = offered[0].strip() if offered else ""
    return {"type": "websocket.accept", "subprotocol": first} if first else {"type": "websocket.accept"}


def _patience(connection: EngineIOConnection) -> float:
    """How long a client may take for the rest of a session that is over, in seconds."""
    reason, options = connection.session.reason, connection.session.options
    if reason in (CloseReason.PING_TIMEOUT, CloseReason.TRANSPORT_ERROR):
        return 0  # it was cut off since it took too long
    return options.shutdown_timeout / 1000 if reason is CloseReason.SERVER_SHUTTING_DOWN else CLOSE_TIMEOUT
