"""The consumer of these tests."""

from __future__ import annotations

from typing import Any, ClassVar

from channels.auth import logout

from sio import NamespaceSocket, SocketIOConsumer


class Consumer(SocketIOConsumer):
    """Accepts every client, answers it, and logs its user out."""

    #: Why clients left.
    reasons: ClassVar[list[str]] = []

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        self.reasons.append(str(reason))

    async def event_echo(self, socket: NamespaceSocket, value: Any) -> Any:
        return value

    async def event_logout(self, socket: NamespaceSocket) -> bool:
        await logout(socket.scope)
        return True
