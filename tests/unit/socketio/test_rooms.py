"""Room names, and the rooms that one socket is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sio import TooManyRooms
from sio.socketio.rooms import LONG_ROOM_NAME, JoinedRooms, check_joinable, check_room, to_rooms

LONG = "x" * LONG_ROOM_NAME


def joined(*rooms: str, limit: int = 3) -> JoinedRooms:
    made = JoinedRooms("own", limit)
    made.add(rooms, "a socket")
    return made


class TestJoinedRooms:
    def test_socket_is_in_its_own_room_from_the_beginning(self) -> None:
        assert (joined().names, joined().others) == ({"own"}, set())

    def test_others_are_all_but_its_own(self) -> None:
        assert joined("a", "b").others == {"a", "b"}
        assert joined("a", "b").names == {"own", "a", "b"}

    @pytest.mark.parametrize(
        ("rooms", "new"),
        [
            (["a"], []),
            (["own"], []),
            (["b"], ["b"]),
            ([""], [""]),
            (["b", "a", "c", "b"], ["b", "c"]),
            (["b", "c", "a", "own"], ["b", "c"]),
            ([], []),
        ],
    )
    def test_room_is_new_once(self, rooms: list[str], new: list[str]) -> None:
        made = joined("a")
        assert made.add(rooms, "a socket") == new
        assert made.names == {"own", "a", *rooms}
        assert made.add(rooms, "a socket") == []

    @pytest.mark.parametrize(
        ("rooms", "old"),
        [
            (["a"], ["a"]),
            (["own"], ["own"]),
            (["b"], []),
            (["b", "c", "own", "a", "c"], ["c", "own", "a"]),
            ([], []),
        ],
    )
    def test_room_is_left_once(self, rooms: list[str], old: list[str]) -> None:
        made = joined("a", "c")
        assert [made.remove(rooms), made.remove(rooms)] == [old, []]
        assert made.names == {"own", "a", "c"} - {*rooms}

    @pytest.mark.parametrize(
        ("rooms", "more", "fits"),
        [
            ((), ["a"], True),
            (("a", "b"), ["c"], True),
            (("a", "b", "c"), ["d"], False),
            (("a", "b", "c"), ["a"], True),
            (("a",), [LONG], True),
            (("a", "b"), [LONG], False),
            (("a", "b"), [LONG[1:]], True),
            ((LONG,), ["a"], True),
            ((LONG, "a"), ["b"], False),
            ((), [LONG * 2], True),
            ((), [LONG * 3], False),
            ((), ["a", "b", "c"], True),
            ((), ["a", "b", "c", "d"], False),
            (("a",), ["b", "a", "c", "b"], True),
            (("a", "b"), ["c", "d"], False),
            ((), ["a", LONG], True),
            (("a",), ["b", LONG], False),
        ],
    )
    def test_size_of_the_names_is_bounded(self, rooms: tuple[str, ...], more: list[str], fits: bool) -> None:
        made = joined(*rooms)
        if fits:
            made.add(more, "a socket")
            assert made.others == {*rooms, *more}
        else:
            with pytest.raises(TooManyRooms, match=rf"^'a socket' is in {len(rooms)} rooms, and SIO_MAX_ROOMS is 3$"):
                made.add(more, "a socket")
            assert made.others == {*rooms}

    def test_room_that_was_left_makes_room_for_as_much(self) -> None:
        rooms = joined(LONG, "a")
        rooms.remove(["b", LONG, LONG])
        for room in ("b", "c"):
            rooms.add([room], "a socket")
        with pytest.raises(TooManyRooms):
            rooms.add(["d"], "a socket")


class TestNames:
    @pytest.mark.parametrize("check", [check_room, check_joinable])
    @pytest.mark.parametrize("room", ["", "a", "/", "é\x00", "a~", " ~user:1", "user:1", "x" * 1_000_000])
    def test_any_string_is_a_room_name(self, check: Callable[[Any], None], room: str) -> None:
        check(room)

    @pytest.mark.parametrize("check", [check_room, check_joinable])
    @pytest.mark.parametrize("room", [None, 1, b"a", b"~a", ["a"], True])
    def test_nothing_else_is_a_room_name(self, check: Callable[[Any], None], room: Any) -> None:
        with pytest.raises(TypeError, match="a room name is a str, not "):
            check(room)

    @pytest.mark.parametrize("room", ["~", "~a", "~user", "~user:1", "~~"])
    def test_private_name_cannot_be_joined(self, room: str) -> None:
        with pytest.raises(
            ValueError, match=f"^'{room}' cannot be joined: what begins with '~' is the id of a socket$"
        ):
            check_joinable(room)

    @pytest.mark.parametrize("room", ["~", "~a", "~user", "~User:1"])
    def test_id_of_a_socket_can_be_named(self, room: str) -> None:
        check_room(room)

    @pytest.mark.parametrize("room", ["~user:", "~user:1"])
    def test_room_of_a_user_cannot_be_named(self, room: str) -> None:
        with pytest.raises(ValueError, match=f"^'{room}' is the room of a user: use "):
            check_room(room)


class TestToRooms:
    @pytest.mark.parametrize(
        ("rooms", "names"),
        [
            ("red", {"red"}),
            ("", {""}),
            (["red", "blue", "red"], {"red", "blue"}),
            ({"red": 1}, {"red"}),
            (iter(["red", "~id"]), {"red", "~id"}),
            ((), set()),
        ],
    )
    def test_one_room_or_several_are_a_set(self, rooms: Any, names: set[str]) -> None:
        assert to_rooms(rooms) == names

    @pytest.mark.parametrize(
        ("rooms", "error"),
        [
            (5, TypeError),
            (None, TypeError),
            (b"red", TypeError),
            (["red", None], TypeError),
            ([["red"]], TypeError),
            ("~user:1", ValueError),
            (["red", "~user:1"], ValueError),
        ],
    )
    def test_what_is_no_room_is_an_error(self, rooms: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            to_rooms(rooms)
