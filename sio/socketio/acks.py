"""Acknowledgements that a client owes: their ids, and what waits for them."""

from __future__ import annotations

import asyncio
import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from ..exceptions import Disconnected, TooManyPendingAcks

AckCallback: TypeAlias = Callable[..., Any]
#: What waits for an acknowledgement: a callback, or the future of a `call`.
Waiter: TypeAlias = AckCallback | asyncio.Future[tuple[Any, ...]]

#: Ids of acknowledgements are less: the clients in Java, C++ and C# read them into 32 bits. A power of two.
ACK_IDS = 2**31


def count_ack_ids(start: int = 0) -> Iterator[int]:
    """Counts from `start` to `ACK_IDS`, and from 0 again."""
    return map(operator.and_, itertools.count(start), itertools.repeat(ACK_IDS - 1))


class PendingAcks:
    """The acknowledgements that one socket waits for, at most `limit`. The sockets of a namespace share `ids`, so that
    no two of them wait for the same id.
    """

    __slots__ = ("_ids", "_limit", "_waiters")

    def __init__(self, ids: Iterator[int], limit: int) -> None:
        self._ids = ids
        self._limit = limit
        self._waiters: dict[int, Waiter] = {}

    def next_id(self, owner: object) -> int:
        """Returns an id that nobody waits for. Raises TooManyPendingAcks, which names `owner`."""
        if len(self._waiters) >= self._limit:
            raise TooManyPendingAcks(f"{owner!r} has not acknowledged {self._limit} events (SIO_MAX_PENDING_ACKS)")
        while (ack_id := next(self._ids)) in self._waiters:
            continue  # it is still waited for, and the count came round
        return ack_id

    def add(self, ack_id: int, waiter: Waiter) -> None:
        """Somebody waits for an acknowledgement."""
        self._waiters[ack_id] = waiter

    def pop(self, ack_id: int | None) -> Waiter | None:
        """Forgets an acknowledgement. Returns what waited for it."""
        return None if ack_id is None else self._waiters.pop(ack_id, None)

    def fail(self, owner: object) -> None:
        """No acknowledgement will come any more: every `call` that waits raises Disconnected, which names `owner`."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters.values():
            if isinstance(waiter, asyncio.Future) and not waiter.done():
                waiter.set_exception(Disconnected(f"{owner!r} disconnected before it acknowledged"))
