"""The ways in which a session can end, for tests of what is left of it then."""

from . import closed, cut, refused, running, upgraded  # noqa: F401  (each adds its own to the table)
from .consumer import Consumer
from .refused import allow_request
from .table import A_WHILE, ENDINGS

__all__ = ["A_WHILE", "ENDINGS", "Consumer", "allow_request"]
