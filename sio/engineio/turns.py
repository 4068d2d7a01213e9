"""Turns of the event loop: how much of one client is handled before others get theirs.

A server such as uvicorn parses all frames of a TCP segment at once, and `receive` then gives them without ever waiting:
the reader has to make the pauses. Times are seconds of `time.perf_counter`: uvloop's clock stands still within a turn.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

#: What of one client is handled in a turn: so many bytes or packets, but one packet at least.
TURN_BYTES = 65_536
TURN_PACKETS = 100
#: And so many seconds. A client that took longer is then not read for as long, which leaves half of the time to others.
TURN_TIME = 0.01
#: The longest of these pauses, in seconds: what took longer is no fault of the client.
MAX_PAUSE = 1.0

_PACKET_COST = -(-TURN_BYTES // TURN_PACKETS)


class Turn:
    """The account of one session."""

    __slots__ = ("_free_at", "_left", "_long_packets", "long_at")

    def __init__(self, long_packets: LongPackets) -> None:
        self._long_packets = long_packets
        self._left = TURN_BYTES
        #: When others will have had as much time as this session.
        self._free_at = 0.0
        #: When its last packet was handled that took a whole turn; 0 if none did.
        self.long_at = 0.0

    def spend(self, size: int, began: float, ended: float) -> float | None:
        """Counts a packet of `size` bytes that was handled from `began` to `ended`.

        Returns None if the next one may follow at once, else for how many seconds the client is not to be read: 0 is a
        turn of the loop.
        """
        free_at = self._free_at
        self._free_at = free_at = (began if began > free_at else free_at) + 2 * (ended - began)
        self._left -= size + _PACKET_COST
        pause = free_at - ended
        if self._left > 0 and pause < TURN_TIME:
            return None
        self._left = TURN_BYTES
        if pause < TURN_TIME:
            return 0.0
        if ended - began >= TURN_TIME:
            self.long_at = ended
            self._long_packets.took(began, ended)
        return min(pause, MAX_PAUSE)


class LongPackets:
    """Packets that may take more than a turn by themselves: as much time is left to others after each, also when many
    clients send one at the same time.

    A client that sent none before comes first, and then the one whose last one is longest ago. So a client that floods
    the server with them delays others who send large packets by one packet and the pause after it at most.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free_at = 0.0
        #: A heap: when the last long packet of the session was, and the order in which they came.
        self._waiters: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._is_opening = False

    def took(self, began: float, ended: float) -> None:
        """One was handled."""
        self._free_at = ended + min(ended - began, MAX_PAUSE)

    @property
    def are_due(self) -> bool:
        """Whether the next one need not wait."""
        return not self._waiters and self._free_at <= self._clock()

    async def wait(self, long_at: float) -> None:
        """Waits until one may be handled, which is to be done at once. `long_at` is that of the session's turn."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # of a server that was started after another one ended
            self._loop, self._waiters, self._is_opening = loop, [], False
        if not self.are_due:
            waiter = loop.create_future()
            heapq.heappush(self._waiters, (long_at, next(self._numbers), waiter))
            if not self._is_opening:
                self._is_opening = True
                self._open()
            await waiter

    def _open(self) -> None:
        """Lets the next one go on, if it is time, and comes again while somebody waits."""
        assert self._loop is not None
        pause = self._free_at - self._clock()
        if pause > 0:
            self._loop.call_later(pause, self._open)
            return
        while self._waiters:
            waiter = heapq.heappop(self._waiters)[2]
            if not waiter.done():  # its session may have ended
                waiter.set_result(None)
                self._loop.call_soon(self._open)  # after it: its packet may have taken long
                return
        self._is_opening = False
