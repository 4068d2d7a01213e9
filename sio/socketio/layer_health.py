"""What is known of a channel layer: which of its uses work, and what the log says of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from enum import Enum, auto

from .layer_calls import Pause

logger = logging.getLogger("sio.channel_layer")


class Use(Enum):
    """What a layer is used for. One can fail while another works: subscriptions outlive what publishes."""

    SEND = auto()
    JOIN = auto()
    READ = auto()


class Health:
    """Keeps what is in doubt. A failure of one use casts doubt on all; each has to show by itself that it works.

    `on_doubt` is called whenever memberships come into doubt: they have to be made anew.
    """

    def __init__(self, on_doubt: Callable[[], None] | None = None) -> None:
        #: Whether the process is in groups: else it sends only, and nothing else can be in doubt.
        self.has_groups = False
        self._doubted: set[Use] = set()
        self._on_doubt = on_doubt
        #: When a process without groups tries again to send, on the clock of event loops.
        self._pause = Pause()
        self._retry_at = 0.0

    @property
    def is_up(self) -> bool:
        """Whether nothing is known to be wrong with the layer."""
        return not self._doubted

    @property
    def is_worth_a_try(self) -> bool:
        """Whether to send. While that fails, a process in groups finds out by itself when it works again; in another
        one, somebody has to try now and then.
        """
        if Use.SEND not in self._doubted:
            return True
        return not self.has_groups and asyncio.get_running_loop().time() >= self._retry_at

    def failed(self, error: Exception) -> None:
        """The layer raised, or did not answer."""
        if self.is_up:
            logger.warning("The channel layer failed (%r): broadcasts reach this process only", error)
        self._doubt(Use if self.has_groups else [Use.SEND])
        self._retry_at = asyncio.get_running_loop().time() + self._pause.take()

    def lost(self) -> None:
        """A message that this process sent to itself did not come back, though the layer raised nothing."""
        if self.is_up:
            logger.warning(
                "The channel layer lost a message of this process to itself: it was flushed, or is overloaded. "
                "Broadcasts of other processes may not have arrived; the memberships of this one are made anew"
            )
        self._doubt([Use.JOIN, Use.READ])

    def works(self, *uses: Use) -> None:
        """These uses work."""
        if self._doubted:
            self._doubted.difference_update(uses)
            if self.is_up:
                self._pause.reset()
                logger.warning("The channel layer works again: broadcasts reach all processes")

    def left_groups(self) -> None:
        """The process is in no group any more, so nothing is wrong with its memberships."""
        self.has_groups = False
        self._doubted -= {Use.JOIN, Use.READ}

    def _doubt(self, uses: Iterable[Use]) -> None:
        new = set(uses) - self._doubted
        self._doubted |= new
        if Use.JOIN in new and self._on_doubt is not None:
            self._on_doubt()
