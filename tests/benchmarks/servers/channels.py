"""A Channels consumer without Socket.IO: it answers the frames by hand, as the floor does, and its room is a group."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.asgi import get_asgi_application
from django.urls import re_path

django_application = get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from . import frames  # noqa: E402
from .options import PING_INTERVAL_MS  # noqa: E402


class RawConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        await self.send(text_data=frames.open_packet(frames.next_sid()))
        self.heartbeat = asyncio.create_task(self.ping())

    async def disconnect(self, code: int) -> None:
        self.heartbeat.cancel()
        await self.channel_layer.group_discard("room", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            await self.send(text_data=self.binary_ack)
            await self.send(bytes_data=bytes_data)
        elif text_data.startswith(frames.BROADCAST):
            await self.channel_layer.group_send("room", {"type": "news", "text": frames.news(text_data)})
        elif text_data.startswith("451-"):
            self.binary_ack = frames.binary_ack(text_data)
        elif text_data != frames.PONG:
            if text_data.endswith(frames.JOIN):
                await self.channel_layer.group_add("room", self.channel_name)
            await self.send(text_data=frames.answer(text_data))

    async def news(self, message: dict[str, Any]) -> None:
        await self.send(text_data=message["text"])

    async def ping(self) -> None:
        while True:
            await asyncio.sleep(PING_INTERVAL_MS / 1000)
            await self.send(text_data=frames.PING)


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter([re_path(r"^socket\.io/?$", RawConsumer.as_asgi())]),
    }
)
