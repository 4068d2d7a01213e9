"""What clients do on the wire, good and bad. Each script notes what it saw; `test_wire_reference.py` compares that.

A script is a coroutine function that takes a `Wire`. One that does the same on both transports takes the transport's
name too, and counts as two scripts; one that goes through a table takes a row of it, and counts as many.
"""

from . import engineio, events, malformed, namespaces, requests, sessions, timers, upgrade
from .registry import HASTY_SCRIPTS, SCRIPTS, Script

__all__ = [
    "HASTY_SCRIPTS",
    "SCRIPTS",
    "Script",
    "engineio",
    "events",
    "malformed",
    "namespaces",
    "requests",
    "sessions",
    "timers",
    "upgrade",
]
