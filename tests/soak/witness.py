"""A client with a good network, who asks all the time, and notes what the server does until it answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.conformance.servers import Server
from tests.conformance.wire import Ended, WebSocket
from tests.flood import processor_time

#: Between two questions, in seconds.
INTERVAL = 0.05


class Witness:
    """What it saw, of all times that it was there."""

    def __init__(self) -> None:
        self.answers = 0
        #: The longest that it waited, in seconds of the server's processor time.
        self.longest = 0.0
        self.faults: list[str] = []

    @contextlib.asynccontextmanager
    async def watching(self, server: Server) -> AsyncIterator[None]:
        """Is there, until the block is over."""
        session = await WebSocket(server).open()
        await session.join()
        over = asyncio.Event()
        task = asyncio.create_task(self._ask(session, over, server.process.pid))
        try:
            yield
        finally:
            over.set()
            await task
            await session.close()

    async def _ask(self, session: WebSocket, over: asyncio.Event, pid: int) -> None:
        stamp = 0
        try:
            while not over.is_set():
                asked = processor_time(pid)
                await session.send(f'42{stamp}["note",["{session.id}",{stamp}],"",0]')
                while not str(await session.receive()).startswith(f"43{stamp}["):
                    pass  # what is said in the lobby
                self.longest = max(self.longest, processor_time(pid) - asked)
                self.answers += 1
                stamp += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), INTERVAL)
        except (Ended, TimeoutError) as end:
            self.faults.append(f"the witness was sent away: {end!r}")
