"""Which sockets an operation is for."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """The sockets of a namespace that are in any of `rooms` (None: all of them), and in none of `except_`."""

    namespace: str
    rooms: frozenset[str] | None = None
    except_: frozenset[str] = frozenset()
    #: Only sockets of this process.
    local: bool = False
    #: Only sockets to which an event can leave at once.
    volatile: bool = False
