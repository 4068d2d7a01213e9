"""The shortest input that still shows something, as far as leaving out and simplifying finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import tagged

#: Of several inputs, says for each whether it still shows it.
Shows = Callable[[Sequence[Any]], list[bool]]
#: Inputs that are tried at once, and inputs that are tried in all.
BATCH = 200
LIMIT = 20_000


def size(value: Any) -> int:
    """Returns the length of a value as JSON, about: each byte of binary data counts."""
    match value:
        case bytes():
            return len(value) + 2
        case list():
            return 2 + sum(size(item) + 1 for item in value)
        case dict():
            return 2 + sum(len(key) + size(item) + 4 for key, item in value.items())
    return len(tagged.dumps(value))


def shrink(value: Any, shows: Shows) -> Any:
    """Returns a smaller input, none of whose own smaller ones shows it any more."""
    tried = 0
    smaller: Any = value
    while smaller is not None and tried < LIMIT:
        value, smaller = smaller, None
        candidates = sorted(_distinct(reductions(value), value), key=size)
        for start in range(0, len(candidates), BATCH):
            batch = candidates[start : start + BATCH]
            tried += len(batch)
            smaller = next((each for each, shown in zip(batch, shows(batch), strict=True) if shown), None)
            if smaller is not None:
                break
    return value


def _distinct(candidates: Iterator[Any], value: Any) -> list[Any]:
    """Returns those that are smaller, each once."""
    limit = size(value)
    return list({tagged.dumps(each): each for each in candidates if size(each) < limit}.values())


def reductions(value: Any) -> Iterator[Any]:
    """Yields what is one step smaller."""
    match value:
        case str() | bytes() | list():
            yield from _parts(value)
        case dict():
            for key in value:
                yield {other: item for other, item in value.items() if other != key}
        case bool():
            yield 0
        case int() | float():
            yield from (0, 1, int(value / 2) if abs(value) < 2**1_000 else value // 2)
    yield from _within(value)


def _parts(value: Any) -> Iterator[Any]:
    """Yields it without a part: half of it, a quarter, …, and each of the small ones."""
    lengths = {len(value) >> halvings for halvings in range(len(value).bit_length())} | set(range(1, 6))
    for length in lengths:
        for start in range(0, len(value) - length + 1, max(1, length // 4)):
            yield value[:start] + value[start + length :]


def _within(value: Any) -> Iterator[Any]:
    """Yields it with one of its items smaller."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, item in items:
        for reduced in reductions(item):
            copy = value.copy()
            copy[key] = reduced
            yield copy
