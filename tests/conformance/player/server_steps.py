"""Steps that are about the server itself."""

from __future__ import annotations

import time

from ..http import alarm
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


@step("wait")
async def wait(player: Player, actor: Actor, rest: str) -> str:
    """`wait <milliseconds>`: until a timer of the server's own that begins now has run out."""
    await alarm(player.server, int(rest))
    return ""


@step("watch")
async def watch(player: Player, actor: Actor, rest: str) -> str:
    """`watch`: from this moment on, the least times of `between` are counted."""
    player.watched = time.monotonic()
    return ""
