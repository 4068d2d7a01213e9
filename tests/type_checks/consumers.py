"""Hooks with right and with wrong signatures, for `make types`: an ignored error that is none is an error itself."""

from __future__ import annotations

from typing import Any

from sio import DisconnectReason, NamespaceSocket, SocketIOConsumer


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


class Wrong(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: str) -> None: ...  # type: ignore[override]

    async def disconnect(self, socket: NamespaceSocket, reason: int) -> None: ...  # type: ignore[override]


class Synchronous(SocketIOConsumer):
    def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:  # type: ignore[override]
        return True


class Incomplete(SocketIOConsumer):
    async def disconnect(self, socket: NamespaceSocket) -> None: ...  # type: ignore[override]
