"""The consumer that clients talk to. It numbers what it sends, and writes down what it got and sent.

Each event begins with the stamp of its client: the id of its socket, and the running number of the event. Each
acknowledgement ends with how many messages the client was sent in the session until then: it must have just as many.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from sio import NamespaceSocket, SocketIOConsumer
from sio.exceptions import AckTimeout, Disconnected
from tests.soak.payloads import binary
from tests.soak.runs import Runs

#: The next number of each room.
said: Counter[str] = Counter()

#: Everybody is in it, from the first moment on.
LOBBY = "lobby"

#: How long a client may take to answer a question, in seconds.
PATIENCE = 2.0


def write(**record: Any) -> None:
    """Prints a record for the ledger."""
    sys.stdout.write(f"RECORD {json.dumps({'side': 'server', **record})}\n")
    sys.stdout.flush()


class SoakConsumer(SocketIOConsumer):
    """What each socket got and sent is with its own instance."""

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.took = Runs()
        self.sent = 0
        self.faults: list[str] = []
        self.outcomes: Counter[str] = Counter()
        #: When the socket was in which room, as runs of the room's numbers; in the open ones, the first number.
        self.stays: dict[str, list[list[int]]] = {}
        self.open: dict[str, int] = {}
        write(hook="connect", id=socket.id)
        await asyncio.sleep(auth.get("hesitate", 0) / 1000)
        await self._send(socket)
        # Nothing waits between this and the acceptance, from which on the room is heard.
        await self._join(socket, LOBBY)
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        for room in list(self.open):
            self._close_stay(room)
        write(
            hook="disconnect",
            id=socket.id,
            transport=str(socket.transport),
            reason=str(reason),
            took=self.took.pairs,
            sent=self.sent,
            rooms=self.stays,
            faults=self.faults[:10],
            outcomes=self.outcomes,
        )

    # What clients ask for

    async def event_note(self, socket: NamespaceSocket, stamp: Any, text: str, replies: int) -> Any:
        self._take(socket, stamp)
        for _ in range(replies):
            await self._send(socket)
        return self._receipt(stamp)

    async def event_blob(self, socket: NamespaceSocket, stamp: Any, first: bytes, second: bytes) -> Any:
        self._take(socket, stamp)
        if first != binary(stamp[1]) or second != binary(stamp[1] + 1):
            self.faults.append(f"the attachments of {stamp[1]} are wrong")
        await self._send(socket)
        return self._receipt(stamp)

    async def event_join(self, socket: NamespaceSocket, stamp: Any, room: str) -> Any:
        self._take(socket, stamp)
        await self._join(socket, room)
        return self._receipt(stamp)

    async def event_leave(self, socket: NamespaceSocket, stamp: Any, room: str) -> Any:
        self._take(socket, stamp)
        if room in self.open:
            await socket.leave(room)
            self._close_stay(room)
        return self._receipt(stamp)

    async def event_say(self, socket: NamespaceSocket, stamp: Any, room: str) -> Any:
        self._take(socket, stamp)
        number = said[room]
        said[room] += 1
        data = [binary(number)] if number % 5 == 0 else []
        await socket.server.emit("said", room, number, *data, room=room)
        return self._receipt(stamp)

    async def event_ask(self, socket: NamespaceSocket, stamp: Any) -> Any:
        """Has the client acknowledge something in its turn, while its event is handled."""
        self._take(socket, stamp)
        number = self.sent
        self.sent += 1
        try:
            answer = await socket.call("question", socket.id, number, timeout=PATIENCE)
        except (AckTimeout, Disconnected) as error:
            self.outcomes[type(error).__name__] += 1
            return self._receipt(stamp)
        self.outcomes["answered"] += 1
        if answer != number:
            self.faults.append(f"the question {number} was answered with {answer!r}")
        return self._receipt(stamp)

    async def event_poke(self, socket: NamespaceSocket, stamp: Any) -> Any:
        """Wants an acknowledgement, and does not wait for it."""
        self._take(socket, stamp)
        number = self.sent
        self.sent += 1
        await socket.emit("question", socket.id, number, callback=lambda answer: self._poked(number, answer))
        return self._receipt(stamp)

    async def event_bye(self, socket: NamespaceSocket, stamp: Any, close: bool) -> None:
        self._take(socket, stamp)
        await self._send(socket)
        await socket.disconnect(close)

    # What it keeps

    def _poked(self, number: int, answer: Any) -> None:
        self.outcomes["poked"] += 1
        if answer != number:
            self.faults.append(f"the poke {number} was answered with {answer!r}")

    def _take(self, socket: NamespaceSocket, stamp: Any) -> None:
        if stamp[0] != socket.id:
            self.faults.append(f"got the event {stamp[1]} of {stamp[0]}")
        self.took.add(stamp[1])

    async def _send(self, socket: NamespaceSocket) -> None:
        number = self.sent
        self.sent += 1
        data = [binary(number)] if number % 7 == 0 else []
        await socket.emit("sent", socket.id, number, *data)

    async def _join(self, socket: NamespaceSocket, room: str) -> None:
        if room not in self.open:
            await socket.join(room)
            self.open[room] = said[room]

    def _close_stay(self, room: str) -> None:
        first, end = self.open.pop(room), said[room]
        if end > first:
            self.stays.setdefault(room, []).append([first, end - 1])

    def _receipt(self, stamp: Any) -> tuple[int, int]:
        """The number of the event, and how many messages the client has been sent."""
        heard = sum(last - first + 1 for stays in self.stays.values() for first, last in stays)
        hearing = sum(said[room] - first for room, first in self.open.items())
        return stamp[1], self.sent + heard + hearing
