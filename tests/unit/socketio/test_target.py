"""`Target`: which sockets an operation is for."""

from __future__ import annotations

import pytest

from sio.socketio.target import Target


def test_is_everybody_in_the_namespace_unless_it_says_more() -> None:
    assert Target("/chat") == ("/chat", None, frozenset(), False, False)


def test_those_for_the_same_sockets_are_equal() -> None:
    one, same = (Target("/", frozenset(rooms), frozenset(rooms)) for rooms in (["a", "b"], ["b", "a", "b"]))
    assert (one, hash(one)) == (same, hash(same))


@pytest.mark.parametrize(
    "other",
    [
        Target("/other"),
        Target("/", frozenset()),
        Target("/", frozenset("a")),
        Target("/", except_=frozenset("a")),
        Target("/", local=True),
        Target("/", volatile=True),
    ],
)
def test_those_for_others_are_not(other: Target) -> None:
    assert other != Target("/")


def test_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Target("/").local = True  # type: ignore[misc]
