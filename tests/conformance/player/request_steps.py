"""Steps of HTTP requests, and of connections that are written to by hand."""

from __future__ import annotations

import asyncio
from functools import partial

from ..http import Connection, Response, control, polled
from ..wire import WebSocket, mask
from .actors import Actor, Player
from .registry import Unexpected, compare, step
from .text import to_bytes


@step("header")
async def header(player: Player, actor: Actor, rest: str) -> str:
    """`header <name>: <value>`: in all requests of the actor from now on. Without a value: not even the usual one."""
    name, _, value = rest.partition(":")
    actor.headers[name] = value.strip()
    return ""


async def _request(method: str, player: Player, actor: Actor, rest: str) -> str:
    """`<method> <target> [<- <body>]`: sends a request. The target may be just a query."""
    target, _, body = rest.partition(" <- ")
    actor.request = player.keep(await Connection.open(player.server))
    await actor.request.send(method, player.target(target), to_bytes(body), actor.headers)
    return ""


for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
    step(method)(partial(_request, method))


@step("poll")
async def poll(player: Player, actor: Actor, rest: str) -> str:
    """`poll [sid]`: begins a poll of the session, or of another, and returns when the server has it."""
    sid = rest or player.variables["sid"]
    await _request("GET", player, actor, f"?EIO=4&transport=polling&sid={sid}")
    await polled(actor.connection, player.server, sid)
    return ""


@step("post")
async def post(player: Player, actor: Actor, rest: str) -> str:
    """`post <payload>`: sends a payload in the session."""
    return await _request("POST", player, actor, f"?EIO=4&transport=polling&sid={player.variables['sid']} <- {rest}")


@step("begin-post")
async def begin_post(player: Player, actor: Actor, rest: str) -> str:
    """`begin-post <header>: <value>`: begins a POST in the session, whose body is for `write` to send."""
    name, _, value = rest.partition(":")
    actor.request = player.keep(await Connection.open(player.server))
    target = player.target(f"?EIO=4&transport=polling&sid={player.variables['sid']}")
    await actor.request.send("POST", target, b"", {**actor.headers, "Content-Length": "", name: value.strip()})
    await control(player.server, "sessions")
    return ""


@step("tcp")
async def tcp(player: Player, actor: Actor, rest: str) -> str:
    """`tcp`: opens a connection, on which `write` says everything."""
    actor.request = player.keep(await Connection.open(player.server))
    return ""


@step("write")
async def write(player: Player, actor: Actor, rest: str) -> str:
    """`write <bytes>`: writes to the connection: the TCP connection, or beneath the WebSocket."""
    if isinstance(actor.session, WebSocket):
        actor.session.connection.transport.write(to_bytes(rest))
    else:
        await actor.connection.write(to_bytes(rest))
    return ""


@step("expect")
async def expect(player: Player, actor: Actor, rest: str) -> str:
    """`expect <status> [<body>]`: waits for the answer to the actor's request. Without a body, that is empty."""
    actor.response = response = actor.response_of_websocket or await actor.connection.response()
    status, _, body = rest.partition(" ")
    if str(response.status) != status:
        raise Unexpected(str(response))
    seen = response.body.decode(errors="surrogateescape")
    masked = compare(player, body, seen)
    return mask(str(Response(response.status, response.headers, to_bytes(masked))))


@step("expect-header")
async def expect_header(player: Player, actor: Actor, rest: str) -> str:
    """`expect-header <name>: <value>`: in the answer that `expect` got. Without a value: the header is not there."""
    name, _, value = rest.partition(":")
    assert actor.response is not None, "nothing was expected yet"
    return compare(player, value.strip(), actor.response.headers.get(name.lower(), ""))


@step("expect-end")
async def expect_end(player: Player, actor: Actor, rest: str) -> str:
    """`expect-end`: the connection is closed without an answer, or with one that is no success."""
    try:
        response = await actor.connection.response()
    except (ConnectionError, asyncio.IncompleteReadError):
        return ""
    if response.status < 400:
        raise Unexpected(str(response))
    return ""
