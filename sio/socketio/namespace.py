"""A namespace: a name, what handles it, and the sockets in it."""

from __future__ import annotations

import itertools
import logging
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .handlers import Handlers
from .hints import Once, shortened

if TYPE_CHECKING:
    from .socket import NamespaceSocket

logger = logging.getLogger("sio.socketio")

#: Ids of acknowledgements are less: the clients in Java, C++ and C# read them into 32 bits. A power of two.
ACK_IDS = 2**31


class Namespace:
    """One namespace of a server.

    Without a consumer it is a lobby that leads nowhere, which `/` is where nobody serves it, since clients may join it
    before any other: it accepts every client and handles no event, and its sockets are in no room.
    """

    def __init__(self, name: str, handlers: Handlers | None = None) -> None:
        self.name = name
        self.handlers = handlers or Handlers()
        #: The accepted sockets by their id.
        self.sockets: dict[str, NamespaceSocket] = {}
        #: Ids of acknowledgements: counted for the namespace, so that no two of its sockets wait for the same one.
        self.ack_ids = count_ack_ids()
        self._reported = Once()

    @property
    def is_served(self) -> bool:
        """Whether a consumer is registered for it."""
        return bool(self.handlers.owner)

    def report_unhandled(self, event: str, problem: str) -> None:
        """Tells the developer, once, of an event that a client sent and that nobody gets."""
        event = shortened(event)
        if self._reported.is_new(event):
            logger.warning("Ignored the event %r in the namespace %r: %s", event, self.name, problem)


def count_ack_ids(start: int = 0) -> Iterator[int]:
    """Counts from `start` to `ACK_IDS`, and from 0 again."""
    return map(operator.and_, itertools.count(start), itertools.repeat(ACK_IDS - 1))
