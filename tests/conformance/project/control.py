"""What tests ask of a server behind its clients' backs, over HTTP: `GET /control/<command>` answers JSON.

`alarm` takes a number: `GET /control/alarm/250`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sio
from sio import get_socketio_server
from sio.engineio import get_engineio_server

_PACKAGE = str(Path(sio.__file__).parent)


async def sessions() -> int:
    """How many Engine.IO sessions are alive."""
    return len(get_engineio_server().registry)


async def polls() -> list[str]:
    """The sids of the sessions whose polls wait."""
    return [connection.sid for connection in get_engineio_server().registry if connection.session.poll_open]


async def tasks() -> int:
    """How many asyncio tasks there are."""
    return len(asyncio.all_tasks())


def _is_ours(task: asyncio.Task[Any]) -> bool:
    """Whether a task is in `sio`, at whatever depth: ASGI servers end tasks of their own when they like."""
    coroutine: Any = task.get_coro()
    while (code := getattr(coroutine, "cr_code", None)) is not None:
        if code.co_filename.startswith(_PACKAGE):
            return True
        coroutine = coroutine.cr_await
    return False


async def stats() -> dict[str, int]:
    """How much there is of whatever a client could leave behind."""
    server = get_socketio_server()
    clients = list(server._clients.values())
    connections = [connection for client in clients for connection in client._connections.values()]
    namespaces = list(server._shared.namespaces._by_name.values())
    return {
        "sessions": len(get_engineio_server().registry),
        "tasks": sum(map(_is_ours, asyncio.all_tasks())),
        "clients": len(clients),
        "sockets, also those not accepted": len(connections),
        "sockets of namespaces": sum(len(namespace.sockets) for namespace in namespaces),
        "namespaces": len(namespaces),
        "rooms": len(server.adapter._rooms),
        "members of rooms": sum(map(len, server.adapter._rooms.values())),
        "packets without their attachments": sum(client._parser.pending is not None for client in clients),
        "acknowledgements to come": sum(len(connection._acks._waiters) for connection in connections),
    }


async def close() -> None:
    """Shuts the Socket.IO server down, and lets its process live."""
    await get_socketio_server().close()


async def alarm(milliseconds: int) -> None:
    """Answers after a time, in milliseconds."""
    await asyncio.sleep(milliseconds / 1000)


COMMANDS: dict[str, Callable[..., Awaitable[Any]]] = {
    "sessions": sessions,
    "polls": polls,
    "tasks": tasks,
    "stats": stats,
    "close": close,
    "alarm": alarm,
}


async def control(scope: Any, receive: Any, send: Any) -> None:
    asked = scope["url_route"]["kwargs"]
    arguments = [int(asked["number"])] if "number" in asked else []
    result = await COMMANDS[asked["command"]](*arguments)
    body = json.dumps(result).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
