"""Mistakes that raise nothing and leave everybody waiting: each is logged once."""

from __future__ import annotations

from collections.abc import Iterable

from ..aio.log_limits import Once
from .log import Log

#: Characters that are remembered of a name that a client chose.
_MAX_LENGTH = 100


def shortened(name: str) -> str:
    """Returns as much of a name that a client chose as is remembered and logged."""
    return name[:_MAX_LENGTH]


class ServerHints:
    """The hints about the namespaces and broadcasts of one server."""

    def __init__(self) -> None:
        self._unknown = Once()
        self._without_consumer = Once()
        self._unreached = Once()

    def unknown_namespace(self, name: str, served: Iterable[str], is_elsewhere: bool) -> None:
        """A client asked for a namespace that its path does not serve. `is_elsewhere`: another path does."""
        name = shortened(name)
        if self._unknown.is_new(name):
            elsewhere = ", which is mounted on another path" if is_elsewhere else ""
            Log.NAMESPACE_UNKNOWN.log(name, elsewhere, _listed(served))

    def no_consumer(self, namespace: str, known: Iterable[str]) -> None:
        """There was a broadcast to a namespace that no consumer of this process has."""
        if self._without_consumer.is_new(namespace):
            Log.NO_CONSUMER.log(namespace, _listed(known))

    def nobody_reached(self) -> None:
        """There was a broadcast from a process without sockets, with no way to others."""
        if self._unreached.is_new(""):
            Log.NOBODY_REACHED.log()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
