"""Values with bytes as JSON, which the vectors, the official parsers and the found file share.

`{"$binary": base64}` is bytes, `{"$number": "Infinity"}` a number that JSON has no word for, `{"$repeat": ["x", 9]}` a
long text, and `{"$join": […]}` a text of several.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

_TAGS: dict[str, Callable[[Any], Any]] = {
    "$binary": base64.b64decode,
    "$number": float,
    "$repeat": lambda text_and_times: text_and_times[0] * text_and_times[1],
    "$join": "".join,
}


def dumps(value: Any, **options: Any) -> str:
    return json.dumps(_tagged(value), allow_nan=False, **options)


def loads(text: str) -> Any:
    return json.loads(text, object_hook=_untagged)


def _tagged(value: Any) -> Any:
    match value:
        case bytes():
            return {"$binary": base64.b64encode(value).decode()}
        case float() if not math.isfinite(value):
            return {"$number": "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"}
        case list():
            return [_tagged(item) for item in value]
        case dict():
            return {key: _tagged(item) for key, item in value.items()}
    return value


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        ((key, item),) = value.items()
        if key in _TAGS:
            return _TAGS[key](item)
    return value


def identity(value: Any, number: Callable[[int | float], int | float]) -> str:
    """Returns a text that two values share if they are equal, given what is the same number. Python's own `==` will not
    do: to it, True is 1.
    """
    return dumps(_with_numbers(value, number), sort_keys=True)


def exact(value: int | float) -> int | float:
    """A whole number is the same with a point and without one."""
    return int(value) if math.isfinite(value) and value == int(value) else value


def double(value: int | float) -> int | float:
    """JavaScript has but one type of number."""
    try:
        return exact(float(value))
    except OverflowError:
        return math.copysign(math.inf, value)


def _with_numbers(value: Any, number: Callable[[int | float], int | float]) -> Any:
    match value:
        case bool():
            return value
        case int() | float():
            return number(value)
        case list():
            return [_with_numbers(item, number) for item in value]
        case dict():
            return {key: _with_numbers(item, number) for key, item in value.items()}
    return value
