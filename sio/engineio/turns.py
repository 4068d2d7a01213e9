"""Turns of the event loop: how much of one client is handled before others get theirs.

A server such as uvicorn parses all frames of a TCP segment at once, and `receive` then gives them without ever waiting:
who reads must make the pauses. Times are seconds of `time.perf_counter`: that of uvloop stands still within a turn.
"""

from __future__ import annotations

import asyncio
import time

#: What of one client is handled in a turn: so many bytes or packets, but one packet at least.
TURN_BYTES = 65_536
TURN_PACKETS = 100
#: And so many seconds. Who took longer is then not read for as long, which leaves half of the time to others.
TURN_TIME = 0.01
#: The longest of these pauses, in seconds: what took longer is no fault of the client.
MAX_PAUSE = 1.0

_PACKET_COST = -(-TURN_BYTES // TURN_PACKETS)


class Turn:
    """The account of one session."""

    __slots__ = ("_free_at", "_left")

    def __init__(self) -> None:
        self._left = TURN_BYTES
        #: When others will have had as much time as this session.
        self._free_at = 0.0

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
            long_packets.took(began, ended)
        return min(pause, MAX_PAUSE)


class LongPackets:
    """Packets that take more than a turn by themselves: as much time is left to others after each, also when many
    clients send one at the same time.
    """

    def __init__(self) -> None:
        self._free_at = 0.0

    def took(self, began: float, ended: float) -> None:
        """One was handled."""
        self._free_at = ended + min(ended - began, MAX_PAUSE)

    async def wait(self) -> None:
        """Waits until one may be handled, at once: whoever waits too looks again after it."""
        while (pause := self._free_at - time.perf_counter()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(pause)


#: Those of all sessions of this process.
long_packets = LongPackets()
