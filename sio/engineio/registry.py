"""Where the live sessions of a process are found by their sid."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from .handshake import Unavailable
from .options import EngineIOOptions

if TYPE_CHECKING:
    from .socket import EngineIOSocket

logger = logging.getLogger("sio.engineio")

#: Characters of a sid that name its process (48 bits), and random bytes of the rest (144 bits).
_TAG_LENGTH = 8
_RANDOM_BYTES = 18
_MAX_FOREIGN_TAGS = 100
#: When to come back to a full process, in seconds: official clients wait that long at most (`reconnectionDelayMax`).
_RETRY_AFTER = 5


class SessionRegistry(Protocol):
    """What the transports ask of a registry."""

    #: Sessions that were ended because their client took too little of what it was sent.
    slow_consumers: int
    #: Handshakes that were refused because there were too many sessions.
    refused: int
    #: Handshakes that wait for the application to decide about them. Each takes the place of a session.
    undecided: int

    def admit(self, options: EngineIOOptions) -> None:
        """Raises Unavailable if one more session would be too many."""

    def new_sid(self) -> str:
        """Returns a fresh session id: unguessable, since whoever knows it can poll and close the session."""

    def add(self, socket: EngineIOSocket) -> None:
        """Makes a session known."""

    def joined(self, socket: EngineIOSocket) -> None:
        """A session joined a namespace. Idempotent, and nothing for one that is over."""

    def remove(self, socket: EngineIOSocket, *, lingers: bool = False) -> None:
        """Forgets a session. Idempotent. One that `lingers` keeps its place, since something of it still runs."""

    def release(self, socket: EngineIOSocket) -> None:
        """Takes its place from a session that lingered. Idempotent."""

    def get(self, sid: str) -> EngineIOSocket | None:
        """Returns the live session with that sid."""

    def is_foreign(self, sid: str) -> bool:
        """Whether a sid is of another process that was not heard of before: a sign of missing sticky sessions."""

    def __iter__(self) -> Iterator[EngineIOSocket]: ...

    def __len__(self) -> int: ...


class InMemorySessionRegistry:
    """The default registry: the sessions of this process, in memory. A sid starts with the tag of its process."""

    def __init__(self) -> None:
        self.slow_consumers = 0
        self.refused = 0
        self.undecided = 0
        self._sockets: dict[str, EngineIOSocket] = {}
        #: Those that joined no namespace yet, and the settings whose bound was reached and is told in the log.
        self._unjoined: set[EngineIOSocket] = set()
        self._told: set[str] = set()
        #: Those that are over, and of which something still runs.
        self._lingering: set[EngineIOSocket] = set()
        self._tag = ""
        self._foreign_tags: set[str] = set()

    def new_sid(self) -> str:
        # The tag is drawn at the first handshake and not at import, where a server that forks would share it among its
        # processes.
        self._tag = self._tag or secrets.token_urlsafe(6)
        return self._tag + secrets.token_urlsafe(_RANDOM_BYTES)

    def admit(self, options: EngineIOOptions) -> None:
        places = len(self._sockets) + len(self._lingering) + self.undecided
        self._check("SIO_MAX_SESSIONS", places, options.max_sessions)
        self._check("SIO_MAX_UNJOINED_SESSIONS", len(self._unjoined) + self.undecided, options.max_unjoined_sessions)

    def _check(self, setting: str, count: int, limit: int | None) -> None:
        if limit is None:
            return
        if count >= limit:
            self.refused += 1
            if setting not in self._told:
                self._told.add(setting)
                logger.warning("Refusing handshakes: %s = %d is reached%s", setting, limit, self._what_lingers())
            raise Unavailable(f"{setting} is reached", _RETRY_AFTER)
        # Told again when it is reached again, but not for each session that leaves a full process.
        if count <= limit * 0.9:
            self._told.discard(setting)

    def _what_lingers(self) -> str:
        count = len(self._lingering)
        return f" ({count} of them are over, but for handlers that run, or clients that do not read)" if count else ""

    def add(self, socket: EngineIOSocket) -> None:
        self._sockets[socket.sid] = socket
        self._unjoined.add(socket)

    def joined(self, socket: EngineIOSocket) -> None:
        self._unjoined.discard(socket)

    def remove(self, socket: EngineIOSocket, *, lingers: bool = False) -> None:
        self._sockets.pop(socket.sid, None)
        if lingers:
            self._lingering.add(socket)
        else:
            self._unjoined.discard(socket)

    def release(self, socket: EngineIOSocket) -> None:
        self._lingering.discard(socket)
        self._unjoined.discard(socket)

    def get(self, sid: str) -> EngineIOSocket | None:
        return self._sockets.get(sid)

    def is_foreign(self, sid: str) -> bool:
        tag = sid[:_TAG_LENGTH]
        if len(sid) != _TAG_LENGTH + _RANDOM_BYTES * 4 // 3 or tag == self._tag or tag in self._foreign_tags:
            return False
        # Each process is told once, and not with each of its clients; and whoever makes sids up is not told for ever.
        if len(self._foreign_tags) >= _MAX_FOREIGN_TAGS:
            return False
        self._foreign_tags.add(tag)
        return True

    def __iter__(self) -> Iterator[EngineIOSocket]:
        return iter(list(self._sockets.values()))

    def __len__(self) -> int:
        return len(self._sockets)


#: The registry of this process.
registry: SessionRegistry = InMemorySessionRegistry()
