"""Tables of log lines: what may be logged stands in one place for each logger, and at the seams only its name."""

from __future__ import annotations

import logging
from enum import Enum
from typing import ClassVar


class LogLines(Enum):
    """The base of such a table. A member is a level and a text with `%` placeholders; a subclass has the `logger`."""

    logger: ClassVar[logging.Logger]

    def __init__(self, level: int, text: str) -> None:
        self.level = level
        self.text = text

    def __init_subclass__(cls, *, logger: logging.Logger) -> None:
        """`logger` is that of all members."""
        super().__init_subclass__()
        cls.logger = logger

    def log(self, *args: object, error: BaseException | None = None) -> None:
        """Logs the line, with the traceback of `error` if there is one, as if the caller had logged it."""
        if self.logger.isEnabledFor(self.level):
            self.logger.log(self.level, self.text, *args, exc_info=error, stacklevel=2)
