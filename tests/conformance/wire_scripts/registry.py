"""Where scripts are registered, and what they share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from ..wire import TRANSPORTS, Session, Wire

Script = Callable[[Wire], Awaitable[None]]

#: The scripts by their name, and those that wait for timers, which run on servers with short ones.
SCRIPTS: dict[str, Script] = {}
HASTY_SCRIPTS: dict[str, Script] = {}


def script(function: Script) -> Script:
    SCRIPTS[function.__name__] = function
    return function


def hasty(function: Script) -> Script:
    HASTY_SCRIPTS[function.__name__] = function
    return function


def on_both(function: Callable[[Wire, str], Awaitable[None]]) -> Any:
    """For a script that does the same on both transports."""
    for transport in TRANSPORTS:
        SCRIPTS[f"{function.__name__} on {transport}"] = partial(function, transport=transport)
    return function


def for_each(rows: Mapping[str, Any]) -> Callable[[Callable[..., Awaitable[None]]], Any]:
    """For a script that does the same with each row of a table."""

    def register(function: Callable[..., Awaitable[None]]) -> Any:
        for name, row in rows.items():
            SCRIPTS[f"{function.__name__}: {name}"] = partial(function, row=row)
        return function

    return register


async def note_end(wire: Wire, session: Session) -> None:
    """Notes all that comes until the session ends, and the reason that the server's hook gets if it was joined."""
    wire.note(await session.drain())
    if session.id:
        wire.note(await wire.server.reason(session.id))


async def note_end_after_hook(wire: Wire, session: Session) -> None:
    """The same for a session of which the server must first notice that it ends."""
    wire.note(await wire.server.reason(session.id))
    wire.note(await session.drain())
