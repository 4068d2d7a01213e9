"""Steps that are about the server itself."""

from __future__ import annotations

from ..http import control as ask
from .actors import Actor, Player
from .registry import step


@step("own-server")
async def own_server(player: Player, actor: Actor, rest: str) -> str:
    """`own-server`: starts a server that only this transcript uses. Must be the first step."""
    await player.own_server()
    return ""


@step("control")
async def control(player: Player, actor: Actor, rest: str) -> str:
    """`control <command>`: tells the server something behind its clients' backs; see `project/control.py`."""
    return str(await ask(player.server, rest))
