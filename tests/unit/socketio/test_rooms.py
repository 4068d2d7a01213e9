"""Room names, and the rooms that one socket is in."""

from __future__ import annotations

from typing import Any

import pytest

from sio import TooManyRooms
from sio.socketio.rooms import LONG_ROOM_NAME, JoinedRooms, check_room

LONG = "x" * LONG_ROOM_NAME


def joined(*rooms: str, limit: int = 3) -> JoinedRooms:
    made = JoinedRooms("own", limit)
    for room in rooms:
        made.add(room, "a socket")
    return made


class TestJoinedRooms:
    def test_socket_is_in_its_own_room_from_the_beginning(self) -> None:
        assert (joined().names, joined().others) == ({"own"}, set())

    def test_others_are_all_but_its_own(self) -> None:
        assert joined("a", "b").others == {"a", "b"}
        assert joined("a", "b").names == {"own", "a", "b"}

    @pytest.mark.parametrize(("room", "is_new"), [("a", False), ("own", False), ("b", True), ("", True)])
    def test_room_is_new_once(self, room: str, is_new: bool) -> None:
        rooms = joined("a")
        assert rooms.add(room, "a socket") is is_new
        assert room in rooms.names

    @pytest.mark.parametrize(("room", "was_there"), [("a", True), ("own", True), ("b", False)])
    def test_room_is_left_once(self, room: str, was_there: bool) -> None:
        rooms = joined("a")
        assert [rooms.remove(room), rooms.remove(room)] == [was_there, False]
        assert room not in rooms.names

    @pytest.mark.parametrize(
        ("rooms", "more", "fits"),
        [
            ((), "a", True),
            (("a", "b"), "c", True),
            (("a", "b", "c"), "d", False),
            (("a", "b", "c"), "a", True),
            (("a",), LONG, True),
            (("a", "b"), LONG, False),
            (("a", "b"), LONG[1:], True),
            ((LONG,), "a", True),
            ((LONG, "a"), "b", False),
            ((), LONG * 2, True),
            ((), LONG * 3, False),
        ],
    )
    def test_size_of_the_names_is_bounded(self, rooms: tuple[str, ...], more: str, fits: bool) -> None:
        made = joined(*rooms)
        if fits:
            made.add(more, "a socket")
            assert made.others == {*rooms, more}
        else:
            with pytest.raises(TooManyRooms, match=rf"^'a socket' is in {len(rooms)} rooms, and SIO_MAX_ROOMS is 3$"):
                made.add(more, "a socket")
            assert made.others == {*rooms}

    def test_room_that_was_left_makes_room_for_as_much(self) -> None:
        rooms = joined(LONG, "a")
        rooms.remove("b")
        rooms.remove(LONG)
        for room in ("b", "c"):
            rooms.add(room, "a socket")
        with pytest.raises(TooManyRooms):
            rooms.add("d", "a socket")


@pytest.mark.parametrize("room", ["", "a", "/", "é\x00", "x" * 1_000_000])
def test_any_string_is_a_room_name(room: str) -> None:
    check_room(room)


@pytest.mark.parametrize("room", [None, 1, b"a", ["a"], True])
def test_nothing_else_is_a_room_name(room: Any) -> None:
    with pytest.raises(TypeError, match="a room name is a str, not "):
        check_room(room)
