"""The heartbeat of one session: when it pings, how long it waits for the pong, and when that wait begins anew.

Source: Engine.IO protocol v4, section "Heartbeat"; the reference's `engine.io/lib/socket.ts` (`schedulePing`,
`resetPingTimeout`).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TypeAlias

from .options import EngineIOOptions
from .outbox import Outbox


class Timer(Enum):
    """What a session waits for."""

    PING = auto()
    PONG = auto()
    UPGRADE = auto()
    NOOP = auto()
    CLOSE = auto()


#: When each is due, in seconds of a monotonic clock.
Timers: TypeAlias = dict[Timer, float]


class Heartbeat:
    """Sets the timers PING and PONG of a session, of which there is never more than one."""

    __slots__ = ("_is_extended", "_is_paused", "_options", "_outbox", "_timers", "awaits_pong")

    def __init__(self, options: EngineIOOptions, timers: Timers, outbox: Outbox, now: float) -> None:
        self._options = options
        self._timers = timers
        self._outbox = outbox
        #: Whether a ping was sent, and its pong has not come.
        self.awaits_pong = False
        #: Whether the wait for that pong was extended already.
        self._is_extended = False
        self._is_paused = False
        self._schedule_ping(now)

    def _schedule_ping(self, now: float) -> None:
        self._timers[Timer.PING] = now + self._options.ping_interval / 1000

    def ping(self, now: float) -> None:
        """Sends a ping: one for each interval, also when no poll is open. The time for its answer starts now."""
        self._timers.pop(Timer.PING, None)
        self._outbox.put_ping()
        self.awaits_pong, self._is_extended = True, False
        self.restart(now)

    def restart(self, now: float) -> None:
        """Gives the client the full time for its pong again, if one is awaited."""
        if self.awaits_pong:
            self._timers[Timer.PONG] = now + self._options.ping_timeout / 1000

    def extend(self, now: float) -> None:
        """The client sent something else than a pong, so it is alive: engine.io 6.6.11 waits longer, once per ping."""
        if not self._is_extended:
            self._is_extended = True
            self.restart(now)

    def pong(self, now: float) -> None:
        """The client answered. A pong without a ping starts nothing."""
        if self.awaits_pong:
            self.awaits_pong = False
            self._outbox.confirm()
            self._timers.pop(Timer.PONG, None)
            self._schedule_ping(now)

    def on_pong_missing(self, now: float) -> bool:
        """The time for the pong is up. Returns whether the client is lost; else gives it as much time again."""
        # While nothing is read, a client that took the ping may have answered. One that did not take it is gone.
        is_lost = not self._is_paused or self._outbox.has_ping
        if not is_lost:
            self.restart(now)
        return is_lost

    def pause(self) -> None:
        """The server stopped reading from the client: a pong that may wait to be read is not missed."""
        self._is_paused = True

    def resume(self, now: float) -> None:
        """The server reads again. What came meanwhile, the pong perhaps too, waits to be read."""
        self._is_paused = False
        self.restart(now)

    def stop(self, now: float) -> None:
        """The session closes: no ping is sent and no pong is taken any more.

        As in the reference, whose heartbeat goes on, a client that is gone is kept no longer than before.
        """
        ping_due = self._timers.pop(Timer.PING, now)
        pong_due = self._timers.pop(Timer.PONG, max(ping_due, now) + self._options.ping_timeout / 1000)
        self._timers[Timer.PONG] = pong_due  # after CLOSE, which wins if both are due
        self.awaits_pong = False
        # Nothing more that is sent waits for a pong.
        self._outbox.confirm()
