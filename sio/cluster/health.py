"""What is known of a channel layer: which of its operations work, and what the log says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum, auto

from .calls import Pause
from .log import Log


class Operation(Enum):
    """What a layer does for a process. One can fail while another works: subscriptions outlive what publishes."""

    SEND = auto()
    JOIN = auto()
    READ = auto()


class Health:
    """Keeps what is in doubt. A failure of one operation casts doubt on all; each has to show by itself that it works.

    `on_doubt` is called whenever memberships come into doubt: they have to be made anew.
    """

    def __init__(self, on_doubt: Callable[[], None] | None = None) -> None:
        #: Whether the process is in groups: else it sends only, and nothing else can be in doubt.
        self.has_groups = False
        self._doubted: set[Operation] = set()
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
        if Operation.SEND not in self._doubted:
            return True
        return not self.has_groups and asyncio.get_running_loop().time() >= self._retry_at

    def failed(self, error: Exception) -> None:
        """The layer raised, or did not answer."""
        if self.is_up:
            Log.FAILED.log(error)
        self._doubt(Operation if self.has_groups else [Operation.SEND])
        self._retry_at = asyncio.get_running_loop().time() + self._pause.take()

    def lost(self) -> None:
        """A message that this process sent to itself did not come back, though the layer raised nothing."""
        if self.is_up:
            Log.LOST.log()
        self._doubt([Operation.JOIN, Operation.READ])

    def works(self, *operations: Operation) -> None:
        """These operations work."""
        if self._doubted:
            self._doubted.difference_update(operations)
            if self.is_up:
                self._pause.reset()
                Log.WORKS_AGAIN.log()

    def left_groups(self) -> None:
        """The process is in no group any more, so nothing is wrong with its memberships."""
        self.has_groups = False
        self._doubted -= {Operation.JOIN, Operation.READ}

    def _doubt(self, operations: Iterable[Operation]) -> None:
        new = set(operations) - self._doubted
        self._doubted |= new
        if Operation.JOIN in new and self._on_doubt is not None:
            self._on_doubt()
