"""The WebSocket transport, and the upgrade to it.

Source: Engine.IO protocol v4, section "Upgrade"; the reference's `engine.io/lib/server.ts` (`onWebSocket`) and
`socket.ts` (`_maybeUpgrade`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from time import perf_counter

from channels.generic.websocket import AsyncWebsocketConsumer

from .. import shutdown
from . import upgrades
from .connection import drained, find_transport
from .handshake import Action, HandshakeError, Unavailable
from .packets import PROBE_PONG, EncodedPacket, PacketType
from .request import EngineIORequest, Message, Receive, Scope, Send
from .servers import is_gone, is_uvicorns
from .session import CLOSE_TIMEOUT
from .socket import EngineIOSocket
from .state import InvalidTransition, Reason, Transport
from .steps import Interruptible
from .turns import TURN_BYTES
from .undecided import ClientGone

logger = logging.getLogger("sio.engineio")

#: RFC 6455, 7.4.1, and its registry of close codes.
NORMAL_CLOSURE = 1000
NO_STATUS = 1005
MESSAGE_TOO_BIG = 1009
SERVICE_RESTART = 1012

#: How long a client that does not read may delay the end of its WebSocket, in seconds.
_CLOSE_TIMEOUT = 1.0

#: Turns of the event loop in which a connection is closed whose client takes what it is sent.
_REFUSAL_TURNS = 10

_PROBE = PacketType.PING + "probe"


class EngineIOWebSocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Serves one WebSocket: a session that starts on it, or the upgrade of one.

    It is a Channels consumer for `as_asgi()` and for middleware, and drives `receive` and `send` by itself: the loop of
    `AsyncConsumer` would take a turn of the database thread for every frame.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._disconnect_code: int | None = None
        try:
            socket = await self._open(scope)
            if socket is not None:
                socket.tasks.hold()  # the session keeps its place until the connection is free
                try:
                    is_closed = await self._serve(socket)
                    await self._see_off(socket, is_closed)
                finally:
                    socket.tasks.let_go()
        except Exception as error:  # of middleware: the session is over
            logger.error("A WebSocket of %s failed: %r", scope.get("client"), error)
            raise

    async def _open(self, scope: Scope) -> EngineIOSocket | None:
        """Accepts or refuses the WebSocket. Returns the session that it carries from now on, if there is one."""
        upgrades.watch.websocket_came()
        request = EngineIORequest(scope)
        self._max_payload = request.settings.engineio.max_payload
        await self._receive()  # websocket.connect
        try:
            action = request.check()
            if request.must_ask:
                await request.ask(self._receive)
            # Opened before it is accepted, so that those which a server is slow to accept count as well.
            socket = request.open_socket(Transport.WEBSOCKET) if action is Action.OPEN else request.live_socket()
        except HandshakeError as error:
            # The reference's 400, whatever the error, and its text.
            await self._refuse(scope, 400, error.message.encode(errors="replace"), (b"content-type", b"text/html"))
        except Unavailable as refusal:
            await self._refuse(scope, 503, b"", refusal.header)
        except ClientGone:
            # Nobody hears it, but a server may complain of an application that says nothing.
            await self._try_send({"type": "websocket.close"})
        else:
            if request.query.b64:
                self._send = _in_base64(self._send)
            accept = self._accept if action is Action.OPEN else self._upgrade
            return socket if await accept(socket, _acceptance(request)) else None
        return None

    async def _accept(self, socket: EngineIOSocket, acceptance: Message) -> bool:
        """Accepts the WebSocket of a new session, which is over if that fails."""
        accepted = False
        try:
            accepted = await self._try_send(acceptance)
        finally:
            if not accepted:
                socket.end(Reason.TRANSPORT_CLOSE)
        return accepted

    async def _refuse(self, scope: Scope, status: int, body: bytes, header: tuple[bytes, bytes]) -> None:
        """Refuses the WebSocket: with this answer where the server can give it, else with the server's 403."""
        # The extension is what lets a server answer with more than its own refusal: uvicorn has it, Daphne does not.
        if "websocket.http.response" not in scope.get("extensions", {}):
            await self._try_send({"type": "websocket.close"})
            return
        headers = [header, (b"connection", b"close")]
        if await self._try_send({"type": "websocket.http.response.start", "status": status, "headers": headers}):
            await self._try_send({"type": "websocket.http.response.body", "body": body})
            if is_uvicorns(self._send):
                await self._end_refused()

    async def _end_refused(self) -> None:
        """Waits for uvicorn to close the connection of a WebSocket that was refused with an answer: by default, it logs
        an error if the application ends before. Until then it raises what is no OSError.
        """
        with contextlib.suppress(OSError):
            for _ in range(_REFUSAL_TURNS):
                await asyncio.sleep(0)
                with contextlib.suppress(RuntimeError):
                    await self._send({"type": "websocket.close"})

    async def _serve(self, socket: EngineIOSocket) -> bool:
        """Runs the session until its end, and closes the WebSocket. False if the client does not take that."""
        close_code = NORMAL_CLOSURE
        # The ASGI task is the reader, which the server cancels when it stops. Who sends something writes it.
        try:
            with Interruptible() as interrupt:
                socket.attach(self._send, interrupt)
                close_code = await self._read(socket)
            if self._disconnect_code == SERVICE_RESTART:
                # Outside of the block, which the end of the session interrupts: the hooks are waited for here.
                await socket.shut_down()
        except asyncio.CancelledError:
            await socket.shut_down()
            raise
        finally:
            # Whatever happened here, nobody speaks for the session any more.
            socket.end(Reason.TRANSPORT_ERROR)
            error = socket.detach()
            is_closed = error is None and await self._close_in_time(
                SERVICE_RESTART if shutdown.is_under_way() else close_code
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
        if self._disconnect_code is not None:
            return True
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._close(code)
        except TimeoutError:
            return False
        return True

    async def _see_off(self, socket: EngineIOSocket, is_closed: bool) -> None:
        """Waits for the client to take what is left. Who does not is cut off: else it would keep its connection as long
        as it likes, and what the server has for it.
        """
        transport = find_transport(self._receive)
        if transport is not None:
            if not await drained(transport, _patience(socket)):
                transport.abort()
        elif not is_closed:
            # Nothing more can be done. But it counts as long as it is there.
            while not self._is_over(await self._receive()):
                pass

    async def _read(self, socket: EngineIOSocket) -> int:
        """Takes frames until the client leaves. Returns the code to close with."""
        while True:
            # In line what `_next_frame` does: a coroutine less for each frame.
            frame = _frame(message := await self._receive())
            if frame is None:
                if self._is_over(message):
                    break
                continue
            if self._is_too_big(frame):
                socket.end(Reason.TRANSPORT_ERROR)
                return MESSAGE_TOO_BIG
            if len(frame) > TURN_BYTES:
                await socket.wait_turn()
            # One frame is read ahead, so that a client which leaves meanwhile is noticed.
            if socket.is_paused:
                await socket.wait_readable()
            pause = socket.receive_frame(frame)
            if pause is not None:
                await asyncio.sleep(pause)
        # uvicorn closes its WebSockets with this code when it shuts down. A client that does cannot be told from it.
        is_shutdown = self._disconnect_code == SERVICE_RESTART
        socket.end(Reason.SERVER_SHUTTING_DOWN if is_shutdown else Reason.TRANSPORT_CLOSE)
        return NORMAL_CLOSURE

    async def _next_frame(self) -> str | bytes | None:
        """Returns the next frame; None when the client is gone."""
        while (frame := _frame(message := await self._receive())) is None:
            if self._is_over(message):
                return None
        return frame

    def _is_over(self, message: Message) -> bool:
        """Whether a message that carries no frame says that the client is gone. Others are ignored."""
        if message["type"] != "websocket.disconnect":
            return False
        self._disconnect_code = message.get("code") or NO_STATUS
        return True

    def _is_too_big(self, frame: str | bytes) -> bool:
        limit = self._max_payload
        # A character is four bytes at most: only near the limit must they be counted.
        return len(frame) * 4 > limit and (len(frame) if isinstance(frame, bytes) else len(frame.encode())) > limit

    async def _close(self, code: int = NORMAL_CLOSURE) -> None:
        """Closes the WebSocket, unless the client did. Clients see the bare close of the reference, but for its
        code.
        """
        if self._disconnect_code is not None:
            return
        if code != NORMAL_CLOSURE:
            # Daphne's WebSocket library lets an application close with 1000 and its own codes only, and raises else.
            with contextlib.suppress(Exception):
                await self._send({"type": "websocket.close", "code": code})
                return
        await self._try_send({"type": "websocket.close", "code": NORMAL_CLOSURE})

    async def _upgrade(self, socket: EngineIOSocket, acceptance: Message) -> bool:
        """Accepts the WebSocket of a session on polling, and runs its probe. False if it failed, or may not be."""
        # Accepted first and closed then, as in the reference: to a client, a refusal would be a failed transport.
        if not await self._try_send(acceptance):
            return False
        try:
            socket.probe()
            upgraded = await self._probe(socket)
        except InvalidTransition:
            upgraded = False  # a second WebSocket: the first one stays
        if not upgraded:
            await self._close()
        return upgraded

    async def _probe(self, socket: EngineIOSocket) -> bool:
        """Speaks the probe. False if it failed, in which case the session goes on with polling."""
        try:
            with Interruptible() as interrupt:
                socket.on_probe_failed(interrupt)
                # Any number of probes is answered, as in `_maybeUpgrade`; anything else but a `5` ends the upgrade.
                while (frame := await self._next_frame()) == _PROBE:
                    if not await self._try_send(PROBE_PONG.frame):
                        return False
                    socket.probe_answered()
                    now = perf_counter()
                    if (pause := socket.turn.spend(len(frame), now, now)) is not None:
                        await asyncio.sleep(pause)
                if isinstance(frame, str) and frame[:1] == PacketType.UPGRADE:
                    socket.upgrade()
                    return True
        except InvalidTransition:
            pass  # the `5` came in the very moment in which its time was up, or the session over
        finally:
            socket.probe_failed()
        return False

    async def _try_send(self, message: Message) -> bool:
        """Sends. False if the client is going. Raises what middleware does."""
        try:
            await self._send(message)
        except Exception as error:
            if not is_gone(self._send, error):
                raise
            return False
        return True


def _acceptance(request: EngineIORequest) -> Message:
    """Returns the message that accepts a WebSocket. A client that offers subprotocols fails if it gets none of them: it
    gets the first, as the reference has it.
    """
    # As it is in the header: Daphne unquotes what it puts into the scope, and takes back only what was offered.
    header = request.headers.get(b"sec-websocket-protocol")
    offered = header.decode("latin-1").split(",") if header else request.scope.get("subprotocols")
    first = offered[0].strip() if offered else ""
    return {"type": "websocket.accept", "subprotocol": first} if first else {"type": "websocket.accept"}


def _in_base64(send: Send) -> Send:
    """Returns a `send` for a client that asks, with `b64` in its query, for text frames only (`supportsBinary`)."""

    async def send_text(message: Message) -> None:
        content = message.get("bytes")
        if content is not None:
            message = {"type": "websocket.send", "text": EncodedPacket(content).segment.decode()}
        await send(message)

    return send_text


def _patience(socket: EngineIOSocket) -> float:
    """How long a client may take for the rest of a session that is over, in seconds."""
    reason, options = socket.session.reason, socket.session.options
    if reason in (Reason.PING_TIMEOUT, Reason.TRANSPORT_ERROR):
        return 0  # it was cut off since it took too long
    return options.shutdown_timeout / 1000 if reason is Reason.SERVER_SHUTTING_DOWN else CLOSE_TIMEOUT


def _frame(message: Message) -> str | bytes | None:
    """Returns the frame that a message carries, by value: servers may give both keys, one of them None."""
    if message["type"] != "websocket.receive":
        return None
    text = message.get("text")
    return text if text is not None else message.get("bytes") or b""
