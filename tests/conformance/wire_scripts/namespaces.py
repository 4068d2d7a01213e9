"""Joining and leaving namespaces."""

from __future__ import annotations

from ..wire import Wire
from .registry import for_each, note_end, on_both, script


@on_both
async def connect(wire: Wire, transport: str) -> None:
    session = await wire.session(transport)
    for packet in ("40", "40/custom,", "40/chat", '40/members,{"token":"secret"}', '40/early,{"a":[1,"é"]}'):
        await session.send(packet)
    wire.note(await session.receive_many(9))


@on_both
async def connect_that_is_refused(wire: Wire, transport: str) -> None:
    session = await wire.session(transport)
    for packet in ("40/nowhere,", "40/nowhere?a=b,", "40/false,", "40/none,", "40/refused,", "40/members,{}"):
        await session.send(packet)
        wire.note(await session.receive())
    await session.join()
    wire.note(await session.call("echo_ack", "still here"))


@on_both
async def connect_twice(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.send("40")
    await note_end(wire, session)


@on_both
async def connect_again_after_a_refusal(wire: Wire, transport: str) -> None:
    session = await wire.session(transport)
    await session.send("40/members,")
    wire.note(await session.receive())
    await session.send('40/members,{"token":"secret"}')
    wire.note(await session.receive())


@on_both
async def connect_disconnect_connect(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    first = session.id
    await session.send("41")
    wire.note(await wire.server.reason(first))
    await session.join()
    wire.note(session.id != first, await session.call("echo_ack", "again"))


@on_both
async def event_before_connect(wire: Wire, transport: str) -> None:
    session = await wire.session(transport)
    await session.send('42["echo",1]')
    await note_end(wire, session)


@script
async def event_with_its_connect(wire: Wire) -> None:
    """On WebSocket, two frames may come to the official server with or without time between them."""
    session = await wire.polling()
    await session.send("40", '42["echo",1]')
    wire.note(await session.drain())


@on_both
async def event_while_the_hook_decides(wire: Wire, transport: str) -> None:
    session, gate = await wire.session(transport), f"event early {transport}"
    await session.send(f'40/gated,{{"gate":"{gate}"}}', '42/gated,["echo",1]')
    await note_end(wire, session)


@for_each(
    {
        "event": ['42/custom,["echo"]'],
        "ack": ["43/custom,1[]"],
        "disconnect": ["41/custom,"],
        "binary event": ['451-/custom,["echo",{"_placeholder":true,"num":0}]', b"\x01"],
    }
)
async def packet_for_a_namespace_that_is_not_joined(wire: Wire, row: list[str | bytes]) -> None:
    session = await wire.member("polling")
    await session.send(*row)
    await note_end(wire, session)


@on_both
async def disconnect_of_one_of_two_namespaces(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.join("/custom")
    await session.send("41/custom,")
    wire.note(await wire.server.reason(session.id), await session.call("echo_ack", "still here"))


@on_both
async def event_after_a_disconnect(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.join("/custom")
    await session.send("41/custom,")
    wire.note(await wire.server.reason(session.id))
    await session.emit("echo", 1, namespace="/custom")
    wire.note(await session.drain())


@on_both
async def server_that_disconnects_a_namespace(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.join("/custom")
    await session.emit("bye", namespace="/custom")
    wire.note(await session.receive(), await wire.server.reason(session.id))
    wire.note(await session.call("echo_ack", "still here"))


@on_both
async def server_that_closes_the_connection(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.join("/custom")
    await session.emit("bye", True)
    await note_end(wire, session)


@script
async def server_that_closes_while_a_get_waits(wire: Wire) -> None:
    session = await wire.member("polling")
    get = await session.start_get()
    await session.emit("bye", True)
    wire.note((await get.response()).packets)
    await note_end(wire, session)


@on_both
async def server_that_closes_with_packets_buffered(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.emit("burst_bye", 3, True)
    await note_end(wire, session)


@script
async def server_that_closes_during_the_upgrade(wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    wire.note(await websocket.receive())
    await session.emit("burst_bye", 3, True)
    await websocket.send("5")
    wire.note(await websocket.drain(), await wire.server.reason(session.id))


@on_both
async def ack_after_a_disconnect(wire: Wire, transport: str) -> None:
    """The official server still sends it."""
    session = await wire.member(transport)
    await session.join("/custom")
    await session.emit("bye_ack", namespace="/custom", ack_id=7)
    wire.note(await session.receive())
    await session.emit("echo", "fence")
    wire.note(await session.receive())
