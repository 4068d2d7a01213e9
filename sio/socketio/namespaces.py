"""The namespaces of a server: which ones have a consumer, and which ones a client may ask for."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from typing import Any

from .handlers import Handlers
from .hints import ServerHints
from .namespace import Namespace

#: The key of an ASGI scope under which a mounted application says which namespaces it serves.
NAMESPACES_KEY = "sio_namespaces"


class Namespaces:
    """All namespaces of a server by their name. The main one is always there."""

    def __init__(self, hints: ServerHints) -> None:
        self._hints = hints
        self._by_name: dict[str, Namespace] = {"/": Namespace("/")}
        #: The names of those that have a consumer.
        self.served: set[str] = set()
        #: What `/` is to the clients of applications that do not serve it.
        self._lobby = Namespace("/")

    def __getitem__(self, name: str) -> Namespace:
        return self._by_name[name]

    def register(self, name: str, handlers: Handlers) -> None:
        """Makes a namespace known, with what handles it. Registering the same class again does nothing.

        Raises ValueError for an impossible name, and for a second class on a name.
        """
        if not name.startswith("/") or "," in name or not name.isprintable():
            raise ValueError(f"{name!r} is no namespace: it starts with '/' and has no comma ({handlers.owner})")
        known = self._by_name.get(name)
        if known is not None and known.is_served:
            # The same class comes here once for each mount: for HTTP and for WebSocket, say.
            if known.handlers.factory is not handlers.factory:
                raise ValueError(
                    f"two consumers handle the namespace {name!r}: {known.handlers.owner} and {handlers.owner}"
                )
            return
        self._by_name[name] = Namespace(name, handlers)
        self.served.add(name)

    def find(self, name: str, scope: MutableMapping[str, Any]) -> Namespace | None:
        """Returns the namespace that a client asked for, if the application that it came through serves it.

        The main one is always to be had, but as a lobby without a consumer where the application does not serve it.
        """
        # Another application of the same server may be mounted elsewhere, behind other middleware: its namespaces are
        # not to be had through this one.
        served: Collection[str] | None = scope.get(NAMESPACES_KEY)
        if served is None or name in served:
            return self._by_name.get(name)
        return self._lobby if name == "/" else None

    def report_unknown(self, name: str, scope: MutableMapping[str, Any]) -> None:
        """Tells the developer of a namespace that `find` did not find."""
        served: Collection[str] | None = scope.get(NAMESPACES_KEY)
        self._hints.unknown_namespace(name, self._by_name if served is None else served, name in self.served)
