"""Hooks with right and with wrong signatures, for `make types`: an ignored error that is none is an error itself."""

from __future__ import annotations

from typing import Any

from sio import BroadcastOperator, DisconnectReason, NamespaceSocket, SocketIOConsumer


class Plain(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None: ...


class Mixin:
    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None: ...


class Cooperative(Mixin, Plain):
    async def connect(self, socket: NamespaceSocket, auth: Any) -> bool:
        return "token" in auth and await super().connect(socket, auth)


class Narrow(SocketIOConsumer):
    async def disconnect(self, socket: NamespaceSocket, reason: DisconnectReason) -> None: ...


class Speaker(SocketIOConsumer):
    async def event_say(self, socket: NamespaceSocket, text: str) -> None:
        others: BroadcastOperator = socket.to("a", ["b"]).except_({"c"})
        await others.to_user(1, "2").except_user(3).local.volatile.emit("said", text)
        await self.sockets.send(text)
        await Speaker.sockets.to("a").emit("said", text)
        await socket.server.of(Speaker).emit("said", text)
        await socket.server.of("/").emit("said", text)
        await socket.join("a", "b")
        await socket.leave("a", "b")
        socket.to(5)  # type: ignore[arg-type]
        socket.broadcast.to("a", None)  # type: ignore[arg-type]
        socket.server.of(5)  # type: ignore[arg-type]
        await self.sockets.emit()  # type: ignore[call-arg]
        await socket.join(["a", "b"])  # type: ignore[arg-type]


class Wrong(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: str) -> None: ...  # type: ignore[override]

    async def disconnect(self, socket: NamespaceSocket, reason: int) -> None: ...  # type: ignore[override]


class Synchronous(SocketIOConsumer):
    def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:  # type: ignore[override]
        return True


class Incomplete(SocketIOConsumer):
    async def disconnect(self, socket: NamespaceSocket) -> None: ...  # type: ignore[override]
