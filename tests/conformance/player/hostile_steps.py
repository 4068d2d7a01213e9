"""Steps of clients that mean harm, or are out of luck."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import connect

from ..http import control
from ..wire import Ended, Packet, WebSocket
from .actors import Actor, Player
from .registry import Unexpected, compare, step
from .text import to_bytes

#: What the client of a session gets that the Socket.IO layer closes; the Engine.IO layer ends one at once.
_LAST_PACKETS = {"forced close": ["6", "1"], "forced server close": ["6", "1"]}


@step("over")
async def over(player: Player, actor: Actor, rest: str) -> str:
    """`over <reason>`: the session is over for that reason. Its client gets nothing more than its end, and its
    disconnect hook, if it joined a namespace, ran once.
    """
    session = actor.member
    *packets, end = await session.drain()
    is_websocket = isinstance(session, WebSocket)
    compare(player, "closed 1005" if is_websocket else 'ended with 400 | application/json | {"code":1,{*}}', str(end))
    # A poll that waits gets the close alone.
    if packets not in ([[]] if is_websocket else [_LAST_PACKETS.get(rest, []), ["1"]]):
        raise Unexpected(str(packets))
    return await _hooked_once(player, session.id, rest) if session.id else ""


async def _hooked_once(player: Player, socket_id: str, reason: str) -> str:
    seen = compare(player, reason, await player.server.reason(socket_id))
    await control(player.server, "sessions")
    hooks = player.server.hooks(socket_id, "disconnect")
    assert len(hooks) == 1, hooks
    return seen


@step("send-many")
async def send_many(player: Player, actor: Actor, rest: str) -> str:
    """`send-many <count> <packet>`: sends as many packets, by polling in one payload. `{n}` counts them."""
    count, packet = rest.split(" ", 1)
    await actor.member.send(*(packet.replace("{n}", str(number)) for number in range(int(count))))
    return ""


@step("receive-many")
async def receive_many(player: Player, actor: Actor, rest: str) -> str:
    """`receive-many <count> <packet>`: waits for as many packets. `{n}` counts them."""
    count, packet = rest.split(" ", 1)
    for number in range(int(count)):
        seen: Packet | Ended = await actor.member.receive_or_end()
        if seen != packet.replace("{n}", str(number)):
            raise Unexpected(f"{number}: {seen!r}")
    return ""


@step("write-bytewise")
async def write_bytewise(player: Player, actor: Actor, rest: str) -> str:
    """`write-bytewise <bytes>`: writes them to the TCP connection one by one."""
    for byte in to_bytes(rest):
        await actor.connection.write(bytes([byte]))
    return ""


@step("forgive")
async def forgive(player: Player, actor: Actor, rest: str) -> str:
    """`forgive <text>`: a trouble in the log with this text is the ASGI server's own."""
    player.server.forgive(rest)
    return ""


class _Compressing(WebSocket):
    async def connect(self, target: str) -> _Compressing:
        self._connection = await connect(
            f"ws://127.0.0.1:{self.server.port}{target}", compression="deflate", ping_interval=None, max_size=None
        )
        return self


@step("ws-deflate")
async def deflating_websocket(player: Player, actor: Actor, rest: str) -> str:
    """`ws-deflate`: opens a session on a WebSocket that compresses, if the server does."""
    actor.session = await player.keep(_Compressing(player.server)).open()
    return ""


@step("expect-any")
async def expect_any(player: Player, actor: Actor, rest: str) -> str:
    """`expect-any <status>…`: nothing more is written, and the answer has one of these statuses, or is none: `end`."""
    await control(player.server, "sessions")  # whatever it has to say without more, it has said
    try:
        await actor.connection.write_eof()
        status = str((await actor.connection.response()).status)
    except (OSError, asyncio.IncompleteReadError, IndexError):  # IndexError: it speaks no HTTP
        status = "end"
    if status not in rest.split():
        raise Unexpected(status)
    return status


@step("logged")
async def logged(player: Player, actor: Actor, rest: str) -> str:
    """`logged <text>`: a line of the log has this text. It may be older than the transcript: what a client can have
    logged again and again is told once, and then counted.
    """
    await control(player.server, "sessions")
    assert any(rest in line for line in player.server.lines), player.server.lines[player.first_line :]
    return ""


@step("send-joined")
async def send_joined(player: Player, actor: Actor, rest: str) -> str:
    """`send-joined <count> <start> | <part> | <end>`: sends a packet with as many parts. `{n}` counts them."""
    count, packet = rest.split(" ", 1)
    start, part, end = packet.split(" | ")
    parts = (part.replace("{n}", str(number)) for number in range(int(count)))
    await actor.member.send("".join([start, *parts, end]))
    return ""


@step("expect-status")
async def expect_status(player: Player, actor: Actor, rest: str) -> str:
    """`expect-status <status>`: waits for an answer with the status. The body may be the ASGI server's own."""
    response = await actor.connection.response()
    if str(response.status) != rest:
        raise Unexpected(str(response))
    return rest


@step("write-many")
async def write_many(player: Player, actor: Actor, rest: str) -> str:
    """`write-many <count> <bytes>`: writes them so often beneath the WebSocket, and waits until they are out."""
    count, data = rest.split(" ", 1)
    assert isinstance(actor.session, WebSocket)
    transport = actor.session.connection.transport
    for _ in range(int(count) // 100):
        transport.write(to_bytes(data) * 100)
        await asyncio.sleep(0)
    return ""


@step("closed-somehow")
async def closed_somehow(player: Player, actor: Actor, rest: str) -> str:
    """`closed-somehow`: the WebSocket is over, with nothing before that. The code is the ASGI server's affair."""
    seen = await actor.member.drain()
    if len(seen) != 1 or not isinstance(actor.session, WebSocket):
        raise Unexpected(str(seen))
    return ""
