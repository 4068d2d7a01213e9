"""How much waits of what one client sent, in all its namespaces."""

from __future__ import annotations


class Backlog:
    """The account of one client, in bytes of memory as `SocketIOPacket.size` has them.

    `total` is what waits for a handler and what one is busy with; `waiting` only what waits, and what the callback of
    an acknowledgement is busy with. After a change, `update` is to be called if `total` reaches `limit`, or `is_full`.
    """

    __slots__ = ("is_full", "limit", "total", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = self.waiting = 0
        #: Whether nothing more should be read from the client.
        self.is_full = False

    def update(self) -> bool:
        """Finds out whether it is full: from the limit on, and until half of it is left. Returns whether that changed.

        What is handled may take more than the limit by itself, and its handler may wait for what the client says next:
        it is full only while something else waits.
        """
        is_over = self.total * 2 > self.limit if self.is_full else self.total >= self.limit
        was_full, self.is_full = self.is_full, is_over and self.waiting > 0
        return self.is_full is not was_full

    def is_flooded(self, size: int) -> bool:
        """Whether as much as may be held waited before these `size` bytes, and twice as much does with them."""
        return self.waiting - size >= self.limit and self.waiting > 2 * self.limit
