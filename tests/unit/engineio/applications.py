"""Engine.IO applications for tests, and servers of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.routing import ProtocolTypeRouter

from sio.engineio import (
    CloseReason,
    EngineIOApplication,
    EngineIOServer,
    EngineIOSocket,
    EngineIOWebSocketConsumer,
    LongPollingConsumer,
)
from sio.engineio.connection import EngineIOConnection
from sio.engineio.protocol.state import Transport


class Recorder(EngineIOApplication):
    """Notes what happens, and keeps the socket of the latest session for the test to act on."""

    def __init__(self) -> None:
        self.sockets: list[EngineIOSocket] = []
        self.messages: list[str | bytes] = []
        self.reasons: list[CloseReason] = []

    @property
    def socket(self) -> EngineIOSocket:
        return self.sockets[-1]

    def on_connect(self, socket: EngineIOSocket) -> None:
        self.sockets.append(socket)

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        self.messages.append(data)

    def on_disconnect(self, socket: EngineIOSocket, reason: CloseReason) -> None:
        self.reasons.append(reason)


def open_session(
    server: EngineIOServer, transport: Transport = Transport.POLLING, scope: dict[str, Any] | None = None
) -> EngineIOConnection:
    """Opens a session without a request."""
    return server.open(transport, server.options(), {"type": "http"} if scope is None else scope)


def asgi(server: EngineIOServer) -> Any:
    """Returns the ASGI application of a server, with both transports."""
    return ProtocolTypeRouter(
        {
            "http": LongPollingConsumer.as_asgi(server=server),
            "websocket": EngineIOWebSocketConsumer.as_asgi(server=server),
        }
    )


class SlowApplication(Recorder):
    """Has a hook for the end of each session, which ends when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()
        #: The reasons of the sessions whose hooks have ended.
        self.ended: list[str] = []
        self.is_shut_down = False

    def on_disconnect(self, socket: EngineIOSocket, reason: CloseReason) -> None:
        super().on_disconnect(socket, reason)
        socket.create_task(self._hook(reason))

    async def _hook(self, reason: CloseReason) -> None:
        await self.may_end.wait()
        self.ended.append(str(reason))

    async def on_shutdown(self) -> None:
        self.is_shut_down = True
