"""Why a client left: each of the nine reasons, caused for real, as the `disconnect` hook gets it, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from .http import control
from .wire import TRANSPORTS, Polling, WebSocket, Wire

Cause = Callable[[Wire, Any], Awaitable[Any]]


async def silence(wire: Wire, session: Any) -> None:
    """The ping is not answered."""


async def drop(wire: Wire, session: Polling | WebSocket) -> None:
    if isinstance(session, WebSocket):
        session.reset()
    else:
        (await session.start_get()).reset()


async def overlap(wire: Wire, session: Polling) -> None:
    await session.start_get()
    await session.get()


async def leave(wire: Wire, session: Polling | WebSocket) -> None:
    await (session.close() if isinstance(session, WebSocket) else session.post("1"))


async def oversize(wire: Wire, session: WebSocket) -> None:
    await session.send("4" + "x" * 1_000_000)


async def octets(wire: Wire, session: Polling) -> None:
    await session.post("4", {"Content-Type": "application/octet-stream"})


def sending(*packets: str | bytes) -> Cause:
    async def send(wire: Wire, session: Polling | WebSocket) -> None:
        await session.send(*packets)

    return send


BOTH, POLLING, WEBSOCKET = TRANSPORTS, ("polling",), ("websocket",)

CAUSES: dict[str, tuple[Cause, tuple[str, ...], str]] = {
    "client that disconnects": (sending("41"), BOTH, "client namespace disconnect"),
    "server that disconnects the namespace": (sending('42["bye"]'), BOTH, "server namespace disconnect"),
    "server that closes": (sending('42["bye",true]'), BOTH, "server namespace disconnect"),
    "client that leaves": (leave, BOTH, "transport close"),
    "WebSocket that drops": (drop, WEBSOCKET, "transport close"),
    "poll that drops": (drop, POLLING, "transport error"),
    "two polls": (overlap, POLLING, "transport error"),
    "octets": (octets, POLLING, "transport error"),
    "frame that is too big": (oversize, WEBSOCKET, "transport error"),
    "ping of the client": (sending("2"), BOTH, "transport error"),
    "malformed Engine.IO packet": (sending("x"), BOTH, "parse error"),
    "malformed Socket.IO packet": (sending("42{}"), BOTH, "forced close"),
    "second connect": (sending("40"), BOTH, "forced server close"),
}


@pytest.mark.parametrize(
    ("cause", "transport"),
    [(cause, transport) for cause, (_, transports, _) in CAUSES.items() for transport in transports],
)
async def test_hook_gets_the_reason_once(cause: str, transport: str, wire: Wire) -> None:
    act, _, reason = CAUSES[cause]
    session = await wire.member(transport)
    await act(wire, session)
    assert await wire.server.reason(session.id) == reason
    await is_over(wire, session)


async def is_over(wire: Wire, session: Polling | WebSocket) -> None:
    """Nothing that may still come of it runs the hook again."""
    await session.close()
    await control(wire.server, "sessions")
    assert len(wire.server.hooks(session.id, "disconnect")) == 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_hook_gets_ping_timeout_once(transport: str, hasty_wire: Wire) -> None:
    session = await hasty_wire.member(transport)
    assert await hasty_wire.server.reason(session.id) == "ping timeout"
    await is_over(hasty_wire, session)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_hooks_of_all_namespaces_run(transport: str, wire: Wire) -> None:
    session = await wire.session(transport)
    namespaces = ("/", "/custom", "/members", "/bare")
    ids = [await session.join(namespace, {"token": "secret"}) for namespace in namespaces]
    await leave(wire, session)
    assert [await wire.server.reason(socket_id) for socket_id in ids] == ["transport close"] * 4


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_hook_knows_the_rooms_that_the_client_was_in(transport: str, wire: Wire) -> None:
    session, other = await wire.member(transport), await wire.member("websocket")
    await session.call("join", "b", "a")
    await session.send("41")
    assert (await wire.server.hook(session.id, "disconnect"))["rooms"] == ["a", "b"]
    assert await other.call("broadcast", {"room": "a"}, "nobody is here") == [True]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_pending_call_fails_at_once_when_the_client_leaves(transport: str, wire: Wire) -> None:
    session = await wire.member(transport)
    await session.emit("call", 60, "are you there?")
    await session.receive()
    await leave(wire, session)
    assert (await wire.server.hook(session.id, "call"))["error"] == "Disconnected"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_that_was_refused_has_no_hook_and_no_rooms(transport: str, wire: Wire) -> None:
    session, ghost = await wire.session(transport), await wire.member("websocket", "/ghost", {"please": True})
    await session.send("40/ghost,")
    assert await session.receive() == '44/ghost,{"message":"Not authorized"}'
    await ghost.emit("broadcast", {"room": "ghosts"}, "boo", namespace="/ghost")
    assert await ghost.event() == ["boo"]
    await session.join()
    assert await session.call("echo_ack", "nothing came before this") == ["nothing came before this"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_that_leaves_while_the_hook_decides_is_forgotten(transport: str, wire: Wire) -> None:
    session, other = await wire.session(transport), await wire.member("websocket")
    gate = f"left {transport}"
    await session.send(f'40/gated,{{"gate":"{gate}"}}')
    asked = await wire.server.report(hook="asked", gate=gate)
    await leave(wire, session)
    await other.emit("release", gate)
    await wire.server.hook(asked["id"], "connect")  # the hook runs to its end
    assert await other.call("broadcast", {"room": "gated", "namespace": "/gated"}, "nobody is here") == [True]
    assert wire.server.hooks(asked["id"], "disconnect") == []
