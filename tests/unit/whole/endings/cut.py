"""Sessions whose connection breaks, and those that time out."""

from __future__ import annotations

import asyncio
from typing import Any

from sio import get_socketio_server
from tests.asgi import Poller
from tests.client import SocketIOClient
from tests.unit.engineio.clients import begun, leave, open_post

from .clients import joined, member
from .table import A_WHILE, ending

# Cut


@ending
async def poll_that_is_cut(app: Any) -> None:
    waiting = await begun((await member(app)).get())
    waiting.disconnect()
    await waiting


@ending
async def post_that_is_cut(app: Any) -> None:
    client = await member(app)
    post = open_post(client)
    post.send_body(b'42/test,["ec', more_body=True)
    await begun(post)
    post.disconnect()
    await post


@ending
async def post_whose_session_ends(app: Any) -> None:
    client = await member(app)
    post = open_post(client)
    await begun(post)
    waiting = await begun(client.get())
    waiting.disconnect()
    await waiting
    post.disconnect()
    await post


@ending
async def websocket_that_is_cut(app: Any) -> None:
    await leave(await joined(app))


@ending
async def websocket_that_is_cut_while_it_writes(app: Any) -> None:
    client = await joined(app)
    client.websocket.taken.clear()
    client.emit("/test", "fill")
    await asyncio.sleep(0.01)
    await leave(client)


@ending
async def websocket_whose_send_fails(app: Any) -> None:
    client = await joined(app)
    client.websocket.send_error = OSError()
    client.emit("/test", "echo", ack_id=1)
    await client.websocket.finished()
    client.websocket.send_error = None


@ending
async def websocket_whose_send_fails_late(app: Any) -> None:
    client = await joined(app)
    client.websocket.taken.clear()
    client.emit("/test", "echo", ack_id=1)
    await asyncio.sleep(0.01)
    client.websocket.late_error = OSError()
    client.websocket.taken.set()
    await client.websocket.finished()
    client.websocket.late_error = None


@ending
async def slow_consumer(app: Any) -> None:
    client = await joined(app)
    client.websocket.taken.clear()
    await asyncio.sleep(0.01)
    for _ in range(40):
        await get_socketio_server().emit("news", "x" * 1_000_000, namespace="/test")
    await asyncio.sleep(2)
    client.websocket.disconnect()
    await client.websocket.finished()


@ending
async def request_that_the_server_cancels(app: Any) -> None:
    waiting = await begun((await member(app)).get())
    client = await joined(app)
    for task in (waiting.task, client.websocket.task):
        assert task is not None
        task.cancel()
        await asyncio.wait([task])
    # Their exceptions have the frames that they came through.
    client.websocket.task = None
    del waiting.task


# Timed out


@ending
async def polling_that_joins_nothing(app: Any) -> None:
    await Poller(app).open()


@ending
async def websocket_that_joins_nothing(app: Any) -> None:
    client = await SocketIOClient(app).open()
    await asyncio.sleep(0.01)
    del client


@ending
async def polling_that_falls_silent(app: Any) -> None:
    await begun((await member(app)).get())


@ending
async def websocket_that_falls_silent(app: Any) -> None:
    client = await joined(app)
    await asyncio.sleep(A_WHILE)
    await client.websocket.finished()


@ending
async def attachments_that_do_not_come(app: Any) -> None:
    client = await joined(app)
    client.websocket.send('451-/test,["echo",{"_placeholder":true,"num":0}]')
    await asyncio.sleep(0.01)
    await leave(client)
