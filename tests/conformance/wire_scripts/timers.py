"""What happens when nothing does. These run on servers with short timers."""

from __future__ import annotations

from ..wire import Wire
from .registry import hasty


@hasty
async def pings_on_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    for _ in range(2):
        wire.note(await session.next_packet())
        await session.send("3")
    await session.send("3", "3")  # nobody asked for these
    wire.note(await session.call("echo_ack", "alive"))


@hasty
async def pings_on_polling(wire: Wire) -> None:
    session = await wire.member("polling")
    for _ in range(2):
        wire.note(await session.next_packet())
        await session.send("3")
    wire.note(await session.call("echo_ack", "alive"))


@hasty
async def pong_that_does_not_come_on_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    wire.note(await session.next_packet())
    wire.note(await session.drain(), await wire.server.reason(session.id))


@hasty
async def pong_that_does_not_come_on_polling(wire: Wire) -> None:
    session = await wire.member("polling")
    wire.note(await session.get(), await session.get(), await session.get())
    wire.note(await wire.server.reason(session.id))


@hasty
async def poller_that_vanishes(wire: Wire) -> None:
    session = await wire.member("polling")
    wire.note(await wire.server.reason(session.id), await session.get())


@hasty
async def connection_without_connect_on_websocket(wire: Wire) -> None:
    session = await wire.websocket()
    wire.note(await session.drain())


@hasty
async def connection_without_connect_on_polling(wire: Wire) -> None:
    session = await wire.polling()
    wire.note(await session.drain())


@hasty
async def connection_that_is_only_refused(wire: Wire) -> None:
    session = await wire.websocket()
    await session.send("40/false,")
    wire.note(await session.receive())
    await session.send("40/nowhere,")
    wire.note(await session.drain())


@hasty
async def probe_that_takes_too_long(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    wire.note(await websocket.drain(), await session.call("echo_ack", "alive"))


@hasty
async def upgrade_that_takes_too_long(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.drain(), await session.call("echo_ack", "alive"))


@hasty
async def websocket_for_a_session_on_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    second = await wire.websocket_for(session)
    wire.note(await second.drain())
    wire.note(await session.call("echo_ack", "alive"))
