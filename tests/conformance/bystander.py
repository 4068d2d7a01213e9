"""Somebody who is there all the time."""

from __future__ import annotations

import asyncio
import itertools
from typing import ClassVar, Self

from tests.pace import TIMEOUT

from .servers import Server
from .wire import Ended, Packet, WebSocket

#: Between two checks of one who asks all the time: a moment, in seconds. Without it, a server does little else.
BREATH = 0.005


class Bystander:
    """A client that wants nothing but to stay connected, whatever others do to its server."""

    #: What it sends and gets on each application: to join, and to see that it is served.
    TALKS: ClassVar[dict[str, tuple[list[str], str, str]]] = {
        "everything": (["40/custom,"], '42/custom,["echo",%d]', '42/custom,["echoed",%d]'),
        "suite": (["40/custom,"], '42/custom,["message",%d]', '42/custom,["message-back",%d]'),
        "engineio": ([], "4%d", "4%d"),
    }

    def __init__(self, session: WebSocket) -> None:
        self._session = session
        self._join, self._said, self._heard = self.TALKS[session.server.settings.get("APPLICATION", "everything")]
        self._numbers = itertools.count()
        self._packets: asyncio.Queue[Packet | Ended] = asyncio.Queue()
        #: How its connection ended, if it did.
        self.end: Ended | None = None
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, server: Server) -> Self:
        bystander = cls(await WebSocket(server).open())
        await bystander._session.send(*bystander._join)
        await bystander.check(first=True)
        return bystander

    async def _read(self) -> None:
        try:
            while True:
                self._packets.put_nowait(await self._session.receive(timeout=None))
        except Ended as end:
            self.end = end
            self._packets.put_nowait(end)

    async def check(self, *, first: bool = False, padding: int = 0) -> None:
        """Is served as if nothing had happened to others. What it sends has so many spaces in it."""
        number = next(self._numbers)
        if first:  # the client may send nothing before it is answered
            for _ in self._join:
                await self._packets.get()
        await self._session.send((self._said % number).replace('",', '",' + " " * padding))
        async with asyncio.timeout(TIMEOUT):
            while (packet := await self._packets.get()) != self._heard % number:
                assert not isinstance(packet, Ended), f"the bystander {packet}"
                assert first, packet

    async def close(self) -> None:
        await self._session.close()
        await self._reader
