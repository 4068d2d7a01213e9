"""All scenarios."""

from __future__ import annotations

from . import delivery, endings, events, namespaces, operators, waits  # noqa: F401  (each registers its own)
from .stage import SCENARIOS

__all__ = ["SCENARIOS"]
