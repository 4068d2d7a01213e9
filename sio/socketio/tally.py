"""Counts what goes wrong, and logs it now and then: who causes it must not fill the log with it."""

from __future__ import annotations

import logging
import math
import time

#: How long nothing more is logged, in seconds.
QUIET_TIME = 10.0


class Tally:
    """A count, with a line in the log for what is counted: for the first, and then at most every ten seconds."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self.count = 0
        self._logger = logger
        self._what = what
        self._quiet_until = -math.inf

    def add(self, detail: object) -> None:
        """One more. `detail` is logged if this one is."""
        self.count += 1
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_TIME
            shown = repr(detail) if isinstance(detail, BaseException) else detail
            self._logger.warning("%s (%d so far): %s", self._what, self.count, shown)
