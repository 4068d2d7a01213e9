"""Binary data that says by itself which number it belongs to. `node_clients.js` makes the same."""

from __future__ import annotations


def binary(number: int) -> bytes:
    """What is attached to a number: mostly small, now and then more than a frame or a read holds."""
    size = 20_000 if number % 50 == 49 else number % 97 + 1
    return bytes([number % 251]) * size
