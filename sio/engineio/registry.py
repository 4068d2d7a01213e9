"""Where the live sessions of a process are found by their sid."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .socket import EngineIOSocket

#: Characters of a sid that name its process (48 bits), and random bytes of the rest (144 bits).
_TAG_LENGTH = 8
_RANDOM_BYTES = 18


class SessionRegistry(Protocol):
    """What the transports ask of a registry."""

    def new_sid(self) -> str:
        """Returns a fresh session id: unguessable, since whoever knows it can poll and close the session."""

    def add(self, socket: EngineIOSocket) -> None:
        """Makes a session known."""

    def remove(self, socket: EngineIOSocket) -> None:
        """Forgets a session. Idempotent."""

    def get(self, sid: str) -> EngineIOSocket | None:
        """Returns the live session with that sid."""

    def is_foreign(self, sid: str) -> bool:
        """Whether a sid is of another process: a sign of missing sticky sessions."""

    def __iter__(self) -> Iterator[EngineIOSocket]: ...

    def __len__(self) -> int: ...


class InMemorySessionRegistry:
    """The default registry: the sessions of this process, in memory. A sid starts with the tag of its process."""

    def __init__(self) -> None:
        self._sockets: dict[str, EngineIOSocket] = {}
        self._tag = ""

    def new_sid(self) -> str:
        # The tag is drawn at the first handshake and not at import, where a server that forks would share it among its
        # processes.
        self._tag = self._tag or secrets.token_urlsafe(6)
        return self._tag + secrets.token_urlsafe(_RANDOM_BYTES)

    def add(self, socket: EngineIOSocket) -> None:
        self._sockets[socket.sid] = socket

    def remove(self, socket: EngineIOSocket) -> None:
        self._sockets.pop(socket.sid, None)

    def get(self, sid: str) -> EngineIOSocket | None:
        return self._sockets.get(sid)

    def is_foreign(self, sid: str) -> bool:
        # Anything else of that length counts as foreign too: the worst that follows is one more line in the log.
        return len(sid) == _TAG_LENGTH + _RANDOM_BYTES * 4 // 3 and sid[:_TAG_LENGTH] != self._tag

    def __iter__(self) -> Iterator[EngineIOSocket]:
        return iter(list(self._sockets.values()))

    def __len__(self) -> int:
        return len(self._sockets)


#: The registry of this process.
registry: SessionRegistry = InMemorySessionRegistry()
