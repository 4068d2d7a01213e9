"""Steps of a session, whatever its transport."""

from __future__ import annotations

import json

from ..http import control
from ..wire import Ended, Polling, Session, WebSocket, mask
from .actors import Actor, Player
from .registry import Unexpected, compare, step
from .websocket_steps import connected

UNKNOWN_SID = '400 | application/json | {"code":1,"message":"Session ID unknown"}'


@step("open")
async def open_session(player: Player, actor: Actor, rest: str) -> str:
    """`open [polling|websocket]`: opens a session, on the transport of the transcript."""
    session_class = Polling if (rest or player.transport) == "polling" else WebSocket
    session = player.keep(session_class(player.server, actor.headers))
    actor.session = await session.open(f"?EIO=4&transport={rest or player.transport}")
    player.name(actor, "sid", session.sid)
    return mask(session.handshake)


@step("join")
async def join(player: Player, actor: Actor, rest: str) -> str:
    """`join [namespace [auth]]`: joins a namespace, and is answered at once."""
    namespace, _, auth = rest.partition(" ")
    await actor.member.join(namespace or "/", json.loads(auth) if auth else None)
    player.name(actor, "id", actor.member.id)
    return ""


@step("member")
async def member(player: Player, actor: Actor, rest: str) -> str:
    """`member [namespace [auth]]`: opens a session, and joins a namespace."""
    await open_session(player, actor, "")
    return await join(player, actor, rest)


@step("send")
async def send(player: Player, actor: Actor, rest: str) -> str:
    """`send <packet>`: sends a packet of Engine.IO, whatever the transport; `send-bytes <hex>` one of binary data."""
    return str(await actor.member.send(rest) or "")


@step("send-bytes")
async def send_bytes(player: Player, actor: Actor, rest: str) -> str:
    return str(await actor.member.send(bytes.fromhex(rest)) or "")


@step("receive")
async def receive(player: Player, actor: Actor, rest: str) -> str:
    """`receive <packet>`: waits for a packet; `receive-bytes <hex>` for one of binary data.

    Pings are answered, unless a ping is what is expected: then the answer is a step of its own.
    """
    return compare(player, rest, await _next(actor.member, skip_pings=rest != "2"))


@step("receive-bytes")
async def receive_bytes(player: Player, actor: Actor, rest: str) -> str:
    return compare(player, f"bytes {rest}".rstrip(), await _next(actor.member, skip_pings=True))


async def _next(session: Session, *, skip_pings: bool) -> str:
    try:
        packet = await (session.receive() if skip_pings else session.next_packet())
    except Ended as end:
        raise Unexpected(str(end)) from None
    return packet if isinstance(packet, str) else f"bytes {packet.hex(' ')}".rstrip()


@step("closed")
async def closed(player: Player, actor: Actor, rest: str) -> str:
    """`closed [code]`: the session is over, with nothing before that. Without a code: a bare close of a WebSocket, and
    for polling, that its sid is unknown.
    """
    try:
        packet = await actor.member.receive()
    except Ended as end:
        code = rest or ("1005" if isinstance(actor.member, WebSocket) else "")
        over = (
            f"closed {code}"
            if code
            else 'ended with 400 | application/json | {"code":1,"message":"Session ID unknown"}'
        )
        return compare(player, over, str(end))
    raise Unexpected(mask(packet))


@step("ends")
async def ends(player: Player, actor: Actor, rest: str) -> str:
    """`ends`: the server closes the session, and sent nothing else before: a WebSocket is closed; a poll that comes
    later gets a noop and the close packet, and after it the sid is unknown.
    """
    if isinstance(actor.member, Polling):
        for packet in ("6", "1"):
            compare(player, packet, await _next(actor.member, skip_pings=True))
    return await closed(player, actor, "")


@step("gone")
async def gone(player: Player, actor: Actor, rest: str) -> str:
    """`gone`: waits until the session is over, as a client on polling notices that only sends."""
    while (answer := await actor.member.send("6")) is not None:
        if answer.body not in (b"ok", b""):  # without a body: it ended while that was read
            return compare(player, UNKNOWN_SID, str(answer))
    raise Unexpected("not a session on polling")


@step("alive")
async def alive(player: Player, actor: Actor, rest: str) -> str:
    """`alive`: the session is served, and got nothing else before."""
    player.fences += 1
    await actor.member.send(f'429{player.fences}["echo_ack","alive"]')
    return compare(player, f'439{player.fences}["alive"]', await _next(actor.member, skip_pings=True)) and "alive"


@step("upgrade")
async def upgrade(player: Player, actor: Actor, rest: str) -> str:
    """`upgrade`: moves the actor's session from polling to WebSocket, the whole way."""
    before = actor.member
    websocket = await connected(player, actor, player.target(f"?EIO=4&transport=websocket&sid={before.sid}"))
    await websocket.send("2probe")
    answer = await _next(websocket, skip_pings=False)
    await websocket.send("5")
    websocket.sid, websocket.id = before.sid, before.id
    return compare(player, "3probe", answer)


@step("reason")
async def reason(player: Player, actor: Actor, rest: str) -> str:
    """`reason <text>`: why the session ended, as the server's disconnect hook of its last namespace was told."""
    return compare(player, rest, await player.server.reason(actor.member.id))


@step("hook")
async def hook(player: Player, actor: Actor, rest: str) -> str:
    """`hook <name> <details as JSON>`: waits for a hook of the server to report. Names the socket, if the actor joined
    none yet.
    """
    name, _, details = rest.partition(" ")
    report = await player.server.report(hook=name, **json.loads(details or "{}"))
    if actor.session is not None and not actor.session.id:
        actor.session.id = report["id"]
        player.name(actor, "id", report["id"])
    return ""


@step("no-hook")
async def no_hook(player: Player, actor: Actor, rest: str) -> str:
    """`no-hook <name> <socket id>`: a hook of that name has not reported of the socket so far."""
    name, _, socket_id = rest.partition(" ")
    if reports := player.server.hooks(socket_id, name):
        raise Unexpected(str(reports))
    return ""


@step("sync")
async def sync(player: Player, actor: Actor, rest: str) -> str:
    """`sync`: the server has taken what was sent so far, on any connection."""
    await control(player.server, "sessions")
    return ""
