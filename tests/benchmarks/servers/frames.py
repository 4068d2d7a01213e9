"""The frames of the protocol as constants and slices, for servers that speak them by hand: nothing is parsed."""

from __future__ import annotations

import itertools
import json

from .options import PING_INTERVAL_MS

PING = "2"
PONG = "3"
CONNECT = "40"
JOIN = '["join"]'
ECHO = '["echo",'
BROADCAST = '42["broadcast",'

_counter = itertools.count()
_OPEN = json.dumps({"upgrades": [], "pingInterval": PING_INTERVAL_MS, "pingTimeout": 20_000, "maxPayload": 1_000_000})


def next_sid() -> str:
    return str(next(_counter))


def open_packet(sid: str) -> str:
    return f'0{{"sid":"{sid}",{_OPEN[1:]}'


def answer(frame: str) -> str:
    """Returns the answer to a CONNECT, or to an `echo` or a `join` with its id."""
    if frame == CONNECT:
        return f'40{{"sid":"{next_sid()}"}}'
    start = frame.index("[")
    if frame.startswith(ECHO, start):
        return f"43{frame[2:start]}[{frame[start + len(ECHO) :]}"
    return f"43{frame[2:start]}[]"


def news(frame: str) -> str:
    """Returns what the room gets of a `broadcast`."""
    return f'42["news",{frame[len(BROADCAST) :]}'


def binary_ack(frame: str) -> str:
    """Returns the acknowledgement of an `echo` whose only argument is an attachment."""
    start = frame.index("[")
    return f"461-{frame[4:start]}[{frame[start + len(ECHO) :]}"
