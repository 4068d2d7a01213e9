"""Where the live sessions of a server are found by their sid."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

#: Characters of a sid that name its process (48 bits), and random bytes of the rest (144 bits).
_TAG_LENGTH = 8
_RANDOM_BYTES = 18
_MAX_FOREIGN_TAGS = 100


class HasSid(Protocol):
    """What a registry keeps."""

    sid: str


ConnectionT = TypeVar("ConnectionT", bound=HasSid)


class SessionRegistry(Protocol[ConnectionT]):
    """What a server asks of a registry. Another one than the default is an argument of `EngineIOServer`."""

    def new_sid(self) -> str:
        """Returns a fresh session id: unguessable, since everybody who knows it can poll and close the session."""

    def add(self, connection: ConnectionT) -> None:
        """Makes a session known."""

    def remove(self, connection: ConnectionT) -> None:
        """Forgets a session. Idempotent."""

    def get(self, sid: str) -> ConnectionT | None:
        """Returns the live session with that sid."""

    def is_foreign(self, sid: str) -> bool:
        """Whether a sid is of another process that was not heard of before: a sign of missing sticky sessions."""

    def __iter__(self) -> Iterator[ConnectionT]: ...

    def __len__(self) -> int: ...


class InMemorySessionRegistry(Generic[ConnectionT]):
    """The default registry: the sessions of this process, in memory. A sid starts with the tag of its process."""

    def __init__(self) -> None:
        self._connections: dict[str, ConnectionT] = {}
        self._tag = ""
        self._foreign_tags: set[str] = set()

    def new_sid(self) -> str:
        # The tag is drawn at the first handshake and not at import, where a server that forks would share it among its
        # processes.
        self._tag = self._tag or secrets.token_urlsafe(6)
        return self._tag + secrets.token_urlsafe(_RANDOM_BYTES)

    def add(self, connection: ConnectionT) -> None:
        self._connections[connection.sid] = connection

    def remove(self, connection: ConnectionT) -> None:
        self._connections.pop(connection.sid, None)

    def get(self, sid: str) -> ConnectionT | None:
        return self._connections.get(sid)

    def is_foreign(self, sid: str) -> bool:
        """Says so once for each process, and not with each of its clients."""
        tag = sid[:_TAG_LENGTH]
        if len(sid) != _TAG_LENGTH + _RANDOM_BYTES * 4 // 3 or tag == self._tag or tag in self._foreign_tags:
            return False
        # Nor for ever to a client that makes sids up.
        if len(self._foreign_tags) >= _MAX_FOREIGN_TAGS:
            return False
        self._foreign_tags.add(tag)
        return True

    def __iter__(self) -> Iterator[ConnectionT]:
        return iter(list(self._connections.values()))

    def __len__(self) -> int:
        return len(self._connections)
