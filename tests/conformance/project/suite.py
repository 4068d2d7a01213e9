"""What the official suite of the Socket.IO protocol talks to."""

from __future__ import annotations

from typing import Any

from sio import NamespaceSocket, SocketIOConsumer

from .consumers import report


class SuiteConsumer(SocketIOConsumer):
    """Shows the auth of its clients, and sends back what they send."""

    namespace = "/"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.emit("auth", auth)
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        report(socket, "disconnect", reason=str(reason))

    async def event_message(self, socket: NamespaceSocket, *args: Any) -> None:
        await socket.emit("message-back", *args)


async def acknowledge(self: SuiteConsumer, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
    return args


setattr(SuiteConsumer, "event_message-with-ack", acknowledge)  # a name that no Python function can have


class CustomSuiteConsumer(SuiteConsumer):
    namespace = "/custom"


CONSUMERS = [SuiteConsumer, CustomSuiteConsumer]
