"""The table of endings, by name. Each is a function that opens sessions of an application and sees them end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

#: Longer than all timeouts of a session, one after the other, in seconds of virtual time.
A_WHILE = 300

Ending: TypeAlias = Callable[[Any], Awaitable[None]]
ENDINGS: dict[str, Ending] = {}


def ending(function: Ending) -> Ending:
    """Adds a function to the table."""
    ENDINGS[function.__name__] = function
    return function
