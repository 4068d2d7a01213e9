"""Namespaces whose connect hooks fail in ways of their own."""

from __future__ import annotations

import asyncio
import sys
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


class ExitConsumer(SocketIOConsumer):
    """Wants to end the process."""

    namespace = "/exit"

    async def event_exit(self, socket: NamespaceSocket) -> None:
        sys.exit("for everybody")

    async def event_echo(self, socket: NamespaceSocket, value: str) -> str:
        return value


CONSUMERS = [CancelledConsumer, OverdueConsumer, ExitConsumer]
