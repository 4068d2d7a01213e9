"""What is logged of the channel layer: that it fails, that it works again, and what it loses."""

from __future__ import annotations

import logging
from typing import Final

from ..aio.log_lines import LogLines

logger: Final = logging.getLogger("sio.channel_layer")


class Log(LogLines, logger=logger):
    """The lines of the logger `sio.channel_layer`."""

    FAILED = logging.WARNING, "The channel layer failed (%r): broadcasts reach this process only"
    LOST = (
        logging.WARNING,
        "The channel layer lost a message of this process to itself: it was flushed, or is overloaded. Broadcasts of "
        "other processes may not have arrived; the memberships of this one are made anew",
    )
    WORKS_AGAIN = logging.WARNING, "The channel layer works again: broadcasts reach all processes"
