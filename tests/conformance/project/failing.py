"""Namespaces whose connect hooks fail in ways of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from sio import NamespaceSocket, SocketIOConsumer


class CancelledConsumer(SocketIOConsumer):
    """What it waits for is cancelled."""

    namespace = "/cancelled"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("cancelled")
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        return bool(await future)


class OverdueConsumer(SocketIOConsumer):
    """Has no more time for its decision."""

    namespace = "/overdue"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("overdue")
        async with asyncio.timeout(0.01):
            await asyncio.get_running_loop().create_future()
        return True


CONSUMERS = [CancelledConsumer, OverdueConsumer]
