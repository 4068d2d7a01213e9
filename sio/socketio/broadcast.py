"""Broadcasts: an event to many sockets, from whatever thread or process."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from .adapter import Adapter
from .encoding import Encoding
from .hints import ServerHints
from .rooms import check_room
from .shared import Shared

Rooms: TypeAlias = str | Iterable[str] | None


class Broadcaster:
    """Broadcasts of one server: on the loop of its sockets, or from a process that has none."""

    def __init__(self, shared: Shared, hints: ServerHints) -> None:
        self._shared = shared
        self._hints = hints
        self._outsider = _Outsider(shared)

    async def emit(
        self, namespace: str, event: str, args: Sequence[Any], room: Rooms, except_: Rooms, volatile: bool
    ) -> None:
        """`SocketIOServer.emit`."""
        rooms = None if room is None else _to_rooms(room)
        excluded = () if except_ is None else _to_rooms(except_)
        if namespace not in self._shared.namespaces.served:
            self._report_unheard(namespace)
        if not self._shared.loop.is_current and self._shared.loop.is_running:
            await self._shared.loop.run(self.emit(namespace, event, args, rooms, excluded, volatile))
            return
        sender: Shared | _Outsider = self._shared if self._shared.loop.is_current else self._outsider
        packets = sender.encoding.event(namespace, event, args)
        await sender.adapter.broadcast(namespace, packets, rooms, excluded, volatile)

    def _report_unheard(self, namespace: str) -> None:
        """Tells the developer of a broadcast that nobody hears."""
        served = self._shared.namespaces.served
        # A process without a consumer serves no clients: one of a task queue, or a command. It may know no namespace.
        if served:
            self._hints.no_consumer(namespace, served)
        elif not self._shared.loop.is_running and not self._outsider.adapter.reaches_others:
            self._hints.nobody_reached()


class _Outsider(threading.local):
    """What broadcasts from a process in which no socket lives, such as a task queue's: one for each of its threads."""

    def __init__(self, shared: Shared) -> None:
        self.adapter: Adapter = shared.adapter.for_sending()
        self.encoding = Encoding(shared.options)


def _to_rooms(rooms: str | Iterable[str]) -> Collection[str]:
    rooms = (rooms,) if isinstance(rooms, str) else tuple(rooms)
    for room in rooms:
        check_room(room)
    return rooms
