"""Keeps what clients can cause again and again from filling the log."""

from __future__ import annotations

import asyncio
import logging
import math
import time

#: How often a number is logged, and how long something must not happen to be news again, in seconds.
_INTERVAL = 10.0
#: Different messages that are counted at a time. Clients may choose some of their words.
_MAX_MESSAGES = 100
_OTHERS = "others of this kind"
#: Keys that `Once` remembers, and so lines that are logged: clients choose most of them.
_MAX_KEYS = 20


class Once:
    """Says what is new. When it remembers as many keys as it may, nothing is new any more."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def is_new(self, key: str) -> bool:
        """Whether it is asked for this key for the first time."""
        if key in self._keys or len(self._keys) >= _MAX_KEYS:
            return False
        self._keys.add(key)
        return True


class Repeats:
    """Logs each message once, with its traceback if it has one. If it comes again, it is counted; the number is logged
    every ten seconds, until it stops.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._loop: asyncio.AbstractEventLoop | None = None
        #: How often each message came since it was logged, or its number was.
        self._counts: dict[str, int] = {}

    def error(self, message: str, error: BaseException) -> None:
        """Logs an exception. Others of the same type, with the same message, are its repeats."""
        name = type(error).__name__
        if self._is_new(f"{message}: {name}", logging.ERROR):
            self._logger.error(message, exc_info=error)

    def warning(self, message: str, cause: object = "") -> None:
        """Logs a warning. `cause` is logged with it, and may differ from one repeat to the next."""
        if self._is_new(message, logging.WARNING):
            self._logger.warning("%s%s", message, f" ({cause})" if cause else "")

    def _is_new(self, message: str, level: int) -> bool:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # of a server that was started after another one ended, with its timers
            self._loop, self._counts = loop, {}
        if message not in self._counts and len(self._counts) >= _MAX_MESSAGES:
            message = _OTHERS
        if message in self._counts:
            self._counts[message] += 1
            return False
        self._counts[message] = 0
        loop.call_later(_INTERVAL, self._report, message, level)
        return True

    def _report(self, message: str, level: int) -> None:
        if self._loop is not asyncio.get_running_loop():
            return  # another server has begun anew
        assert self._loop is not None
        count = self._counts[message]
        if not count:
            del self._counts[message]
            return
        self._logger.log(level, "%d more times in the last %d s: %s", count, _INTERVAL, message)
        self._counts[message] = 0
        self._loop.call_later(_INTERVAL, self._report, message, level)


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
            self._quiet_until = now + _INTERVAL
            shown = repr(detail) if isinstance(detail, BaseException) else detail
            self._logger.warning("%s (%d so far): %s", self._what, self.count, shown)
