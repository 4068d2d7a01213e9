"""python-socketio's asynchronous server, with its defaults."""

from __future__ import annotations

from typing import Any

import socketio

from .options import PING_INTERVAL_MS, REDIS_URL

manager = socketio.AsyncRedisManager(REDIS_URL) if REDIS_URL else None
server = socketio.AsyncServer(async_mode="asgi", client_manager=manager, ping_interval=PING_INTERVAL_MS / 1000)


@server.event
async def echo(sid: str, payload: Any) -> Any:
    return payload


@server.event
async def join(sid: str) -> None:
    await server.enter_room(sid, "room")


@server.event
async def broadcast(sid: str, payload: Any) -> None:
    await server.emit("news", payload, room="room")


application = socketio.ASGIApp(server)
