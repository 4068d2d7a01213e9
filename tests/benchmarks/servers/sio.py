"""This project, mounted as the README's quickstart does."""

from __future__ import annotations

from django.core.asgi import get_asgi_application
from django.urls import re_path

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from sio import SocketIOConsumer  # noqa: E402
from sio.socketio.socket import NamespaceSocket  # noqa: E402


class BenchmarkConsumer(SocketIOConsumer):
    async def event_echo(self, socket: NamespaceSocket, payload: str | bytes) -> str | bytes:
        return payload

    async def event_join(self, socket: NamespaceSocket) -> None:
        await socket.join("room")

    async def event_broadcast(self, socket: NamespaceSocket, payload: str) -> None:
        await socket.server.emit("news", payload, room="room", namespace=socket.namespace)


socketio = re_path(r"^socket\.io/?$", BenchmarkConsumer.as_asgi())

application = ProtocolTypeRouter(
    {
        "http": URLRouter([socketio, re_path("", django_application)]),
        "websocket": URLRouter([socketio]),
    }
)
