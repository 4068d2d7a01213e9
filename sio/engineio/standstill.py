"""Notices that the event loop stood still, by how late its timers are, and says so."""

from __future__ import annotations

import logging
import math
import time

from .session import STANDSTILL

logger = logging.getLogger("sio.engineio")

#: How long nothing more is logged, in seconds: every session has a timer that is late by then.
_QUIET_TIME = 10.0


class StandstillWatch:
    """Told by the timers of all sessions how late they are. It needs no timer, task or thread of its own."""

    def __init__(self) -> None:
        self._quiet_until = -math.inf

    def timer_ran(self, late: float) -> None:
        """A timer ran so many seconds after it was due. The first one of a standstill is the one that is latest."""
        if late < STANDSTILL:
            return
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_TIME
            logger.warning(
                "The event loop stood still for at least %.1f s, and with it every client of this process: a handler, "
                "or other code on the loop, blocks. Wrap what takes its time without await in "
                "asgiref.sync.sync_to_async, or channels.db.database_sync_to_async",
                late,
            )


#: The watch of this process.
watch = StandstillWatch()
