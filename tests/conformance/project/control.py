"""What tests ask of a server behind its clients' backs, over HTTP: `GET /control/<command>` answers JSON."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sio import get_socketio_server
from sio.engineio.registry import registry


async def sessions() -> int:
    """How many Engine.IO sessions are alive."""
    return len(registry)


async def tasks() -> int:
    """How many asyncio tasks there are."""
    return len(asyncio.all_tasks())


async def close() -> None:
    """Shuts the Socket.IO server down, and lets its process live."""
    await get_socketio_server().close()


COMMANDS = {"sessions": sessions, "tasks": tasks, "close": close}


async def control(scope: Any, receive: Any, send: Any) -> None:
    result = await COMMANDS[scope["url_route"]["kwargs"]["command"]]()
    body = json.dumps(result).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
