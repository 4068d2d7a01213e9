"""Room names, the rooms that one socket is in, and which names are private."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from ..exceptions import TooManyRooms

#: A room name, or EVERYONE: the room that every socket of a namespace is in.
Room: TypeAlias = str | None
EVERYONE: Final = None

#: How the ids of sockets begin, each of which is a room that nobody else can join.
PRIVATE_PREFIX: Final = "~"
#: How the rooms of users begin. An id has no colon.
USER_PREFIX: Final = "~user:"

#: Characters of a room name from which on it counts as two rooms, from twice as many on as three, and so on.
LONG_ROOM_NAME = 512


def check_room(room: Any) -> None:
    """Raises TypeError or ValueError for what is no room that an application may name."""
    if not isinstance(room, str):
        raise TypeError(f"a room name is a str, not {room!r}")
    if room.startswith(USER_PREFIX):
        raise ValueError(f"{room!r} is the room of a user: use to_user() or except_user()")


def check_joinable(room: Any) -> None:
    """Raises TypeError or ValueError for what is no room that can be joined."""
    if isinstance(room, str) and room.startswith(PRIVATE_PREFIX):
        raise ValueError(f"{room!r} cannot be joined: what begins with {PRIVATE_PREFIX!r} is the id of a socket")
    check_room(room)


def to_rooms(rooms: str | Iterable[str]) -> frozenset[str]:
    """Returns one room, or several, as a set. Raises TypeError or ValueError for what is no room."""
    names = frozenset((rooms,)) if isinstance(rooms, str) else frozenset(rooms)
    for name in names:
        check_room(name)
    return names


def _size(room: str) -> int:
    return 1 + len(room) // LONG_ROOM_NAME


class JoinedRooms:
    """The rooms of one socket: the one of its own id, and at most `limit` others."""

    __slots__ = ("_limit", "_own", "_size", "names")

    def __init__(self, own: str, limit: int) -> None:
        self._own = own
        self._limit = limit
        self._size = 0
        self.names = {own}

    def add(self, rooms: Iterable[str], owner: object) -> list[str]:
        """Adds rooms. Returns the new ones. Raises TooManyRooms, which names `owner`, with none added."""
        new = [room for room in dict.fromkeys(rooms) if room not in self.names]
        size = self._size + sum(map(_size, new))
        if size > self._limit:
            raise TooManyRooms(f"{owner!r} is in {len(self.names) - 1} rooms, and SIO_MAX_ROOMS is {self._limit}")
        self._size = size
        self.names.update(new)
        return new

    def remove(self, rooms: Iterable[str]) -> list[str]:
        """Removes rooms. Returns those that were there."""
        old = [room for room in dict.fromkeys(rooms) if room in self.names]
        self.names.difference_update(old)
        self._size -= sum(map(_size, old))
        return old

    @property
    def others(self) -> set[str]:
        """All but that of the socket's own id."""
        return self.names - {self._own}
