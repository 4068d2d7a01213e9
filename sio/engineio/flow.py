"""The flow of packets from one client: whether it is read, and how much of it in a turn of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..aio.futures import set_done
from .protocol.session import EngineIOSession
from .turns import LongPackets, Turn


class Flow:
    """Stops and resumes the reading of one client. While anything stops it, the session demands no pong."""

    __slots__ = ("_long_packets", "_loop", "_resumed", "_session", "_stops", "turn")

    def __init__(self, session: EngineIOSession, long_packets: LongPackets, loop: asyncio.AbstractEventLoop) -> None:
        self._session = session
        self._long_packets = long_packets
        self._loop = loop
        self.turn = Turn(long_packets)
        #: How many things stop the reading: the application, and a long packet that waits.
        self._stops = 0
        #: While the application has paused the reading.
        self._resumed: asyncio.Future[None] | None = None

    def _stop(self) -> None:
        self._stops += 1
        if self._stops == 1:
            self._session.pause()

    def _go_on(self) -> None:
        self._stops -= 1
        if not self._stops:
            self._session.resume(self._loop.time())

    @property
    def is_paused(self) -> bool:
        """Whether the application has paused the reading."""
        return self._resumed is not None

    def pause(self) -> None:
        """Stops the reading until `resume`. Idempotent."""
        if self._resumed is None:
            self._resumed = self._loop.create_future()
            self._stop()

    def resume(self) -> None:
        """Ends a pause. Idempotent."""
        if self._resumed is not None:
            set_done(self._resumed)
            self._resumed = None
            self._go_on()

    async def wait(self) -> None:
        """Waits while the application has paused the reading."""
        while self._resumed is not None and self._session.is_open:
            await asyncio.shield(self._resumed)

    def when_resumed(self, callback: Callable[[], None]) -> None:
        """Calls back at the end of the pause, or at once if there is none."""
        if self._resumed is None:
            callback()
        else:
            self._resumed.add_done_callback(lambda _: callback())

    async def wait_for_long_packet(self) -> None:
        """Waits until a long packet may be handled. The client's pong may stand behind it, and is not missed."""
        self._stop()
        try:
            await self._long_packets.wait(self.turn.long_at)
        finally:
            self._go_on()
