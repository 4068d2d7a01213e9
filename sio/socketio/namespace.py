"""A namespace: a name, what handles it, and the sockets in it."""

from __future__ import annotations

from ..aio.log_limits import Once
from .acks import count_ack_ids
from .handlers import Handlers
from .hints import shortened
from .log import Log
from .socket import NamespaceSocket


class Namespace:
    """One namespace of a server.

    Without a consumer it is a lobby that leads nowhere, which `/` is where nobody serves it, since clients may join it
    before any other: it accepts every client and handles no event, and its sockets are in no room.
    """

    def __init__(self, name: str, handlers: Handlers | None = None) -> None:
        self.name = name
        self.handlers = handlers or Handlers()
        #: Whether a consumer is registered for it.
        self.is_served = bool(self.handlers.owner)
        #: The accepted sockets by their id.
        self.sockets: dict[str, NamespaceSocket] = {}
        #: Ids of acknowledgements: counted for the namespace, so that no two of its sockets wait for the same one.
        self.ack_ids = count_ack_ids()
        self._reported = Once()

    def report_unhandled(self, event: str, problem: str) -> None:
        """Tells the developer, once, of an event that a client sent and that nobody gets."""
        event = shortened(event)
        if self._reported.is_new(event):
            Log.EVENT_IGNORED.log(event, self.name, problem)
