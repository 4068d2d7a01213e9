"""A bad network: a TCP proxy that does to each connection what its plan says."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable

from .plans import CALM, Cut, Direction, Plan, draw

_CHUNK = 65_536

#: Which plan a connection gets: by its number, and by whether it becomes a WebSocket.
Choose = Callable[[int, bool], Plan]


def by_chance(seed: int) -> Choose:
    """Plans that depend on nothing but the seed and the number of the connection."""
    return lambda number, is_websocket: draw(random.Random(f"{seed} {number}"), is_websocket)


class Proxy:
    """Takes connections for another port of this machine."""

    def __init__(self, port: int, choose: Choose) -> None:
        self._target = port
        self._choose = choose
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        #: What it did: connections, and each kind of trouble.
        self.deeds: Counter[str] = Counter()
        #: Whether new connections are left alone.
        self.is_calm = False

    async def start(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def drop(self) -> None:
        """Breaks all connections."""
        for link in list(self._links):
            link.reset()

    async def stop(self) -> None:
        """Takes no more connections, and breaks those that there are."""
        self._server.close()
        self.drop()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.deeds["connections"] += 1
        number = self.deeds["connections"]
        with contextlib.suppress(OSError):
            # The first bytes say what it is: the life of a WebSocket is longer, and so is what can happen in it.
            first = await reader.read(_CHUNK)
            plan = CALM if self.is_calm else self._choose(number, b"upgrade: websocket" in first.lower())
            await self._link(plan, first, reader, writer)
        writer.close()

    async def _link(self, plan: Plan, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        link = Link(plan, self.deeds, {"up": far_writer, "down": writer})
        self._links.add(link)
        try:
            await link.run(first, {"up": reader, "down": far_reader})
        finally:
            self._links.discard(link)


class Link:
    """One connection, and its other half to the server. `up` is towards the server."""

    def __init__(self, plan: Plan, deeds: Counter[str], writers: dict[Direction, asyncio.StreamWriter]) -> None:
        self._plan = plan
        self._deeds = deeds
        self._writers = writers
        self._passed: Counter[str] = Counter()
        self._open: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        for gate in self._open.values():
            gate.set()

    async def run(self, first: bytes, readers: dict[Direction, asyncio.StreamReader]) -> None:
        """Passes on until both directions are over, or the connection is cut."""
        loop = asyncio.get_running_loop()
        plan = self._plan
        self._deeds["delayed"] += plan.delay > 0
        self._deeds["dribbled"] += plan.dribble > 0
        self._deeds["stalled"] += len(plan.stalls)
        timers = [loop.call_later(stall.start, self._stall, stall.directions, stall.seconds) for stall in plan.stalls]
        if plan.cut is not None:
            timers.append(loop.call_later(plan.cut.seconds, self._cut, plan.cut))
        try:
            await asyncio.gather(
                self._pump("up", first, readers["up"]),
                self._pump("down", b"", readers["down"]),
            )
        except OSError:
            self.reset()
        finally:
            for timer in timers:
                timer.cancel()
            for writer in self._writers.values():
                writer.close()

    async def _pump(self, direction: Direction, data: bytes, reader: asyncio.StreamReader) -> None:
        writer = self._writers[direction]
        while data := data or await reader.read(_CHUNK):
            if self._plan.delay:
                await asyncio.sleep(self._plan.delay)
            for whole in self._pieces(direction, data):
                await self._open[direction].wait()
                piece = self._before_cut(direction, whole)
                writer.write(piece)
                await writer.drain()
                self._count(direction, len(piece))
            data = b""
        with contextlib.suppress(OSError):
            await self._open[direction].wait()
            writer.write_eof()

    def _pieces(self, direction: Direction, data: bytes) -> list[bytes]:
        """A chunk, whole, or its first bytes in small pieces and then the rest."""
        size = self._plan.dribble
        small = max(0, self._plan.dribbled - self._passed[direction]) if size else 0
        head, rest = data[:small], data[small:]
        pieces = [head[start : start + size] for start in range(0, len(head), size or 1)]
        return [*pieces, rest] if rest else pieces

    def _before_cut(self, direction: Direction, data: bytes) -> bytes:
        """What goes before the cut, which can be in the middle of anything."""
        cut = self._plan.cut
        if cut is None or cut.size is None or cut.direction != direction:
            return data
        return data[: max(0, cut.size - self._passed[direction])]

    def _count(self, direction: Direction, size: int) -> None:
        self._passed[direction] += size
        cut = self._plan.cut
        if cut is not None and cut.size is not None and self._passed[cut.direction] >= cut.size:
            self._cut(cut)

    def _stall(self, directions: tuple[Direction, ...], seconds: float) -> None:
        for direction in directions:
            self._open[direction].clear()
            asyncio.get_running_loop().call_later(seconds, self._open[direction].set)

    def _cut(self, cut: Cut) -> None:
        """Ends the connection as the plan says: in order, or as if somebody had pulled the plug."""
        self._deeds[f"cuts ({cut.how})"] += 1
        if cut.how == "rst":
            self.reset()
            return
        both: tuple[Direction, ...] = ("up", "down")
        if cut.how == "half":
            self._stall(both, cut.unnoticed)
        directions = both if cut.how == "fin" else (cut.direction,)
        for direction in directions:
            with contextlib.suppress(OSError):
                self._writers[direction].close()

    def reset(self) -> None:
        """Breaks both halves."""
        for gate in self._open.values():
            gate.set()
        for writer in self._writers.values():
            raw = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
