"""Whose a socket is: what a server leaves to others to know."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from .rooms import USER_PREFIX


class Users:
    """Users by a key, which is a string. By itself it knows only what middleware put into the scope, by its `str`.

    Subclass it, and pass it to `SocketIOServer`.
    """

    def get(self, scope: MutableMapping[str, Any]) -> Any:
        """Returns the user of an ASGI scope, or raises what says why there is none."""
        return scope.get("user")

    def key_in(self, scope: MutableMapping[str, Any]) -> str | None:
        """Returns the key of the user of an ASGI scope; None for an anonymous one, and if nobody knows."""
        user = scope.get("user")
        return None if user is None else self.key_of(user)

    def key_of(self, user: Any) -> str | None:
        """Returns the key of a user, an object or a primary key; None for an anonymous one. Raises ValueError for what
        is no user.
        """
        if user is None:
            raise ValueError("None is no user")
        return str(user)

    def room_in(self, scope: MutableMapping[str, Any]) -> str | None:
        """Returns the room of the user of an ASGI scope; None if there is none."""
        key = self.key_in(scope)
        return None if key is None else USER_PREFIX + key

    def room_of(self, user: Any) -> str | None:
        """Returns the room of a user; None for an anonymous one. Raises what `key_of` raises."""
        key = self.key_of(user)
        return None if key is None else USER_PREFIX + key
