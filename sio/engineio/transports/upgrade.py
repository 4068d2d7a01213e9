"""The upgrade of a session from polling to a WebSocket.

Source: Engine.IO protocol v4, section "Upgrade"; the reference's `engine.io/lib/socket.ts` (`_maybeUpgrade`).
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from ...aio.interruptible import Interruptible
from ...exceptions import InvalidTransition
from ..asgi import Message
from ..connection import EngineIOConnection
from ..protocol.packets import PROBE_PONG, PacketType
from .websocket_io import WebSocketIO

_PROBE = PacketType.PING + "probe"


async def upgrade(io: WebSocketIO, connection: EngineIOConnection, acceptance: Message) -> bool:
    """Accepts the WebSocket of a session on polling, and runs its probe. False if it failed, or may not be."""
    # Accepted first and closed then, as in the reference: to a client, a refusal would be a failed transport.
    if not await io.try_send(acceptance):
        return False
    try:
        connection.probe()
        upgraded = await _probe(io, connection)
    except InvalidTransition:
        upgraded = False  # a second WebSocket: the first one stays
    if not upgraded:
        await io.close()
    return upgraded


async def _probe(io: WebSocketIO, connection: EngineIOConnection) -> bool:
    """Speaks the probe. False if it failed, in which case the session goes on with polling."""
    try:
        with Interruptible() as interrupt:
            connection.when_probe_failed(interrupt)
            # Any number of probes is answered, as in `_maybeUpgrade`; anything else but a `5` ends the upgrade.
            while (frame := await io.next_frame()) == _PROBE:
                if not await io.try_send(PROBE_PONG.frame):
                    return False
                connection.probe_answered()
                now = perf_counter()
                if (pause := connection.flow.turn.spend(len(frame), now, now)) is not None:
                    await asyncio.sleep(pause)
            if isinstance(frame, str) and frame[:1] == PacketType.UPGRADE:
                connection.upgrade()
                return True
    except InvalidTransition:
        pass  # the `5` came in the very moment in which its time was up, or the session over
    finally:
        connection.probe_failed()
    return False
