"""A namespace: a name, what handles it, and the sockets in it."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from .handlers import Handlers
from .hints import Once, shortened

if TYPE_CHECKING:
    from .socket import NamespaceSocket

logger = logging.getLogger("sio.socketio")


class Namespace:
    """One namespace of a server. Without a consumer it accepts every client and handles no event."""

    def __init__(self, name: str, handlers: Handlers | None = None) -> None:
        self.name = name
        self.handlers = handlers or Handlers()
        #: The accepted sockets by their id.
        self.sockets: dict[str, NamespaceSocket] = {}
        #: Ids of acknowledgements: counted for the namespace, so that no two of its sockets ever wait for the same one.
        self.ack_ids = itertools.count()
        self._reported = Once()

    def report_unhandled(self, event: str, problem: str) -> None:
        """Tells the developer, once, of an event that a client sent and that nobody gets."""
        event = shortened(event)
        if self._reported.is_new(event):
            logger.warning("Ignored the event %r in the namespace %r: %s", event, self.name, problem)
