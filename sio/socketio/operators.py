"""`BroadcastOperator`: which sockets of a namespace an operation is for, and the operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ..engineio.protocol.packets import EncodedPacket
from .broadcast import Broadcaster
from .rooms import to_rooms
from .target import Target


@dataclass(frozen=True, slots=True)
class BroadcastOperator:
    """Some sockets of a namespace, in all processes: at first all of them.

    Each modifier returns a new operator, so one can be kept and used again, in any thread. Operators of one server that
    are for the same sockets are equal.
    """

    _broadcaster: Broadcaster = field(repr=False)
    _target: Target

    @property
    def namespace(self) -> str:
        """The name of the namespace."""
        return self._target.namespace

    # Modifiers

    def to(self, *rooms: str | Iterable[str]) -> Self:
        """Sockets in any of these rooms, beside those of earlier `to` and `to_user`. The id of a socket is a room with
        only that socket. An empty list of rooms is nobody.

        Raises TypeError without a room and for one that is no string, and ValueError for the room of a user.
        """
        return self._with_rooms(_names("to", rooms))

    def to_user(self, *users: Any) -> Self:
        """Sockets of these users, in all their tabs and devices, beside those of earlier `to` and `to_user`.

        A user is an object or a primary key. An anonymous one has no sockets. Raises TypeError without a user, and
        ValueError for None, and for one that has not been saved yet.
        """
        return self._with_rooms(self._user_rooms("to_user", users))

    def except_(self, *rooms: str | Iterable[str]) -> Self:
        """Without the sockets in any of these rooms: it wins over `to`. Raises what `to` raises."""
        return self._without_rooms(_names("except_", rooms))

    def except_user(self, *users: Any) -> Self:
        """Without the sockets of these users. Raises what `to_user` raises."""
        return self._without_rooms(self._user_rooms("except_user", users))

    @property
    def local(self) -> Self:
        """Only sockets of this process."""
        return self._replace(local=True)

    @property
    def volatile(self) -> Self:
        """Only sockets to which an event can leave at once."""
        return self._replace(volatile=True)

    def _with_rooms(self, rooms: frozenset[str]) -> Self:
        return self._replace(rooms=rooms | (self._target.rooms or frozenset()))

    def _without_rooms(self, rooms: frozenset[str]) -> Self:
        return self._replace(except_=rooms | self._target.except_)

    def _user_rooms(self, method: str, users: tuple[Any, ...]) -> frozenset[str]:
        if not users:
            raise TypeError(f"{method}() needs at least one user")
        return frozenset(room for user in users if (room := self._broadcaster.users.room_of(user)) is not None)

    def _replace(self, **changes: Any) -> Self:
        return type(self)(self._broadcaster, self._target._replace(**changes))

    # Operations

    async def emit(self, event: str, *args: Any) -> None:
        """Sends an event. Raises EncodingError, and TypeError or ValueError for what is no event name; nothing is sent
        then. It may be awaited on any event loop, in any thread.
        """
        await self._broadcaster.emit(self._target, event, args)

    async def send(self, *args: Any) -> None:
        """Sends the event `message`."""
        await self.emit("message", *args)

    def encode(self, event: str, *args: Any) -> EncodedEvent:
        """Returns an event that is encoded now, in any thread, and sent later. Raises what `emit` raises."""
        return EncodedEvent(self._broadcaster, self._target, self._broadcaster.encode(self._target, event, args))


class EncodedEvent:
    """An event on its way to some sockets, as it was when it was encoded."""

    __slots__ = ("_broadcaster", "_packets", "_target")

    def __init__(self, broadcaster: Broadcaster, target: Target, packets: Sequence[EncodedPacket]) -> None:
        self._broadcaster = broadcaster
        self._target = target
        self._packets = packets

    async def send(self) -> None:
        """Sends it. It may be awaited on any event loop, in any thread."""
        await self._broadcaster.send(self._target, self._packets)


def _names(method: str, rooms: tuple[str | Iterable[str], ...]) -> frozenset[str]:
    if not rooms:
        raise TypeError(f"{method}() needs at least one room: to([]) is nobody")
    return frozenset[str]().union(*map(to_rooms, rooms))
