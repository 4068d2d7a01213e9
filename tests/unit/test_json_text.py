"""What is known of a JSON text before it is parsed, compared with what it is when it is."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from sio.socketio.json_text import ARRAY_SIZE, OBJECT_SIZE, depth, memory_size


def walk(value: Any) -> int:
    """How deep a value is, by looking at it."""
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
    def test_strings_are_not_counted(self, text: str, expected: int) -> None:
        assert depth(text) == expected

    @pytest.mark.parametrize("seed", range(20))
    def test_agrees_with_the_value(self, seed: int) -> None:
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
    def test_anything_may_be_asked_of_what_is_no_json(self, text: str) -> None:
        assert depth(text) >= -len(text)


class TestMemorySize:
    def test_of_a_short_text_is_its_length(self) -> None:
        assert memory_size("[[[[{}]]]]") == 10

    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("x" * 1_000, 1_000),
            ("x" * 1_001, 1_001),
            ("é" * 1_001, 2_002),
            ("[]" * 1_000, 2_000 + 1_000 * ARRAY_SIZE),
            ("{}" * 1_000, 2_000 + 1_000 * OBJECT_SIZE),
        ],
    )
    def test_of_a_long_text_counts_its_containers(self, text: str, size: int) -> None:
        assert memory_size(text) == size
