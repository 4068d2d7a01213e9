"""Events and acknowledgements, and what they carry."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pace import TIMEOUT

from .agents import Binary, CommandError
from .stage import Stage, scenario

#: Every JSON value there is, and what is easily mistaken in one.
SHAPES: list[list[Any]] = [
    [],
    [None],
    [True, False, None, 0, -1, 1.5, 1e21, 2**53 - 1],
    ["", "two", "3", "-", "0-", "[]", '"', "\\"],
    [[], {}, [[]], [{}], {"": {}}, [None, [1, [2, [3]]]]],
    [{"four": None, "a b": [1], "é": {"1": True}, "_placeholder": False, "num": 0}],
    ["x", 1, {"deep": [{"deep": [{"deep": "x"}]}]}] * 20,
]

TEXTS = [
    *("é", "日本語", "😀👩‍👩‍👧", "e\u0301", "שלום", "\U0010ffff"),
    *("\u2028\u2029", "\x00\x01\x1e\x1f\x7f", "\ufeff", "\r\n\t"),
]


@scenario("socket.io-protocol v5, EVENT")
async def events_carry_every_json_shape(stage: Stage) -> None:
    """Events and arguments of every JSON shape, both ways"""
    client = await stage.client()
    await client.emit_all([["echo", *shape] for shape in SHAPES])
    stage.check_events(await client.receive_many("echoed", len(SHAPES)), SHAPES)
    assert [await client.call("echo_ack", *shape) for shape in SHAPES] == SHAPES


@scenario("socket.io-protocol v5, packet encoding")
async def events_carry_unicode(stage: Stage) -> None:
    """Unicode in arguments, keys, and binary neighbours, both ways"""
    client = await stage.client()
    await client.emit("echo", *TEXTS, {text: [text] for text in TEXTS})
    assert await client.receive("echoed") == [*TEXTS, {text: [text] for text in TEXTS}]
    assert await client.call("echo_ack", "".join(TEXTS), b"\xc3", "é") == ["".join(TEXTS), b"\xc3", "é"]
    await client.answer("question", "echo")
    await client.emit("ask", *TEXTS)
    assert await client.receive("answered") == ["answer", *TEXTS]


@scenario("socket.io-protocol v5, BINARY_EVENT")
async def binary_data_travels_both_ways(stage: Stage) -> None:
    """Binary data both ways, nested and of each type"""
    client = await stage.client()
    every = bytes(range(256))
    kinds = ("Uint8Array", "ArrayBuffer") if stage.is_javascript else ()
    await client.emit("echo", b"\0\xff", {"a": [every, "text"], "b": {}}, *(Binary(every, kind) for kind in kinds))
    assert await client.receive("echoed") == [b"\0\xff", {"a": [every, "text"], "b": {}}, *(every for _ in kinds)]
    await client.emit_all([["echo", number, b"%d" % number] for number in range(5)])
    stage.check_events(await client.receive_many("echoed", 5), [[number, b"%d" % number] for number in range(5)])


@scenario("socket.io-protocol v5, BINARY_EVENT")
async def attachments_may_be_empty(stage: Stage) -> None:
    """Empty binary data both ways"""
    client = await stage.client()
    await client.emit("binary_burst", 2)
    stage.check_events(await client.receive_many("burst", 2), [[0, b"0", b""], [1, b"1", b""]])
    assert await client.call("echo_ack", b"", b"x", [b""]) == [b"", b"x", [b""]]


@scenario("semantics 47")
async def server_acknowledges(stage: Stage) -> None:
    """Acknowledgements by the server: none, one, several, and twice"""
    client = await stage.client()
    events = ["return_none", "return_value", "return_tuple", "ack_twice"]
    assert [await client.call(event) for event in events] == [[], [[1, 2]], [1, 2], [1]]
    assert await client.call("echo_ack", 1, b"\x07", [{"a": b"\x08"}]) == [1, b"\x07", [{"a": b"\x08"}]]
    assert await client.call("message", "plain") == ["sent"]
    assert await client.receive("message") == ["plain"]


@scenario("socket.io-protocol v5, ACK")
async def client_acknowledges(stage: Stage) -> None:
    """Acknowledgements by the client, with and without binary data"""
    client = await stage.client()
    await client.answer("question", "echo")
    await client.emit("ask", "who", b"\x01", None)
    assert await client.receive("answered") == ["answer", "who", b"\x01", None]
    await client.emit("ask")
    assert await client.receive("answered") == ["answer"]
    await client.answer("question", "list")
    await client.emit("call", 5, "why")
    assert await client.receive("answered") == [["answer", "why"]]


@scenario("semantics 50", waits=True)
async def acknowledgements_may_be_late(stage: Stage) -> None:
    """Timeouts of acknowledgements, of the client and of the server"""
    client = await stage.client("/", "/custom")
    with pytest.raises(TimeoutError):
        # In a namespace of its own, since `sio` handles the events of a socket one after the other.
        await client.call("hold", "nobody opens this gate", namespace="/custom", timeout=0.1)
    assert await client.call("echo_ack", "in time", timeout=TIMEOUT) == ["in time"]
    await client.answer("question", "hang")
    await client.emit("call", 0.1, "and then says nothing")
    assert await client.receive("unanswered") == ["AckTimeout"]
    assert await client.call("echo_ack", "still served") == ["still served"]


@scenario("socket.io-client, offline buffer")
async def events_wait_for_the_connection(stage: Stage) -> None:
    """Events that are emitted before the client is connected"""
    client = stage.new()
    await client.prepare()
    early = [["echo", number] for number in range(3)]
    if stage.lacks("offline buffer"):
        with pytest.raises(CommandError, match="BadNamespaceError"):
            await client.emit_all(early)
        await client.connect()
        await client.emit_all(early)
    else:
        await client.emit_all(early)
        await client.emit("echo", "lost", volatile=True)
        await client.connect()
    stage.check_events(await client.receive_many("echoed", 3), [[0], [1], [2]])
    assert await client.call("echo_ack", "nothing more") == ["nothing more"]
    assert client.heard("echoed") == []


@scenario("socket.io-client, volatile events")
async def events_may_be_volatile(stage: Stage) -> None:
    """Volatile events of a connected client"""
    client = await stage.client()
    is_volatile = not stage.lacks("volatile")
    heard: list[list[Any]] = []
    # The client drops one while it sends something else.
    while not heard:
        await client.emit("echo", "arrives", volatile=is_volatile)
        assert await client.call("echo_ack") == []
        heard = client.heard("echoed")
    assert heard[0] == ["arrives"]


@scenario("socket.io-client, retries")
async def client_retries(stage: Stage) -> None:
    """Events of a client that emits again what is not acknowledged"""
    options = {} if stage.lacks("retries") else {"retries": 2, "ackTimeout": 5000}
    client = await stage.client(**options)
    for number in range(3):
        assert await client.call("echo_ack", number) == [number]
    # The server acknowledges it, whether or not it was asked to.
    await client.emit("message", "once")
    assert await client.call("echo_ack") == []
    assert client.heard("message") == [["once"]]
