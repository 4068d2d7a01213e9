"""Attachments take the place of their placeholders, in small payloads and in large ones alike."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from sio.exceptions import SocketIOParseError
from sio.socketio.protocol.attachments import fill, parse_filled

ATTACHMENTS = [b"zero", b"one"]


def placeholder(number: Any = 0, **more: Any) -> dict[str, Any]:
    return {"_placeholder": True, "num": number, **more}


def small(data: Any) -> Any:
    """Fills a payload in as the parser does with a small one."""
    made = json.loads(json.dumps(data))
    fill(made, ATTACHMENTS)
    return made


def large(data: Any) -> Any:
    """Fills a payload in as the parser does with a large one, which it parses again."""
    text = json.dumps(data)
    return parse_filled(f"[{text}]", 1, ATTACHMENTS)


def outcome(function: Any, data: Any) -> Any:
    try:
        return function(data)
    except SocketIOParseError as error:
        return str(error)


@pytest.mark.parametrize("function", [small, large])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], []),
        (["a", 1, None, {}], ["a", 1, None, {}]),
        (["a", placeholder()], ["a", b"zero"]),
        ([placeholder(1), [placeholder(0)], {"a": {"b": placeholder(1)}}], [b"one", [b"zero"], {"a": {"b": b"one"}}]),
        ([placeholder(), placeholder()], [b"zero", b"zero"]),
        ([placeholder(0, more=1)], [b"zero"]),
        ([{"_placeholder": 1, "num": 0}], [{"_placeholder": 1, "num": 0}]),
        ([placeholder(0, inner=placeholder(1))], [b"zero"]),
        # As in the reference: nothing looks at what stands in a placeholder.
        ([placeholder(0, inner=[[placeholder(7)]])], [b"zero"]),
    ],
)
def test_attachment_takes_the_place_of_its_placeholder(function: Any, data: Any, expected: Any) -> None:
    assert function(data) == expected


@pytest.mark.parametrize("function", [small, large])
@pytest.mark.parametrize(
    "data",
    [
        [placeholder(2)],
        [placeholder(-1)],
        [placeholder(True)],
        [placeholder(0.0)],
        [placeholder("splice")],
        [placeholder(None)],
        [{"_placeholder": True}],
        [placeholder(0, inner=placeholder(7)), [{"a": placeholder(7)}]],
        [placeholder(7, inner=placeholder(0))],
    ],
)
def test_placeholder_without_an_attachment_is_refused(function: Any, data: Any) -> None:
    with pytest.raises(SocketIOParseError, match="a placeholder has no attachment"):
        function(data)


@pytest.mark.parametrize("seed", range(20))
def test_small_and_large_payloads_are_filled_in_alike(seed: int) -> None:
    randomness = random.Random(seed)

    def value(most: int) -> Any:
        kind = randomness.randrange(5 if most else 1)
        if kind == 0:
            return randomness.choice([1, "num", None, True])
        items = [value(most - 1) for _ in range(randomness.randint(0, 3))]
        if kind == 1:
            return items
        flag = {"_placeholder": randomness.choice([True, True, 1]), "num": randomness.choice([0, 1, 0, 2])}
        return {**(flag if kind > 2 else {}), **{f"key{number}": item for number, item in enumerate(items)}}

    for _ in range(300):
        data = [value(4)]
        assert outcome(large, data) == outcome(small, data)
