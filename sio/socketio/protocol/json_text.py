"""Reads JSON, and what a text says of its value before it is parsed: how deep it is, and how much memory it takes.

A client may send any text, so that nothing here may take more than linear time, and no step for a character or a value
is one of Python's.
"""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NoReturn

#: Every byte but these is deleted by `_marks`; an opening bracket becomes 1, a closing one -1.
_IRRELEVANT = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")

#: Bytes of memory of an array and of an object in CPython, with its place in its container, when it is small.
ARRAY_SIZE = 100
OBJECT_SIZE = 200
#: A text up to so many characters counts as its length: what is in it cannot take much.
SHORT = 1_000
#: From so many on, a text is large: it may take milliseconds to parse.
LARGE = 16_000


def depth(text: str) -> int:
    """Returns how deep the arrays and objects of a JSON text are nested. Of what is no JSON it returns any number."""
    if "\\" in text:
        # What is left of the backslashes of a string stands before what it escapes: only a quote matters here.
        text = text.replace("\\\\", "").replace('\\"', "")
    marks = text.encode(errors="replace").translate(_STEPS, _IRRELEVANT)
    # Two quotes with nothing between them, of one string or of two, leave inside and outside what they are.
    marks = marks.replace(b'""', b"")
    if b'"' in marks:
        marks = b"".join(marks.split(b'"')[::2])  # the brackets in strings are between an odd quote and an even one
    return max(accumulate(memoryview(marks).cast("b")), default=0)


def memory_size(text: str) -> int:
    """Returns about how many bytes the value of a JSON text takes: the text's own, and some for each container.

    A million bytes of `{"":0}` are 29 million when they are parsed.
    """
    if len(text) <= SHORT:
        return len(text)
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return size + text.count("[") * ARRAY_SIZE + text.count("{") * OBJECT_SIZE


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    # 1e999 would be Infinity, which JSON can neither say nor answer.
    if not math.isfinite(number):
        raise ValueError(f"{text[:32]} is no number that JSON can say again")
    return number


#: (text, index) → (value, index after it). It reads in place, where `json.loads` would need a copy. Raises ValueError
#: (also for NaN, a number that would be infinite, and an integer of more digits than Python converts) and
#: RecursionError.
decode: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_parse_float
).raw_decode


def decode_large(
    text: str, position: int, object_hook: Callable[[dict[str, Any]], Any] | None = None
) -> tuple[Any, int]:
    """`decode` without the garbage collector, which takes longer to look again and again through what is just being
    made. `object_hook` is that of `json.JSONDecoder`.
    """
    decoder = json.JSONDecoder(object_hook=object_hook, parse_constant=_refuse_constant, parse_float=_parse_float)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return decoder.raw_decode(text, position)
    finally:
        if was_enabled:
            gc.enable()
