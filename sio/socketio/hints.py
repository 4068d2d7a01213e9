"""Mistakes that raise nothing and leave everybody waiting: each is told in the log once."""

from __future__ import annotations

import logging
from collections.abc import Iterable

logger = logging.getLogger("sio.socketio")

#: How many keys are remembered, and so how many lines are logged: clients choose most of them.
_MAX_KEYS = 20
#: Characters that are remembered of one.
_MAX_LENGTH = 100


class Once:
    """Says what is new. When it remembers as many keys as it may, nothing is new any more."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def is_new(self, key: str) -> bool:
        """Whether it is asked for this key for the first time."""
        if key in self._keys or len(self._keys) >= _MAX_KEYS:
            return False
        self._keys.add(key)
        return True


def shortened(name: str) -> str:
    """Returns as much of a name that a client chose as is remembered and logged."""
    return name[:_MAX_LENGTH]


class ServerHints:
    """What a server tells of its namespaces and broadcasts."""

    def __init__(self) -> None:
        self._unknown = Once()
        self._without_consumer = Once()
        self._unreached = Once()

    def unknown_namespace(self, name: str, served: Iterable[str], is_elsewhere: bool) -> None:
        """A client asked for a namespace that its path does not serve. `is_elsewhere`: another path does."""
        name = shortened(name)
        if self._unknown.is_new(name):
            logger.warning(
                "Refused a client that asked for the namespace %r%s: this path serves %s",
                name,
                ", which is mounted on another path" if is_elsewhere else "",
                _listed(served),
            )

    def no_consumer(self, namespace: str, known: Iterable[str]) -> None:
        """There was a broadcast to a namespace that no consumer of this process has."""
        if self._without_consumer.is_new(namespace):
            logger.warning(
                "emit() to the namespace %r, which has no consumer here: pass namespace=, one of %s",
                namespace,
                _listed(known),
            )

    def nobody_reached(self) -> None:
        """There was a broadcast from a process without sockets, with no way to others."""
        if self._unreached.is_new(""):
            logger.warning(
                "emit() reached nobody: this process serves no clients, and its channel layer reaches no other one. "
                "Set CHANNEL_LAYERS to a layer of channels_redis, here and where the clients are"
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
