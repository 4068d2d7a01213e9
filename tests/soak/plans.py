"""What the proxy does to a connection: drawn by chance, from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

#: Which way bytes go: `up` is towards the server.
Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Cut:
    """The connection ends: after some seconds, or when so many bytes went in a direction, whichever comes first.

    `how` is `fin` (both halves are closed), `rst` (both are broken) or `half`: only the end in that direction is told
    at once, and the other one after `unnoticed` seconds.
    """

    how: str
    seconds: float
    direction: Direction = "up"
    size: int | None = None
    unnoticed: float = 0.0


@dataclass(frozen=True)
class Stall:
    """Nothing is passed on for some seconds, and then everything."""

    start: float
    seconds: float
    directions: tuple[Direction, ...]


@dataclass(frozen=True)
class Plan:
    """All that happens to one connection."""

    #: Seconds that each chunk is held back.
    delay: float = 0.0
    #: The first `dribbled` bytes of each direction go in pieces of `dribble` bytes.
    dribble: int = 0
    dribbled: int = 0
    stalls: tuple[Stall, ...] = ()
    cut: Cut | None = None


CALM = Plan()


def draw(chance: random.Random, is_websocket: bool) -> Plan:
    """Draws a plan. Troubles are rarer for a request than for a WebSocket, since a session on polling makes many."""
    rare = 1.0 if is_websocket else 0.12
    return Plan(
        delay=chance.uniform(0.01, 0.2) if chance.random() < 0.15 else 0.0,
        dribble=chance.randint(1, 10) if chance.random() < 0.15 else 0,
        dribbled=chance.randint(50, 1500),
        stalls=(_draw_stall(chance),) if chance.random() < 0.2 * rare else (),
        cut=_draw_cut(chance, is_websocket) if chance.random() < 0.35 * rare else None,
    )


def _draw_stall(chance: random.Random) -> Stall:
    """About one in three outlasts the heartbeat."""
    both: tuple[Direction, ...] = ("up", "down")
    directions = chance.choice([("up",), ("down",), both])
    seconds = chance.uniform(3, 5) if chance.random() < 0.35 else chance.uniform(0.1, 1)
    return Stall(chance.uniform(0, 1.5), seconds, directions)


def _draw_cut(chance: random.Random, is_websocket: bool) -> Cut:
    return Cut(
        how=chance.choice(["fin", "rst", "half"]),
        seconds=chance.uniform(0.05, 5 if is_websocket else 1.5),
        direction=chance.choice(["up", "down"]),
        size=chance.randint(1, 6000) if chance.random() < 0.5 else None,
        unnoticed=chance.uniform(0.5, 5),
    )
