"""The texts of steps: what stands for something else in them, and how what was seen is compared with them.

======================  ============================================================================================
``{name}``              What was captured under the name.
``{?name}``             In what is expected: captures letters, digits, ``_``, ``-`` and ``~``.
``{*}``                 In what is expected: any text.
``{x*1000}``            ``x`` a thousand times; ``{x,y*3}`` several characters as many times.
``{n}``                 In a repeated step, how many times it was done before.
``{xff}``               A byte.
``␀`` … ``␠``, ``␡``    The control character that the symbol is of, such as ``␞`` for the separator of a payload.
======================  ============================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONTROLS = {0x2400 + code: code for code in range(0x21)} | {0x2421: 0x7F}
_BYTE = re.compile(r"\{x([0-9a-f]{2})\}")
#: What is repeated may begin with a brace, or be one.
_REPEATED = re.compile(r"\{(\{?[^{}]+|\})\*(\d+)\}")
_VARIABLE = re.compile(r"\{([a-z_]+(?:\.\w+)?)\}")
_PATTERN = re.compile(r"\\\{\\\?(\w+)\\\}|\\\{\\\*\\\}")


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A text of a step, with what its placeholders stand for. Bytes that are no UTF-8 are lone surrogates in it."""
    text = text.translate(_CONTROLS)
    text = _BYTE.sub(lambda match: bytes.fromhex(match[1]).decode(errors="surrogateescape"), text)
    text = _REPEATED.sub(lambda match: match[1] * int(match[2]), text)
    return _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)


def to_bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def matched(expected: str, seen: str, variables: dict[str, str]) -> str | None:
    """Compares what was seen with what is expected. Captures into `variables`.

    Returns what was seen with the names of the captures in their places, or None if it is something else.
    """
    if expected == seen:  # the usual case; and a pattern of a megabyte takes its time
        return seen
    names: list[str] = []

    def group(placeholder: re.Match[str]) -> str:
        if placeholder[1] is None:
            return ".*"
        names.append(placeholder[1])
        return r"([\w~-]+)"

    match = re.fullmatch(_PATTERN.sub(group, re.escape(expected)), seen, re.DOTALL)
    if match is None:
        return None
    variables.update(zip(names, match.groups(), strict=True))
    for number, name in reversed(list(enumerate(names, 1))):
        seen = f"{seen[: match.start(number)]}{{{name}}}{seen[match.end(number) :]}"
    return seen
