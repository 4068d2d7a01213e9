"""The rooms of the chat and what they remember, in the memory of this process.

Several server processes would keep this in a store that they share, such as Redis or the database. The messages
themselves reach the clients of every process through the channel layer.
"""

from collections import Counter, deque
from typing import Any

from django.utils import timezone

from chat.inputs import InvalidInput

DEFAULT_ROOMS = ("Lobby", "Django", "Random")
MAX_ROOMS = 100
HISTORY_LENGTH = 50
# A person who joins is sent the whole history at once, so it stays well below what one client may have queued.
HISTORY_BYTES = 4_000_000

# As clients receive it: id, room, author, at; and text, or image (bytes) and its media type as type.
Message = dict[str, Any]


class Room:
    """Who is in a room, and its last messages."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.history: deque[Message] = deque(maxlen=HISTORY_LENGTH)
        # One person may be here several times: with two tabs, or while a lost connection has not been noticed yet.
        self._connections: Counter[str] = Counter()

    @property
    def people(self) -> list[str]:
        """The nicknames of those who are here."""
        return sorted(self._connections, key=str.casefold)

    def enter(self, nickname: str) -> bool:
        """Let somebody in, and tell whether this is news to the others."""
        self._connections[nickname] += 1
        return self._connections[nickname] == 1

    def leave(self, nickname: str) -> bool:
        """Let somebody out, and tell whether this is news to the others."""
        self._connections[nickname] -= 1
        if self._connections[nickname] > 0:
            return False
        del self._connections[nickname]
        return True

    def remember(self, message: Message) -> None:
        """Add a message to the history, at the expense of the oldest ones."""
        self.history.append(message)
        while sum(len(kept.get("image", b"")) for kept in self.history) > HISTORY_BYTES:
            self.history.popleft()

    def find(self, message_id: str, author: str) -> Message | None:
        """Return the message that `author` has sent under this id already."""
        matching = (kept for kept in self.history if (kept["id"], kept["author"]) == (message_id, author))
        return next(matching, None)


rooms = {name: Room(name) for name in DEFAULT_ROOMS}
started = timezone.now()


def open_room(name: str) -> Room:
    """Return the room called `name`, a new one if need be."""
    if name not in rooms:
        if len(rooms) >= MAX_ROOMS:
            _forget_an_empty_room()
        rooms[name] = Room(name)
    return rooms[name]


def status() -> dict[str, Any]:
    """Return what everybody may know: the rooms in use, how many people are in each, and since when this runs."""
    listed = [room for room in rooms.values() if room.people or room.name in DEFAULT_ROOMS]
    return {
        "started": started,
        "online": len({nickname for room in listed for nickname in room.people}),
        "rooms": [{"name": room.name, "people": len(room.people)} for room in listed],
    }


def _forget_an_empty_room() -> None:
    for name, room in rooms.items():
        if not room.people and name not in DEFAULT_ROOMS:
            del rooms[name]
            return
    raise InvalidInput("There are too many rooms already. Please join one of them.")
