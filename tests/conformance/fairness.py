"""Whether the machine let the processes of a test run.

Where timers are short, a client that is kept from running for longer than one is a client that is late, and the server
does right if it ends its session. Linux counts for each thread how long it could have run and did not.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from .servers import HASTY, Server

T = TypeVar("T")

#: How long both sides together may be kept waiting while the shortest timers run, in seconds.
TOLERANCE = HASTY["SIO_ENGINEIO_PING_TIMEOUT_MS"] / 1000 / 4
#: On a machine that is too busy for each of these, a failure is one.
ATTEMPTS = 6


def kept_waiting(pid: int) -> float:
    """How long the threads of a process have been kept from running so far, in seconds. Elsewhere than on Linux: 0."""
    threads = (Path("/proc") / str(pid) / "task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[1]) for thread in threads) / 1e9


async def fairly(play: Callable[[], Awaitable[T]], server: Server) -> T:
    """Awaits `play()`, which depends on short timers. If it fails while the machine kept it or the server waiting, that
    shows nothing, and it is done again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        before = _kept_waiting(server)
        try:
            return await play()
        except AssertionError:
            if attempt == ATTEMPTS or not server.is_running or _kept_waiting(server) - before < TOLERANCE:
                raise
    raise AssertionError("unreachable")


def _kept_waiting(server: Server) -> float:
    return kept_waiting(os.getpid()) + kept_waiting(server.process.pid)
