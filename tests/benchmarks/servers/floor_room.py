"""The room of the floor: the `send` of each member. With Redis, one channel brings broadcasts to each process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .options import REDIS_URL

CHANNEL = "room"


class Room(list[Callable[[dict[str, Any]], Awaitable[None]]]):
    """The members of a process."""

    async def deliver(self, frame: str) -> None:
        message = {"type": "websocket.send", "text": frame}
        for send in self:
            await send(message)


class RedisRoom(Room):
    """The same, whose broadcasts come through Redis."""

    def __init__(self) -> None:
        import redis.asyncio

        super().__init__()
        self.redis = redis.asyncio.from_url(REDIS_URL, decode_responses=True)
        self._reader: asyncio.Task[None] | None = None

    def append(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        super().append(send)
        self._reader = self._reader or asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with self.redis.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            async for message in channel.listen():
                if message["type"] == "message":
                    await self.deliver(message["data"])


room: Room = RedisRoom() if REDIS_URL else Room()


async def broadcast(frame: str) -> None:
    if isinstance(room, RedisRoom):
        await room.redis.publish(CHANNEL, frame)
    else:
        await room.deliver(frame)
