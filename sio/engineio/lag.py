"""Notices that the event loop stood still, by how late its timers are, and says so."""

from __future__ import annotations

import math
import time

from .log import Log
from .protocol.session import LAG

#: How long nothing more is logged, in seconds: every session has a timer that is late by then.
_QUIET_TIME = 10.0


class LagWatch:
    """Hears from the timers of all sessions how late they are. It needs no timer, task or thread of its own."""

    def __init__(self) -> None:
        self._quiet_until = -math.inf

    def timer_ran(self, late: float) -> None:
        """A timer ran so many seconds after it was due. The first one after a lag is the one that is latest."""
        if late < LAG:
            return
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_TIME
            Log.LOOP_LAG.log(late)
