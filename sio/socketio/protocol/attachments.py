"""Puts the attachments of a packet in the place of their placeholders.

Source: the reference's `socket.io-parser` (`reconstructPacket`): what stands in a placeholder is not looked at.
"""

from __future__ import annotations

import weakref
from typing import Any

from ...exceptions import SocketIOParseError
from .json_text import decode_large


def fill(data: Any, attachments: list[bytes]) -> None:
    """Fills a small payload in, in place. Raises SocketIOParseError for a placeholder that has no attachment."""
    containers = [] if data is None else [data]
    while containers:
        container = containers.pop()
        for key, value in container.items() if type(container) is dict else enumerate(container):
            # A plain event never comes here, so what looks like a placeholder in one stays what it is.
            if type(value) is dict and value.get("_placeholder") is True:
                if not _is_index(value.get("num"), attachments):
                    raise SocketIOParseError("a placeholder has no attachment")
                container[key] = attachments[value["num"]]
            elif type(value) is dict or type(value) is list:
                containers.append(value)


class _Unfilled(dict[str, Any]):
    """A placeholder that has no attachment."""

    __slots__ = ("__weakref__",)


def parse_filled(text: str, position: int, attachments: list[bytes]) -> Any:
    """Parses a payload that is known to be JSON, and fills it in meanwhile: a walk through a large one would take
    several times as long. Raises SocketIOParseError for a placeholder that has no attachment, and RecursionError.
    """
    unfilled: list[weakref.ref[_Unfilled]] = []

    def fill_in(value: dict[str, Any]) -> Any:
        """Returns the attachment that a placeholder stands for; any other object as it is."""
        if value.get("_placeholder") is not True:
            return value
        if _is_index(value.get("num"), attachments):
            return attachments[value["num"]]
        wrong = _Unfilled(value)
        unfilled.append(weakref.ref(wrong))
        return wrong

    payload, _ = decode_large(text, position, fill_in)
    # The ones that stood in another placeholder are gone with it.
    if any(wrong() is not None for wrong in unfilled):
        raise SocketIOParseError("a placeholder has no attachment")
    return payload


def _is_index(number: Any, attachments: list[bytes]) -> bool:
    # `type`, since True is an int to isinstance (CVE-2022-2421).
    return type(number) is int and 0 <= number < len(attachments)
