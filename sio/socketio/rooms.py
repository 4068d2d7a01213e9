"""Room names, and the rooms that one socket is in."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from ..exceptions import TooManyRooms

#: A room name, or EVERYONE: the room that every socket of a namespace is in.
Room: TypeAlias = str | None
EVERYONE: Final = None

#: Characters of a room name from which on it counts as two rooms, from twice as many on as three, and so on.
LONG_ROOM_NAME = 512


def check_room(room: Any) -> None:
    """Raises TypeError for what is no room name."""
    if not isinstance(room, str):
        raise TypeError(f"a room name is a str, not {room!r}")


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

    def add(self, room: str, owner: object) -> bool:
        """Adds a room. Returns whether it is new. Raises TooManyRooms, which names `owner`."""
        if room in self.names:
            return False
        size = self._size + _size(room)
        if size > self._limit:
            raise TooManyRooms(f"{owner!r} is in {len(self.names) - 1} rooms, and SIO_MAX_ROOMS is {self._limit}")
        self._size = size
        self.names.add(room)
        return True

    def remove(self, room: str) -> bool:
        """Removes a room. Returns whether it was there."""
        if room not in self.names:
            return False
        self.names.remove(room)
        self._size -= _size(room)
        return True

    @property
    def others(self) -> set[str]:
        """All but that of the socket's own id."""
        return self.names - {self._own}
