"""Broadcasts: an event to many sockets, from whatever thread or process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..aio.bound_loop import BoundLoop
from ..engineio.protocol.packets import EncodedPacket
from .adapter import Adapter
from .encoding import Encoding
from .hints import ServerHints
from .protocol.options import SocketIOOptions
from .target import Target
from .users import Users


class Sender:
    """What sends: an adapter, and what encodes for it. Both are bound to one thread."""

    def __init__(self, adapter: Adapter, encoding: Encoding) -> None:
        self._adapter = adapter
        self._encoding = encoding

    def encode(self, target: Target, event: str, args: Sequence[Any]) -> list[EncodedPacket]:
        """Encodes an event. Raises EncodingError, and TypeError or ValueError for what is no event name."""
        return self._encoding.event(target.namespace, event, args)

    async def send(self, target: Target, packets: Sequence[EncodedPacket]) -> None:
        """Sends an event that is encoded."""
        await self._adapter.broadcast(target, packets)

    async def emit(self, target: Target, event: str, args: Sequence[Any]) -> None:
        """Encodes an event, and sends it."""
        await self._adapter.broadcast(target, self._encoding.event(target.namespace, event, args))

    @property
    def reaches_others(self) -> bool:
        """Whether an event goes to other processes too."""
        return self._adapter.reaches_others


class Broadcaster:
    """Broadcasts of one server: on the loop of its sockets, or from a process that has none.

    `served` are the names of the namespaces that have a consumer.
    """

    def __init__(
        self,
        loop: BoundLoop,
        adapter: Adapter,
        encoding: Encoding,
        options: Callable[[], SocketIOOptions],
        served: Collection[str],
        users: Users,
        hints: ServerHints,
    ) -> None:
        self.users = users
        self._loop = loop
        self._served = served
        self._hints = hints
        self._here = Sender(adapter, encoding)
        self._outside = _Outside(adapter, options)

    async def emit(self, target: Target, event: str, args: Sequence[Any]) -> None:
        """Sends an event to the sockets of a target. `SocketIOServer.emit` says what it raises."""
        self._check_heard(target)
        if self._loop.is_current:
            await self._here.emit(target, event, args)
        elif self._loop.is_running:
            await self._loop.run(self._here.emit(target, event, args))
        else:
            await self._outside.sender.emit(target, event, args)

    def encode(self, target: Target, event: str, args: Sequence[Any]) -> list[EncodedPacket]:
        """Encodes an event that is sent later, in any thread. Raises what `emit` raises."""
        self._check_heard(target)
        return self._outside.sender.encode(target, event, args)

    async def send(self, target: Target, packets: Sequence[EncodedPacket]) -> None:
        """Sends what `encode` returned. It may be awaited on any event loop."""
        if self._loop.is_running:
            await self._loop.run(self._here.send(target, packets))
        else:
            await self._outside.sender.send(target, packets)

    def _check_heard(self, target: Target) -> None:
        if target.namespace not in self._served:
            self._report_unheard(target.namespace)

    def _report_unheard(self, namespace: str) -> None:
        """Tells the developer of a broadcast that nobody hears."""
        # A process without a consumer serves no clients: one of a task queue, or a command. It may know no namespace.
        if self._served:
            self._hints.no_consumer(namespace, self._served)
        elif not self._loop.is_running and not self._outside.sender.reaches_others:
            self._hints.nobody_reached()


class _Outside(threading.local):
    """What broadcasts from a process in which no socket lives, such as a task queue's: one for each of its threads."""

    def __init__(self, adapter: Adapter, options: Callable[[], SocketIOOptions]) -> None:
        self.sender = Sender(adapter.for_sending(), Encoding(options))
