"""Clients of python-socketio, many in one process: `python -m tests.soak.python_clients`.

It takes the commands of `node_clients.js` and prints the same records. Each session has a client of its own, since the
library leaves some ends of a bad network to whoever uses it: then the session is given up, and the next one opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from typing import Any

import aiohttp
import engineio.payload
import socketio

from tests.soak.payloads import binary
from tests.soak.runs import Runs

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
ROOMS = 12
#: Longer than this, in seconds, no live session keeps a client waiting for an acknowledgement.
PATIENCE = 20.0

# The library refuses a poll of more packets than this, and a payload of the server is bounded by its bytes.
engineio.payload.Payload.max_decode_packets = 100_000


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Client(socketio.AsyncClient):  # type: ignore[misc]
    """Drops what it has read and not yet handled when its session ends.

    The library handles it, and by then has forgotten which packet an attachment belongs to.
    """

    def __init__(self, over: asyncio.Event, http: aiohttp.ClientSession) -> None:
        super().__init__(reconnection=False, handle_sigint=False, http_session=http)
        self._over = over

    async def _handle_eio_message(self, data: str | bytes) -> None:
        if not self._over.is_set():
            await super()._handle_eio_message(data)


class Session:
    """One session: what was sent, and what came."""

    def __init__(self, plan: str, chance: random.Random) -> None:
        self.plan, self.chance = plan, chance
        self.id: str | None = None
        self.sent = self.total = self.acks = 0
        self.acked = -1
        self.answered: set[int] = set()
        self.got = Runs()
        self.rooms: dict[str, Runs] = {}
        self.faults: list[str] = []
        self.reason = ""
        self.transport = plan
        self.over = asyncio.Event()

    async def live(self, url: str, leaving: asyncio.Event) -> None:
        """Connects, talks for a while and leaves, unless the network ends it earlier."""
        # GETs must not be repeated on another connection, as aiohttp does when a kept one breaks: the first one may
        # have taken packets.
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self.http._retry_connection = False
        self.client = Client(self.over, self.http)
        self._listen()
        try:
            if await self._connect(url):
                await self._talk(leaving)
        finally:
            await self._close()
            if self.id is not None:
                self._report()

    def _listen(self) -> None:
        self.client.on("connect", self._on_connect)
        self.client.on("disconnect", self._on_disconnect)
        self.client.on("sent", self._on_sent)
        self.client.on("question", self._on_question)
        self.client.on("said", self._on_said)

    async def _connect(self, url: str) -> bool:
        hesitate = 20 if self.chance.random() < 0.2 else 0
        try:
            async with asyncio.timeout(10):
                await self.client.connect(
                    url, auth={"hesitate": hesitate}, transports=TRANSPORTS[self.plan], wait_timeout=5
                )
        except Exception:  # whatever the library makes of a connection that breaks
            return self.id is not None and not self.over.is_set()
        return True

    # What comes

    def _on_connect(self) -> None:
        self.id = self.client.get_sid("/")

    def _on_disconnect(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.over.set()

    def _on_sent(self, session: str, number: int, data: bytes | None = None) -> None:
        self._receive(session, self.got, number, data)

    def _on_question(self, session: str, number: int) -> int:
        self._receive(session, self.got, number, None)
        return number

    def _on_said(self, room: str, number: int, data: bytes | None = None) -> None:
        self._receive(self.id, self.rooms.setdefault(room, Runs()), number, data)

    def _receive(self, session: str | None, runs: Runs, number: int, data: bytes | None) -> None:
        self.total += 1
        runs.add(number)
        if session is None or session != self.id:
            self.faults.append(f"{number} of {session} came outside of its session")
        if data is not None and data != binary(number):
            self.faults.append(f"the attachment of {number} is wrong")

    def _acknowledged(self, number: int, acked: int, total: int) -> None:
        """`total` is how many messages the server had sent when it acknowledged."""
        self.acks += 1
        self.acked = max(self.acked, number)
        if acked != number:
            self.faults.append(f"{number} was acknowledged as {acked}")
        if number in self.answered:
            self.faults.append(f"{number} was acknowledged twice")
        self.answered.add(number)
        if total != self.total:
            self.faults.append(f"at the acknowledgement of {number}, {self.total} of {total} were here")

    # What it does

    async def _talk(self, leaving: asyncio.Event) -> None:
        end = time.monotonic() + self.chance.uniform(0.5, 8)
        while not leaving.is_set() and time.monotonic() < end and not self._is_over():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), self.chance.uniform(0.01, 0.15))
            if not self._is_over():
                self.transport = self.client.transport()
                await self._act()
        if not self._is_over():
            await self._say_goodbye()

    def _is_over(self) -> bool:
        """Also when a loop of the library died of an error that it does not handle."""
        loops = (self.client.eio.read_loop_task, self.client.eio.write_loop_task)
        return self.over.is_set() or any(loop is None or loop.done() for loop in loops)

    async def _say_goodbye(self) -> None:
        answered = asyncio.Event()
        await self._emit("note", "bye", 0, ack=True, then=answered.set)
        end = time.monotonic() + PATIENCE
        while not answered.is_set() and not self._is_over():
            if time.monotonic() > end:
                self.faults.append(f"no acknowledgement within {PATIENCE} s")
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), 0.2)

    async def _emit(self, event: str, *args: Any, ack: bool = False, then: Any = None) -> None:
        number = self.sent

        def callback(acked: int, total: int) -> None:
            self._acknowledged(number, acked, total)
            if then is not None:
                then()

        with contextlib.suppress(socketio.exceptions.BadNamespaceError):
            stamped = ([self.id, number], *args)
            # The number is taken before the call, which lets nobody else run until the packet is in the queue.
            self.sent += 1
            await self.client.emit(event, stamped, callback=callback if ack else None)

    async def _act(self) -> None:
        chance = self.chance
        roll, ack, room = chance.random(), chance.random() < 0.5, f"room-{chance.randint(1, ROOMS)}"
        match roll:
            case _ if roll < 0.4:
                await self._emit("note", "x" * chance.randint(0, 300), chance.randint(0, 3), ack=ack)
            case _ if roll < 0.5:
                await self._emit("blob", binary(self.sent), binary(self.sent + 1), ack=ack)
            case _ if roll < 0.62:
                await self._emit("join", room, ack=ack)
            case _ if roll < 0.68:
                await self._emit("leave", room, ack=ack)
            case _ if roll < 0.88:
                await self._emit("say", "lobby" if chance.random() < 0.05 else room, ack=ack)
            case _ if roll < 0.95:
                await self._emit("ask" if roll < 0.92 else "poke", ack=ack)
            case _ if roll < 0.99:
                for turn in range(15):
                    await self._emit("note", "burst", 2, ack=turn == 14)
            case _:
                await self._emit("bye", chance.random() < 0.5)

    async def _close(self) -> None:
        self.reason = self.reason or ("client disconnect" if not self._is_over() else "given up")
        with contextlib.suppress(Exception):
            async with asyncio.timeout(8):
                await self.client.disconnect()
        self.over.set()
        await self._collect()
        await self.http.close()

    async def _collect(self) -> None:
        """Ends what is left of the library's loops, and takes what they raised."""
        loops = [self.client.eio.read_loop_task, self.client.eio.write_loop_task]
        tasks = [loop for loop in loops if loop is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _report(self) -> None:
        names = ("id", "plan", "transport", "reason", "sent", "total", "acked", "acks")
        record = {name: getattr(self, name) for name in names}
        rooms = {room: runs.pairs for room, runs in self.rooms.items()}
        record |= {"side": "client", "kind": "python", "got": self.got.pairs, "rooms": rooms}
        write("RECORD " + json.dumps({**record, "faults": self.faults[:10]}))


async def come_and_go(url: str, plan: str, chance: random.Random, leaving: asyncio.Event) -> None:
    """One client: session after session."""
    while not leaving.is_set():
        await Session(plan, chance).live(url, leaving)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), chance.uniform(0.02, 0.3))


class Crew:
    """All clients of the process."""

    def __init__(self) -> None:
        self._leaving = asyncio.Event()
        self._clients: list[asyncio.Task[None]] = []

    def run(self, url: str, clients: int, seed: int) -> None:
        self._leaving.clear()
        plans = list(TRANSPORTS)
        self._clients = [
            asyncio.create_task(come_and_go(url, plans[i % 3], random.Random(f"{seed} {i}"), self._leaving))
            for i in range(clients)
        ]

    async def leave(self) -> None:
        self._leaving.set()
        await asyncio.gather(*self._clients)
        write("LEFT")


def report_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Prints what asyncio reports, but for connections that python-socketio leaves to the garbage collector."""
    if context["message"] != "Unclosed connection":
        loop.default_exception_handler(context)


async def main() -> None:
    asyncio.get_running_loop().set_exception_handler(report_error)
    crew = Crew()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    write("READY")
    async for line in reader:
        command = json.loads(line)
        if "run" in command:
            crew.run(**command["run"])
        else:
            await crew.leave()


if __name__ == "__main__":
    asyncio.run(main())
