"""Clients that take less than they are sent: emitters wait for them, and a slow consumer is cut off."""

from __future__ import annotations

import asyncio

from ..aio.futures import set_done
from .log import Log
from .protocol.session import EngineIOSession
from .protocol.state import CloseReason


class Backpressure:
    """What the buffer of one session means for those who send."""

    __slots__ = ("_session", "drained")

    def __init__(self, session: EngineIOSession) -> None:
        self._session = session
        #: What emitters wait on while the client lags behind.
        self.drained: asyncio.Future[None] | None = None

    async def drain(self) -> None:
        """Waits until the client has taken enough. Returns at once unless it lags behind."""
        while self._session.is_congested:
            if self.drained is None:
                self.drained = asyncio.get_running_loop().create_future()
            # Shielded: several may wait for the one future, and cancelling one of them must not cancel it.
            await asyncio.shield(self.drained)

    def update(self) -> None:
        """Lets emitters go on if the client has taken enough. To be called when it may have taken something."""
        if self.drained is not None and not self._session.is_congested:
            set_done(self.drained)
            self.drained = None

    def cut(self, client: object) -> CloseReason:
        """The client left its buffer full. Returns the reason with which its session is to end."""
        Log.SLOW_CONSUMER.log(client)
        return CloseReason.TRANSPORT_ERROR
