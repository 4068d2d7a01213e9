"""`Users`: whose a socket is, as far as a server without a framework can know."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest

from sio.socketio.users import Users

ADA = object()


class TestUsers:
    """A user is what stands in the scope, and its key is its `str`."""

    @pytest.mark.parametrize(("scope", "user"), [({"user": ADA}, ADA), ({"user": None}, None), ({}, None)])
    def test_user_is_the_one_of_the_scope(self, scope: dict[str, Any], user: Any) -> None:
        assert Users().get(scope) is user

    @pytest.mark.parametrize(("user", "key"), [("ada", "ada"), (5, "5"), ("5", "5"), ("", "")])
    def test_user_has_the_same_key_in_a_scope_and_by_itself(self, user: Any, key: str) -> None:
        users = Users()
        assert users.key_in({"user": user}) == users.key_of(user) == key
        assert users.room_in({"user": user}) == users.room_of(user) == f"~user:{key}"

    @pytest.mark.parametrize("scope", [{}, {"user": None}])
    def test_scope_without_a_user_has_no_room(self, scope: dict[str, Any]) -> None:
        assert (Users().key_in(scope), Users().room_in(scope)) == (None, None)

    def test_none_is_no_user(self) -> None:
        for method in (Users().key_of, Users().room_of):
            with pytest.raises(ValueError, match="None is no user"):
                method(None)


class Guests(Users):
    """Knows anonymous users, and keeps users under another name."""

    def get(self, scope: MutableMapping[str, Any]) -> Any:
        return scope["person"]

    def key_in(self, scope: MutableMapping[str, Any]) -> str | None:
        return self.key_of(scope["person"])

    def key_of(self, user: Any) -> str | None:
        return None if user == "guest" else str(user)


class TestSubclass:
    """It says what the keys are, and rooms follow."""

    @pytest.mark.parametrize(("user", "room"), [("ada", "~user:ada"), ("guest", None)])
    def test_rooms_are_those_of_the_keys(self, user: str, room: str | None) -> None:
        users = Guests()
        assert users.get({"person": user}) == user
        assert users.room_in({"person": user}) == users.room_of(user) == room
