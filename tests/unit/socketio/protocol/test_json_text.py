"""Reading JSON; and what a text says of its value before it is parsed, compared with the value."""

from __future__ import annotations

import gc
import json
import math
import random
from typing import Any

import pytest

from sio.socketio.protocol.json_text import (
    ARRAY_SIZE,
    OBJECT_SIZE,
    SHORT,
    decode,
    decode_large,
    depth,
    memory_size,
)


def walk(value: Any) -> int:
    """Returns how deep a value is, by a walk through it."""
    if isinstance(value, dict):
        return 1 + max(map(walk, value.values()), default=0)
    return 1 + max(map(walk, value), default=0) if isinstance(value, list) else 0


class TestDepth:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", 0),
            ("1", 0),
            ('"[[["', 0),
            ("[]", 1),
            ("[[],[]]", 2),
            ('{"a":[{}]}', 3),
            ('["[","]"]', 1),
            ('["]]]",["[["]]', 2),
            ('{"[":"]","{":{}}', 2),
            (r'["\"[[["]', 1),
            (r'["\\",[[]]]', 3),
            (r'["\\\"[[[",[]]', 2),
            (r'["\\\\",[[],"\\\\\"]"]]', 3),
            ('["","",[""]]', 2),
            ('["é[", "\U0001f600]", ["\ud800"]]', 2),
        ],
    )
    def test_brackets_in_strings_do_not_count(self, text: str, expected: int) -> None:
        assert depth(text) == expected

    @pytest.mark.parametrize("seed", range(20))
    def test_text_and_its_value_are_equally_deep(self, seed: int) -> None:
        randomness = random.Random(seed)

        def value(most: int) -> Any:
            kind = randomness.randrange(4 if most else 2)
            text = "".join(randomness.choices('ab[]{}"\\/é\n\u2028', k=randomness.randint(0, 6)))
            if kind < 2:
                return text if kind else randomness.random()
            items = [value(most - 1) for _ in range(randomness.randint(0, 3))]
            return items if kind == 2 else {f"{text}{number}": item for number, item in enumerate(items)}

        for _ in range(200):
            made = value(6)
            for ensure_ascii in (True, False):
                assert depth(json.dumps(made, ensure_ascii=ensure_ascii)) == walk(made)

    @pytest.mark.parametrize("text", ["]]][[[", '"', '["', "\\", '[\\"[', '"[" "', "[{]}", "\ud800["])
    def test_text_that_is_no_json_raises_nothing(self, text: str) -> None:
        assert depth(text) >= -len(text)


class TestMemorySize:
    @pytest.mark.parametrize("text", ["", "[[[[{}]]]]", "[" * SHORT, "é"])
    def test_short_text_counts_as_its_length(self, text: str) -> None:
        assert memory_size(text) == len(text)

    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("x" * 1_000, 1_000),
            ("x" * 1_001, 1_001),
            ("é" * 1_001, 2_002),
            ("\ud800" * 1_001, 1_001),
            ("[]" * 1_000, 2_000 + 1_000 * ARRAY_SIZE),
            ("{}" * 1_000, 2_000 + 1_000 * OBJECT_SIZE),
        ],
    )
    def test_containers_of_a_long_text_count(self, text: str, size: int) -> None:
        assert memory_size(text) == size


@pytest.mark.parametrize("read", [decode, decode_large])
class TestDecode:
    """A small text and a large one are read alike."""

    @pytest.mark.parametrize(
        ("text", "position", "value", "end"),
        [
            ("[1]", 0, [1], 3),
            ('2/a,["x"]', 4, ["x"], 9),
            ("[1] rest", 0, [1], 3),
            ("[1.5,-0.0,1e308]", 0, [1.5, 0.0, 1e308], 16),
            ("1", 0, 1, 1),
        ],
    )
    def test_value_is_read_in_its_place(self, read: Any, text: str, position: int, value: Any, end: int) -> None:
        assert read(text, position) == (value, end)

    @pytest.mark.parametrize(
        "text", ["", "[", "[1", "x", "NaN", "[Infinity]", "[-Infinity]", "[1e999]", "[-1e999]", "9" * 5_000, "['a']"]
    )
    def test_text_that_is_no_json_is_refused(self, read: Any, text: str) -> None:
        with pytest.raises(ValueError, match=r".") as error:
            read(text, 0)
        assert len(str(error.value)) < 200

    def test_text_that_is_nested_too_deep_is_refused(self, read: Any) -> None:
        with pytest.raises(RecursionError):
            read("[" * 100_000, 0)

    def test_largest_number_stays_finite(self, read: Any) -> None:
        assert math.isfinite(read("[1.7976931348623157e308]", 0)[0][0])


class TestDecodeLarge:
    """The garbage collector does not run meanwhile."""

    def test_hook_replaces_objects(self) -> None:
        assert decode_large('[{"a":{}}]', 0, lambda value: [*value]) == ([["a"]], 10)

    def test_collector_is_off_meanwhile(self) -> None:
        states: list[bool] = []
        decode_large("[{}]", 0, lambda value: states.append(gc.isenabled()))
        assert states == [False]

    def test_collector_is_left_as_it_was(self) -> None:
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
