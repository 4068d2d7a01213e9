"""The WebSocket transport, and the upgrade to it.

Source: Engine.IO protocol v4, section "Upgrade"; the reference's `engine.io/lib/server.ts` (`onWebSocket`) and
`socket.ts` (`_maybeUpgrade`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from channels.generic.websocket import AsyncWebsocketConsumer

from .handshake import Action, HandshakeError
from .packets import PROBE_PONG, PacketType
from .request import EngineIORequest, Message, Receive, Scope, Send
from .socket import EngineIOSocket
from .state import InvalidTransition, Reason, Transport

#: RFC 6455, 7.4.1, and its registry of close codes.
NORMAL_CLOSURE = 1000
NO_STATUS = 1005
MESSAGE_TOO_BIG = 1009
SERVICE_RESTART = 1012

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
        except HandshakeError as error:
            await self._refuse(scope, error)
            return
        if action is Action.OPEN:
            await self._serve_new(request)
        else:
            await self._serve_upgrade(request.live_socket())

    async def _refuse(self, scope: Scope, error: HandshakeError) -> None:
        """Refuses the WebSocket: with the reference's 400 and its text where the server can do that, else with the
        server's 403.
        """
        # The extension is what lets a server answer with more than its own refusal: uvicorn has it, Daphne does not.
        if "websocket.http.response" not in scope.get("extensions", {}):
            await self._try_send({"type": "websocket.close"})
            return
        headers = [(b"content-type", b"text/html"), (b"connection", b"close")]
        if await self._try_send({"type": "websocket.http.response.start", "status": 400, "headers": headers}):
            await self._try_send({"type": "websocket.http.response.body", "body": error.message.encode()})

    async def _serve_new(self, request: EngineIORequest) -> None:
        if await self._try_send({"type": "websocket.accept"}):
            await self._serve(request.open_socket(Transport.WEBSOCKET))

    async def _serve(self, socket: EngineIOSocket) -> None:
        """Runs the session on this WebSocket until its end."""
        close_code = NORMAL_CLOSURE
        # One task for each direction. The reader is the ASGI task itself, which the server cancels when it stops.
        writer = socket.create_task(self._write(socket))
        try:
            async with interruptible() as interrupt:
                socket.on_finish(interrupt)
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
            writer.cancel()
            await self._close(close_code)

    async def _write(self, socket: EngineIOSocket) -> None:
        """Sends packets until the session ends."""
        send = self._send
        try:
            while True:
                while (packet := socket.take_packet()) is not None:
                    await send(packet.frame)
                if not await socket.wait_for_packets():
                    return
        except Exception:  # as in `_try_send`, without a call for each packet
            socket.end(Reason.TRANSPORT_CLOSE)

    async def _read(self, socket: EngineIOSocket) -> int:
        """Takes frames until the client leaves. Returns the code to close with."""
        while (frame := await self._next_frame()) is not None:
            if self._is_too_big(frame):
                socket.end(Reason.TRANSPORT_ERROR)
                return MESSAGE_TOO_BIG
            # One frame is read ahead, so that a client which leaves meanwhile is noticed.
            if socket.is_paused:
                await socket.wait_readable()
            socket.receive_frame(frame)
        # uvicorn closes its WebSockets with this code when it shuts down. A client that does cannot be told from it.
        shutdown = self._disconnect_code == SERVICE_RESTART
        socket.end(Reason.SERVER_SHUTTING_DOWN if shutdown else Reason.TRANSPORT_CLOSE)
        return NORMAL_CLOSURE

    async def _next_frame(self) -> str | bytes | None:
        """Returns the next frame; None when the client is gone."""
        while (message := await self._receive())["type"] != "websocket.receive":
            if message["type"] == "websocket.disconnect":
                self._disconnect_code = message.get("code") or NO_STATUS
                return None
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    def _is_too_big(self, frame: str | bytes) -> bool:
        limit = self._max_payload
        # A character is four bytes at most: only near the limit must they be counted.
        if len(frame) * 4 <= limit or isinstance(frame, bytes):
            return len(frame) > limit
        return len(frame.encode()) > limit

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

    async def _serve_upgrade(self, socket: EngineIOSocket) -> None:
        """Runs the probe of a WebSocket for a session on polling, and then the session if it succeeded."""
        # Accepted first and closed then, as in the reference: to a client, a refusal would be a failed transport.
        if not await self._try_send({"type": "websocket.accept"}):
            return
        try:
            socket.probe()
        except InvalidTransition:
            await self._close()  # a second WebSocket: the first one stays
            return
        if await self._probe(socket):
            await self._serve(socket)
        else:
            await self._close()

    async def _probe(self, socket: EngineIOSocket) -> bool:
        """Speaks the probe. False if it failed, in which case the session goes on with polling."""
        try:
            async with interruptible() as interrupt:
                socket.on_probe_failed(interrupt)
                # Any number of probes is answered, as in `_maybeUpgrade`; anything else but a `5` ends the upgrade.
                while (frame := await self._next_frame()) == _PROBE:
                    if not await self._try_send(PROBE_PONG.frame):
                        return False
                    socket.probe_answered()
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


@contextlib.asynccontextmanager
async def interruptible() -> AsyncIterator[Callable[[], None]]:
    """A block that ends early, without an error, when the function that it yields is called."""
    inside = True

    def interrupt() -> None:
        if inside:
            scope.reschedule(0)

    try:
        async with asyncio.timeout(None) as scope:
            yield interrupt
    except TimeoutError:
        if not scope.expired():
            raise
    finally:
        inside = False
