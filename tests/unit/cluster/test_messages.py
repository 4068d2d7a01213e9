"""What is on the layer: names of groups, and broadcasts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from sio.cluster.messages import Broadcast, group_name, target_room
from sio.socketio.target import Target


def message(**changes: Any) -> dict[str, Any]:
    """Returns a broadcast as another process sends it."""
    return {
        "type": "sio.broadcast",
        "version": 1,
        "sender": "other",
        "number": 1,
        "previous": 0,
        "namespace": "/chat",
        "rooms": None,
        "except": [],
        "packets": ['42/chat,["x"]'],
        "volatile": False,
    } | changes


def target(namespace: str, rooms: Iterable[str], except_: Iterable[str], *, volatile: bool = False) -> Target:
    return Target(namespace, frozenset(rooms), frozenset(except_), volatile=volatile)


class TestGroupName:
    def test_rooms_never_share_a_group(self) -> None:
        rooms = [
            ("/a", "b"),
            ("/ab", ""),
            ("/a_b", "c"),
            ("/a", "b_c"),
            ("/a", "é"),
            ("/a", "ü"),
            ("/a", ""),
            ("/a", None),
            ("/a", "None"),
            ("/a", "e"),
            ("/ae", ""),
            ("/ae", None),
        ]
        assert len({group_name(*room) for room in rooms}) == len(rooms)

    @pytest.mark.parametrize("room", ["", "/", "a b", "日本", "\ud800", "x" * 10_000, "a!b", None])
    def test_is_a_name_that_any_layer_takes(self, room: str | None) -> None:
        assert InMemoryChannelLayer().require_valid_group_name(group_name("/é", room))

    def test_servers_of_different_names_have_different_groups(self) -> None:
        rooms = [("/chat", "room", ""), ("/chat", "room", "a"), ("/chat", "room", "ab"), ("b/chat", "room", "a")]
        assert len({group_name(*room) for room in rooms}) == len(rooms)

    def test_is_the_same_in_every_process(self) -> None:
        """And in every version: processes of two versions run side by side while a site is renewed."""
        assert group_name("/chat", "room") == "sio.72f8c0f3931072b609a1466a7de46fba1ac7e8c5"


@pytest.mark.parametrize(
    ("rooms", "room"),
    [(None, None), (["a"], "a"), ([""], ""), (["~user:1"], "~user:1"), (["a", "b"], None), ([], None)],
)
def test_target_is_the_only_room_or_the_namespace(rooms: list[str] | None, room: str | None) -> None:
    assert target_room(None if rooms is None else frozenset(rooms)) == room


class TestBroadcast:
    @pytest.mark.parametrize(
        "broadcast",
        [
            Broadcast("me", 1, 0, Target("/"), ('42["x"]',)),
            Broadcast("me", 7, 5, target("/chat", "ab", "c", volatile=True), ('451-["x"]', b"\x00\xff")),
            Broadcast("me", 2, 1, target("/é", ["", "日本", "\ud800"], ["\udfff"]), ()),
            Broadcast("me", 2, 1, target("/", [], []), ()),
        ],
        ids=["namespace", "rooms and attachments", "names that are no UTF-8", "no room"],
    )
    def test_arrives_as_it_was_sent(self, broadcast: Broadcast) -> None:
        assert Broadcast.from_message(broadcast.to_message()) == broadcast

    def test_message_has_what_any_serializer_of_bytes_takes(self) -> None:
        broadcast = Broadcast("me", 2, 1, target("/chat", ["\ud800"], "a", volatile=True), ("text", b"bytes"))
        assert broadcast.to_message() == {
            "type": "sio.broadcast",
            "version": 1,
            "sender": "me",
            "number": 2,
            "previous": 1,
            "namespace": "/chat",
            "rooms": [b"\xed\xa0\x80"],
            "except": [b"a"],
            "packets": ["text", b"bytes"],
            "volatile": True,
        }

    def test_message_of_a_process_that_knows_nothing_of_volatile_is_read(self) -> None:
        old = message()
        del old["volatile"]
        assert Broadcast.from_message(old) == Broadcast("other", 1, 0, Target("/chat"), ('42/chat,["x"]',))

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"version": 2}, ValueError),
            ({"type": "other"}, ValueError),
            ({"packets": [1]}, TypeError),
            ({"packets": None}, TypeError),
            ({"rooms": ["text"]}, TypeError),
            ({"rooms": [b"\xff"]}, ValueError),
            ({"except": ["text"]}, TypeError),
            ({"number": "x"}, ValueError),
            ({"number": None}, TypeError),
        ],
    )
    def test_message_of_another_kind_is_refused(self, changes: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            Broadcast.from_message(message(**changes))

    @pytest.mark.parametrize("missing", [key for key in message() if key != "volatile"])
    def test_message_without_a_part_is_refused(self, missing: str) -> None:
        with pytest.raises(KeyError):
            Broadcast.from_message({key: value for key, value in message().items() if key != missing})

    @pytest.mark.parametrize("other", [None, "text", 1, []])
    def test_what_is_no_message_is_refused(self, other: Any) -> None:
        with pytest.raises(TypeError):
            Broadcast.from_message(other)
