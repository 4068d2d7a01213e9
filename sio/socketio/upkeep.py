"""What is done around hooks and handlers for the framework that they use. By itself, the server needs nothing."""

from __future__ import annotations


class Upkeep:
    """Called on the event loop of the sockets. Neither method may wait or raise."""

    def starting(self) -> None:
        """Hooks, handlers or the callback of an acknowledgement are about to run. It is called for each burst of
        events, so it must cost next to nothing.
        """

    def failed(self, error: BaseException) -> None:
        """A hook, a handler or the callback of an acknowledgement raised, or its answer cannot be sent."""
