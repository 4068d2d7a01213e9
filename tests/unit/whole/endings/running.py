"""Sessions that end while something of them still runs."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.engineio.clients import begun, leave

from .clients import joined, member, poller, upgraded, websocket
from .table import ending


@ending
async def handler_that_runs_on(app: Any) -> None:
    for client in (await joined(app), await upgraded(app)):
        client.emit("/test", "work", 60, ack_id=1)
        client.emit("/test", "echo", {"waits": "in the queue"})
        await asyncio.sleep(0.01)
        await leave(client)


@ending
async def polling_handler_that_runs_on(app: Any) -> None:
    client = await member(app)
    await client.post('42/test,1["work",60]\x1e42/test,["echo",{}]')
    await client.post("1")


@ending
async def handler_that_asks(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "ask", ack_id=1)
    assert (await client.receive()).startswith("2/test,")
    await leave(client)


@ending
async def handler_that_asks_in_vain(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "ask", ack_id=1)
    await asyncio.sleep(21)
    await leave(client)


@ending
async def handler_that_is_answered(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "ask", ack_id=1)
    ack_id = (await client.receive()).removeprefix("2/test,").partition("[")[0]
    client.send("3", "/test", [1], ack_id)
    await client.received("3/test,1[1]")
    await leave(client)


@ending
async def handler_that_raises(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "raise", ack_id=1)
    client.emit("/test", "give_up", ack_id=2)
    client.emit("/test", "echo", ack_id=3)
    await client.received("3/test,3[]")
    await leave(client)


@ending
async def connect_hook_that_runs_on(app: Any) -> None:
    client = await websocket(app, {"hang": 3})
    await asyncio.sleep(0.01)
    await leave(client)
    await (await poller(app, '{"hang":3}')).post("1")


@ending
async def connect_hook_that_never_ends(app: Any) -> None:
    client = await websocket(app, {"hang": 1_000_000})
    await asyncio.sleep(0.01)
    await leave(client)


@ending
async def full_queue(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "work", 1)
    for number in range(30):
        client.emit("/test", "echo", number)
    await asyncio.sleep(0.01)
    await leave(client)


@ending
async def full_queue_of_a_post(app: Any) -> None:
    client = await member(app)
    events = "\x1e".join(['42/test,["work",5]', *['42/test,["echo"]'] * 30])
    post = await begun(client.post(events))
    post.disconnect()
    await post
