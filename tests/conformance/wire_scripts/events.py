"""Events, acknowledgements and broadcasts."""

from __future__ import annotations

from ..wire import Wire
from .registry import on_both


@on_both
async def events(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    for args in ([], [1, "two", [3], {"4": None}], [True, 1.5, 1e21], ["\u001e\u2028\x00é😀\\ud800"], [None]):
        await session.emit("echo", *args)
        wire.note(await session.receive())


@on_both
async def events_that_nobody_handles(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    for name in ("unknown", "__class__", "on_connect", "send", "close", "", "a.b", "x" * 1000, "hasOwnProperty"):
        await session.emit(name, 1, ack_id=1)
    await session.send("42")
    wire.note(await session.call("echo_ack", "alive"))


@on_both
async def events_with_ordinary_names(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    wire.note(await session.call("error", "no error"), await session.call("1", "one"))
    await session.send('425[1,"one"]')
    wire.note(await session.receive())


@on_both
async def binary_events(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    placeholders = '{"_placeholder":true,"num":0},{"a":[{"num":1,"_placeholder":true}]}'
    await session.send(f'452-["echo",{placeholders}]', b"\x00\x01", b"\xff" * 3)
    wire.note(await session.receive_many(3))
    await session.send(f'452-9["echo_ack",{placeholders}]', b"", b"\x02")
    wire.note(await session.receive_many(3))


@on_both
async def placeholders_without_attachments(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    wire.note(await session.call("echo_ack", {"_placeholder": True, "num": 0}))


@on_both
async def placeholder_used_twice(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    placeholder = '{"_placeholder":true,"num":0}'
    await session.send(f'451-["echo",{placeholder},{placeholder}]', b"\x01")
    wire.note(await session.receive_many(3))


@on_both
async def heartbeat_between_attachments(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.send('451-["echo",{"_placeholder":true,"num":0}]', "3", "6", b"\x01")
    wire.note(await session.receive_many(2))


@on_both
async def acks_of_the_server(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    for number, event in enumerate(("echo_ack", "return_none", "return_value", "return_tuple", "ack_twice")):
        await session.emit(event, ack_id=number)
        wire.note(await session.receive())
    await session.emit("echo_ack", ack_id=9007199254740991)
    wire.note(await session.receive())


@on_both
async def acks_with_one_id(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.emit("echo_ack", 1, ack_id=5)
    await session.emit("echo_ack", 2, ack_id=5)
    wire.note(await session.receive_many(2))


@on_both
async def acks_of_the_client(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.emit("ask", "who", 1)
    question = await session.receive()
    ack_id = str(question)[2:].partition("[")[0]
    await session.send(f"4399{ack_id}[]", f'43{ack_id}["me",2]', f'43{ack_id}["again"]')
    wire.note(question, await session.receive(), await session.call("echo_ack", "fence"))


@on_both
async def binary_ack_of_the_client(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.emit("ask")
    ack_id = str(await session.receive())[2:].partition("[")[0]
    await session.send(f'461-{ack_id}[{{"_placeholder":true,"num":0}}]', b"\x01")
    wire.note(await session.receive_many(2))


@on_both
async def broadcasts(wire: Wire, transport: str) -> None:
    session, other = await wire.member(transport), await wire.member("websocket")
    room = f"broadcasts {transport}"
    wire.note(await session.call("join", room, "other"), await other.call("join", room))
    await other.emit("broadcast", {"room": room}, "hello", 1)
    await other.emit("broadcast", {"room": [room, "other"]}, "hello", 2)
    await other.emit("broadcast", {"room": room, "except_": "other"}, "hello", 3)
    wire.note(await session.receive_many(2), await other.receive_many(3))
    wire.note(await session.call("leave", "other"), await session.call("leave_all"))
    await other.emit("broadcast", {"room": room}, "hello", 4)
    wire.note(await other.receive(), await session.call("echo_ack", "fence"))


@on_both
async def burst(wire: Wire, transport: str) -> None:
    session = await wire.member(transport)
    await session.emit("binary_burst", 20)
    wire.note(await session.receive_many(60))
