"""Attachments come to the place of their placeholders, in small payloads and in large ones alike."""

from __future__ import annotations

import gc
import json
import random
from typing import Any

import pytest

from sio.socketio.attachments import fill, parse_filled
from sio.socketio.json_text import LARGE, decode_large
from sio.socketio.options import SocketIOOptions
from sio.socketio.packets import ParseError
from sio.socketio.parser import SocketIOParser

ATTACHMENTS = [b"zero", b"one"]


def placeholder(number: Any = 0, **more: Any) -> dict[str, Any]:
    return {"_placeholder": True, "num": number, **more}


def small(data: Any) -> Any:
    made = json.loads(json.dumps(data))
    fill(made, ATTACHMENTS)
    return made


def large(data: Any) -> Any:
    text = json.dumps(data)
    return parse_filled(f"[{text}]", 1, ATTACHMENTS)


def outcome(function: Any, data: Any) -> Any:
    try:
        return function(data)
    except ParseError as error:
        return str(error)


@pytest.mark.parametrize("function", [small, large])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], []),
        (["a", placeholder()], ["a", b"zero"]),
        ([placeholder(1), [placeholder(0)], {"a": {"b": placeholder(1)}}], [b"one", [b"zero"], {"a": {"b": b"one"}}]),
        ([placeholder(), placeholder()], [b"zero", b"zero"]),
        ([placeholder(0, more=1)], [b"zero"]),
        ([{"_placeholder": 1, "num": 0}], [{"_placeholder": 1, "num": 0}]),
        ([placeholder(0, inner=placeholder(1))], [b"zero"]),
        # As the reference: what stands in a placeholder is not looked at.
        ([placeholder(0, inner=[[placeholder(7)]])], [b"zero"]),
    ],
)
def test_is_filled_in(function: Any, data: Any, expected: Any) -> None:
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
    with pytest.raises(ParseError, match="a placeholder has no attachment"):
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


def test_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    decode_large("[1]", 0)
    with pytest.raises(ValueError, match="Expecting"):
        decode_large("[", 0)
    assert gc.isenabled()
    gc.disable()
    try:
        decode_large("[1]", 0)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("text", ["NaN", "[Infinity", "9" * 5_000])
def test_large_text_refuses_what_a_small_one_does(text: str) -> None:
    with pytest.raises(ParseError):
        SocketIOParser(SocketIOOptions()).feed(f'2["a","{"x" * LARGE}",{text}]')


@pytest.mark.parametrize("depth", [600, 800, 2_000, 5_000])
def test_depth_of_a_large_packet_is_refused_or_read_whatever_the_limit(depth: int) -> None:
    """The parser raises nothing else than what it promises, also where it parses for the second time."""
    parser = SocketIOParser(SocketIOOptions(max_json_depth=10_000))

    def feed_deeper(frames: int) -> Any:
        return feed_deeper(frames - 1) if frames else parser.feed(b"x")

    try:
        parser.feed('51-["a","' + "x" * LARGE + '",' + "[" * depth + "]" * depth + "]")
        assert feed_deeper(200) is not None
    except ParseError:
        assert parser.pending is None
