"""Sessions that end after, or during, their upgrade."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.engineio.clients import begun, leave, probing

from .clients import member, upgraded
from .table import ending


@ending
async def upgrade(app: Any) -> None:
    client = await upgraded(app)
    client.emit("/test", "echo", "hello", ack_id=1)
    await client.received('3/test,1["hello"]')
    await leave(client)


@ending
async def upgrade_while_a_poll_waits(app: Any) -> None:
    client = await member(app)
    waiting = await begun(client.get())
    candidate = await probing(app, client.sid)
    assert (await waiting).text == "6"
    waiting = await begun(client.get())
    candidate.send("5")
    await waiting
    await leave(candidate)


@ending
async def upgrade_that_fails(app: Any) -> None:
    client = await member(app)
    await leave(await probing(app, client.sid))
    await client.post("1")


@ending
async def upgrade_that_takes_too_long(app: Any) -> None:
    client = await member(app)
    candidate = await probing(app, client.sid)
    await asyncio.sleep(11)
    await candidate.finished()


@ending
async def upgrade_of_what_ends_meanwhile(app: Any) -> None:
    client = await member(app)
    candidate = await probing(app, client.sid)
    await client.post("1")
    await candidate.finished()
