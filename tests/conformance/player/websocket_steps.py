"""Steps of WebSockets, and of broken connections."""

from __future__ import annotations

from ..http import Response
from ..wire import WebSocket
from .actors import Actor, Player
from .registry import Unexpected, step


@step("ws")
async def websocket(player: Player, actor: Actor, rest: str) -> str:
    """`ws <target>`: opens a WebSocket, which is accepted."""
    await connected(player, actor, player.target(rest))
    return ""


async def connected(player: Player, actor: Actor, target: str) -> WebSocket:
    """Opens a WebSocket, which is the actor's session from now on. Raises Unexpected if it is refused."""
    websocket = player.keep(WebSocket(player.server, actor.headers))
    answer = await websocket.try_connect(target)
    if isinstance(answer, Response):
        raise Unexpected(str(answer))
    actor.session = websocket
    return websocket


@step("ws-refused")
async def refused_websocket(player: Player, actor: Actor, rest: str) -> str:
    """`ws-refused <target>`: asks for a WebSocket, and is refused. `expect` says how."""
    answer = await player.keep(WebSocket(player.server, actor.headers)).try_connect(player.target(rest))
    if isinstance(answer, WebSocket):
        raise Unexpected("accepted")
    actor.response_of_websocket = answer
    return ""


@step("reset")
async def reset(player: Player, actor: Actor, rest: str) -> str:
    """`reset`: breaks the actor's connection, as a client that is killed does; `close` closes it."""
    (actor.session if isinstance(actor.session, WebSocket) else actor.connection).reset()
    return ""


@step("close")
async def close(player: Player, actor: Actor, rest: str) -> str:
    await (actor.session if isinstance(actor.session, WebSocket) else actor.connection).close()
    return ""
