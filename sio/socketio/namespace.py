"""A namespace: a name, what handles it, and the sockets in it."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from .handlers import Handlers

if TYPE_CHECKING:
    from .socket import NamespaceSocket

logger = logging.getLogger("sio.socketio")

#: Different event names without a handler that are warned of, for each namespace: clients choose them.
MAX_REPORTED_EVENTS = 20


class Namespace:
    """One namespace of a server. Without a consumer it accepts every client and handles no event."""

    def __init__(self, name: str, handlers: Handlers | None = None) -> None:
        self.name = name
        self.handlers = handlers or Handlers()
        #: The accepted sockets by their id.
        self.sockets: dict[str, NamespaceSocket] = {}
        #: Ids of acknowledgements: counted for the namespace, so that no two of its sockets ever wait for the same one.
        self.ack_ids = itertools.count()
        self._reported: set[str] = set()

    def report_unhandled(self, event: str, problem: str) -> None:
        """Tells the developer, once, of an event that a client sent and that nobody gets."""
        # Names come from clients: only so many are remembered, and each is told once.
        event = event[:100]
        if event not in self._reported and len(self._reported) < MAX_REPORTED_EVENTS:
            self._reported.add(event)
            logger.warning("Ignored the event %r in the namespace %r: %s", event, self.name, problem)
