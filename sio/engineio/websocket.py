"""The WebSocket transport, and the upgrade to it.

Source: Engine.IO protocol v4, section "Upgrade"; the reference's `engine.io/lib/server.ts` (`onWebSocket`) and
`socket.ts` (`_maybeUpgrade`).
"""

from __future__ import annotations

import asyncio
import contextlib
from time import perf_counter

from channels.generic.websocket import AsyncWebsocketConsumer

from .. import shutdown
from .handshake import Action, HandshakeError, Unavailable
from .packets import PROBE_PONG, PacketType
from .request import EngineIORequest, Message, Receive, Scope, Send
from .socket import EngineIOSocket
from .state import InvalidTransition, Reason, Transport
from .steps import Interruptible
from .turns import TURN_BYTES, long_packets

#: RFC 6455, 7.4.1, and its registry of close codes.
NORMAL_CLOSURE = 1000
NO_STATUS = 1005
MESSAGE_TOO_BIG = 1009
SERVICE_RESTART = 1012

#: How long a client that does not read may delay the end of its WebSocket, in seconds.
_CLOSE_TIMEOUT = 1.0

_PROBE = PacketType.PING + "probe"


class EngineIOWebSocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Serves one WebSocket: a session that starts on it, or the upgrade of one.

    It is a Channels consumer for `as_asgi()` and for middleware, and drives `receive` and `send` by itself: the loop of
    `AsyncConsumer` would take a turn of the database thread for every frame.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._disconnect_code: int | None = None
        request = EngineIORequest(scope)
        self._max_payload = request.settings.engineio.max_payload
        await receive()  # websocket.connect
        try:
            action = request.check()
            if request.must_ask:
                await request.ask()
            # Opened before it is accepted, so that those which a server is slow to accept count as well.
            socket = request.open_socket(Transport.WEBSOCKET) if action is Action.OPEN else request.live_socket()
        except HandshakeError as error:
            # The reference's 400, whatever the error, and its text.
            await self._refuse(scope, 400, error.message.encode(errors="replace"), (b"content-type", b"text/html"))
            return
        except Unavailable as refusal:
            await self._refuse(scope, 503, b"", refusal.header)
            return
        del request  # the session may last for days
        if await (self._accept(socket) if action is Action.OPEN else self._upgrade(socket)):
            await self._serve(socket)

    async def _accept(self, socket: EngineIOSocket) -> bool:
        """Accepts the WebSocket of a new session, which is over if that fails."""
        accepted = False
        try:
            accepted = await self._try_send({"type": "websocket.accept"})
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

    async def _serve(self, socket: EngineIOSocket) -> None:
        """Runs the session on this WebSocket until its end."""
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
            socket.detach()
            with contextlib.suppress(TimeoutError):
                # A client that reads nothing does not take the close either.
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await self._close(SERVICE_RESTART if shutdown.is_under_way() else close_code)

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
                await long_packets.wait()
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
        closed = await self._try_send({"type": "websocket.close", "code": code})
        if not closed and code != NORMAL_CLOSURE:
            # Daphne's WebSocket library lets an application close with 1000 and its own codes only.
            await self._try_send({"type": "websocket.close", "code": NORMAL_CLOSURE})

    async def _upgrade(self, socket: EngineIOSocket) -> bool:
        """Accepts the WebSocket of a session on polling, and runs its probe. False if it failed, or may not be."""
        # Accepted first and closed then, as in the reference: to a client, a refusal would be a failed transport.
        if not await self._try_send({"type": "websocket.accept"}):
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
        """Sends. False if the client is going: servers differ in what they raise then."""
        try:
            await self._send(message)
        except Exception:
            return False
        return True


def _frame(message: Message) -> str | bytes | None:
    """Returns the frame that a message carries, by value: servers may give both keys, one of them None."""
    if message["type"] != "websocket.receive":
        return None
    text = message.get("text")
    return text if text is not None else message.get("bytes") or b""
