"""Keeps what clients can cause again and again from filling the log: it is told once in full, and then in numbers."""

from __future__ import annotations

import asyncio
import logging

#: How often a number is logged, and how long something must not happen to be news again, in seconds.
_INTERVAL = 10.0
#: Different messages that are counted at a time. Clients may choose some of their words.
_MAX_MESSAGES = 100
_OTHERS = "others of this kind"


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
