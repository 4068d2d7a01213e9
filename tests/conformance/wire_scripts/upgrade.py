"""From polling to WebSocket."""

from __future__ import annotations

from ..wire import Wire
from .registry import for_each, note_end, script


@script
async def upgrade(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive())
    await websocket.send("5")
    wire.note(await websocket.call("echo_ack", 1))
    wire.note(await session.get(), await session.post("3"))
    wire.note(await websocket.call("echo_ack", 2))


@script
async def upgrade_while_a_get_waits(wire: Wire) -> None:
    session = await wire.member("polling")
    get = await session.start_get()
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive(), await get.response())
    wire.note(await session.get())
    await websocket.send("5")
    wire.note(await websocket.call("echo_ack", 1))


@script
async def upgrade_that_does_not_wait_for_the_get(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive())
    get = await session.start_get()
    await websocket.send("5")
    wire.note(await get.response(), await websocket.call("echo_ack", 1))


@script
async def upgrade_without_a_probe(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("5")
    wire.note(await websocket.call("echo_ack", 1))


@script
async def packets_of_before_the_upgrade(wire: Wire) -> None:
    """They come by WebSocket, in order, and binary in its own form."""
    session = await wire.member("polling")
    await session.emit("binary_burst", 3)
    websocket = await wire.upgrade(session)
    wire.note(await websocket.receive_many(9))


@script
async def packets_during_the_probe(wire: Wire) -> None:
    """They come by polling."""
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive())
    wire.note(await session.call("echo_ack", 1))
    await websocket.send("5")
    wire.note(await websocket.call("echo_ack", 2))


@for_each({"text": "x", "a message": '42["echo"]', "a ping": "2", "binary": b"\x01", "nothing": ""})
async def probe_that_says_something_else(wire: Wire, row: str | bytes) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send(row)
    wire.note(await websocket.drain(), await session.call("echo_ack", "alive"))


@script
async def probe_twice(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe", "2probe")
    wire.note(await websocket.receive_many(2))
    await websocket.send("5")
    wire.note(await websocket.call("echo_ack", 1))


@script
async def websocket_that_drops_before_the_upgrade(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive())
    websocket.reset()
    wire.note(await session.call("echo_ack", "alive"))
    wire.note(await (await wire.upgrade(session)).call("echo_ack", "upgraded"))


@script
async def second_websocket_during_the_probe(wire: Wire) -> None:
    session = await wire.member("polling")
    first = await wire.websocket_for(session)
    await first.send("2probe")
    wire.note(await first.receive())
    second = await wire.websocket_for(session)
    wire.note(await second.drain())
    await first.send("5")
    wire.note(await first.call("echo_ack", 1))


@script
async def close_during_the_probe(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive(), await session.post("1"))
    wire.note(await websocket.drain())
    await note_end(wire, session)
