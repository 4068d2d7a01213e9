"""How clients join namespaces, and whom they reach there."""

from __future__ import annotations

from typing import Any

import pytest

from .client import Client, Refused
from .stage import Stage, scenario

AUTH = {"name": "é😀", "list": [1, {"deep": None}], "flag": True}

#: What the server says to clients that it does not let in.
REFUSALS: dict[str, tuple[str, Any]] = {
    "/nowhere": ("Invalid namespace", None),
    "/false": ("Not authorized", None),
    "/none": ("Not authorized", None),
    "/refused": ("no entry", {"code": 7}),
    "/members": ("wrong token", None),
}


@scenario("engine.io-protocol v4, upgrade")
async def client_connects(stage: Stage) -> None:
    """A connection that ends on its transport, and serves there"""
    client = await stage.client()
    await client.emit("echo", "there")
    assert await client.receive("echoed") == ["there"]
    assert client.transports == [stage.last_transport]
    assert (await stage.server.hook(client.id, "connect"))["namespace"] == "/"


async def _connect_early(stage: Stage, called_auth: bool) -> None:
    client = stage.new()
    lacks_auth = stage.lacks("auth")
    await client.connect("/early", auth=None if lacks_auth else AUTH, called_auth=called_auth)
    assert await client.receive("auth", "/early") == [{} if lacks_auth else AUTH]
    assert await client.receive("second", "/early") == [b"\x01"]


@scenario("semantics 38")
async def client_connects_with_auth(stage: Stage) -> None:
    """Auth, and what the server emits before it accepts"""
    await _connect_early(stage, called_auth=False)


@scenario("socket.io-client, auth as a function")
async def function_gives_the_auth(stage: Stage) -> None:
    """Auth that a function of the client gives"""
    await _connect_early(stage, called_auth=True)


@scenario("semantics 41")
async def client_is_refused(stage: Stage) -> None:
    """Refusals, with their messages and data"""
    client = stage.new()
    for namespace, (message, data) in REFUSALS.items():
        with pytest.raises(Refused) as refusal:
            await client.connect(namespace)
        assert refusal.value.args == (message, data)
    await client.connect("/custom")
    assert await client.call("echo_ack", "in", namespace="/custom") == ["in"]


@scenario("semantics 41")
async def client_tries_again(stage: Stage) -> None:
    """A client that was refused, and then has the right token"""
    client = stage.new()
    with pytest.raises(Refused, match="wrong token"):
        await client.connect("/members", auth={"token": "wrong"})
    if stage.lacks("auth"):
        with pytest.raises(Refused, match="wrong token"):
            await client.connect("/members")
    else:
        await client.connect("/members", auth={"token": "secret"})
        assert await client.call("echo_ack", "in", namespace="/members") == ["in"]


@scenario("socket.io-protocol v5, multiplexing")
async def connection_has_several_namespaces(stage: Stage) -> None:
    """Several namespaces on one connection, and one of them left"""
    third = "/early" if stage.lacks("auth") else "/members"
    client = await stage.client("/", "/custom", third, auth={"token": "secret"})
    for namespace in ("/", "/custom"):
        assert await client.call("echo_ack", namespace, b"\1", namespace=namespace) == [namespace, b"\1"]
        await client.emit("echo", namespace, namespace=namespace)
        assert await client.receive("echoed", namespace) == [namespace]
    assert len(set(client.ids.values())) == 3
    await client.disconnect("/custom")
    if stage.lacks("leave a namespace"):
        for socket_id in client.ids.values():
            assert await stage.server.reason(socket_id) in stage.goodbyes()
    else:
        assert await stage.server.reason(client.ids["/custom"]) == "client namespace disconnect"
        assert await client.call("echo_ack", "still here") == ["still here"]


@scenario("README, chat")
async def chat_of_the_documentation(stage: Stage) -> None:
    """The chat of the documentation"""
    client = await stage.client("/chat")
    assert await client.receive("system_message", "/chat") == [{"text": "Welcome!"}]
    # Others may talk there at the same time.
    text = f"Hello from {client.ids['/chat']}"
    assert await client.call("chat_message", {"text": text}, namespace="/chat") == [{"status": "ok"}]
    while await client.receive("chat_message", "/chat") != [{"text": text}]:
        pass


async def _numbers(*clients: Client) -> list[list[int]]:
    """What clients have heard. What was broadcast comes before an acknowledgement that is asked for later."""
    for client in clients:
        await client.call("echo_ack")
    return [[args[0] for args in client.heard("hello")] for client in clients]


@scenario("socket.io, rooms")
async def clients_meet_in_rooms(stage: Stage) -> None:
    """Rooms: joined, several at a time, left, without some, and of one client"""
    ann, bob = await stage.client(), await stage.client()
    room = f"room of {ann.id}"
    assert await ann.call("join", room, room + "2") == [sorted([room, room + "2"])]
    assert await bob.call("join", room) == [[room]]
    await ann.call("broadcast", {"room": room}, "hello", 1)
    await ann.call("broadcast", {"room": [room, room + "2"]}, "hello", 2)
    await ann.call("broadcast", {"room": room, "except_": ann.id}, "hello", 3)
    await ann.call("broadcast", {"room": bob.id}, "hello", 4)
    assert await bob.call("leave", room) == [[]]
    await ann.call("broadcast", {"room": room}, "hello", 5)
    assert await _numbers(ann, bob) == [[1, 2, 5], [1, 2, 3, 4]]


@scenario("socket.io, broadcasts")
async def everybody_hears_broadcasts(stage: Stage) -> None:
    """Broadcasts to all of a namespace, to all but some, and with binary data"""
    ann, bob = await stage.client(), await stage.client("/", "/custom")
    event = f"news of {ann.id}"
    await ann.call("broadcast", {}, event, 1, b"\x01", {"é": b"\xff"})
    await ann.call("broadcast", {"except_": ann.id}, event, 2)
    await ann.call("broadcast", {"except_": [ann.id, bob.id]}, event, 3)
    await ann.call("broadcast", {}, event, 4)
    await bob.call("echo_ack")
    assert bob.heard(event) == [[1, b"\x01", {"é": b"\xff"}], [2], [4]]
    assert ann.heard(event) == [[1, b"\x01", {"é": b"\xff"}], [4]]
