"""Engine.IO packets, good and bad."""

from __future__ import annotations

from ..wire import Wire
from .registry import for_each, note_end, on_both, script

MALFORMED_PAYLOADS = {
    "nothing": b"",
    "no type": b"abc",
    "type 7": b"7",
    "type that is a digit elsewhere": "\u0663".encode(),
    "empty packet between two": b'42["echo",1]\x1e\x1e42["echo",2]',
    "empty packet at the end": b'42["echo",1]\x1e',
    "bad packet after a good one": b'42["echo",1]\x1ex',
}


@for_each(MALFORMED_PAYLOADS)
async def malformed_payload(wire: Wire, row: bytes) -> None:
    session = await wire.member("polling")
    wire.note(await session.post(row))
    await note_end(wire, session)


@for_each(MALFORMED_PAYLOADS)
async def malformed_payload_while_a_get_waits(wire: Wire, row: bytes) -> None:
    session = await wire.member("polling")
    get = await session.start_get()
    wire.note(await session.post(row), (await get.response()).packets)
    await note_end(wire, session)


@for_each({"nothing": "", "no type": "x", "type 9": "9", "a probe": "2probe", "a ping": "2"})
async def frame_that_ends_a_websocket(wire: Wire, row: str) -> None:
    session = await wire.member("websocket")
    await session.send(row)
    await note_end(wire, session)


@script
async def close_packet_on_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    await session.send("1", '420["echo_ack","alive"]')
    wire.note(await session.receive_or_end())


@for_each({"a probe": "2probe", "a ping": "2", "a close": "1"})
async def packet_that_ends_polling(wire: Wire, row: str) -> None:
    session = await wire.member("polling")
    wire.note(await session.post(row))
    await note_end(wire, session)


@for_each({"a ping": "2", "a close": "1"})
async def packet_that_ends_polling_while_a_get_waits(wire: Wire, row: str) -> None:
    session = await wire.member("polling")
    get = await session.start_get()
    wire.note(await session.post(row), await get.response())
    await note_end(wire, session)


@on_both
async def packets_that_are_ignored(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    for packet in ("0", "0{}", "3", "3probe", "5", "6", "6x"):
        await session.send(packet)
    wire.note(await session.call("echo_ack", "alive"))


@script
async def base64_in_a_text_frame(wire: Wire) -> None:
    session = await wire.member("websocket")
    await session.send('451-["echo",{"_placeholder":true,"num":0}]', "bAQID")
    wire.note(await session.receive_many(2))


@script
async def peer_that_drops_its_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    session.reset()
    wire.note(await wire.server.reason(session.id))


@script
async def peer_that_closes_its_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    await session.close()
    wire.note(await wire.server.reason(session.id))


@script
async def frame_over_the_limit(wire: Wire) -> None:
    session = await wire.member("websocket")
    await session.send("4" + "x" * 1_000_000)
    await note_end(wire, session)
