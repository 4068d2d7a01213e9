"""Emits from code that is not async: views, signals, tasks, commands and threads.

    from sio import emitter

    emitter.of(ChatConsumer).to("room:7").emit("saved", {"id": 7})
    emitter.of("/chat").to_user(user).on_commit().emit("saved", {"id": 7})

All of it blocks until the event is on its way. It is sent by one thread of the process, which is started at the first
use; in the process that serves the sockets, they get it without a channel layer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from django.core.exceptions import SynchronousOnlyOperation
from django.db import transaction

from .engineio.process import process
from .socketio.operators import BroadcastOperator
from .socketio.server import get_socketio_server

#: Says that an operator does not wait for a transaction.
_AT_ONCE = object()


@dataclass(frozen=True, slots=True)
class Emitter:
    """The twin of a `BroadcastOperator` for code that is not async. Each modifier returns a new one."""

    _operator: BroadcastOperator
    #: The database whose transaction is waited for, as `transaction.on_commit` takes it.
    _using: Any = _AT_ONCE

    def to(self, *rooms: str | Iterable[str]) -> Self:
        """`BroadcastOperator.to`."""
        return replace(self, _operator=self._operator.to(*rooms))

    def to_user(self, *users: Any) -> Self:
        """`BroadcastOperator.to_user`."""
        return replace(self, _operator=self._operator.to_user(*users))

    def except_(self, *rooms: str | Iterable[str]) -> Self:
        """`BroadcastOperator.except_`."""
        return replace(self, _operator=self._operator.except_(*rooms))

    def except_user(self, *users: Any) -> Self:
        """`BroadcastOperator.except_user`."""
        return replace(self, _operator=self._operator.except_user(*users))

    @property
    def local(self) -> Self:
        """`BroadcastOperator.local`."""
        return replace(self, _operator=self._operator.local)

    @property
    def volatile(self) -> Self:
        """`BroadcastOperator.volatile`."""
        return replace(self, _operator=self._operator.volatile)

    def on_commit(self, using: str | None = None) -> Self:
        """Emits when the transaction of the database `using` is committed: at once without one, and never if it is
        rolled back. What cannot be encoded is an error now.
        """
        return replace(self, _using=using)

    def emit(self, event: str, *args: Any) -> None:
        """Sends an event. Raises what `BroadcastOperator.emit` raises, and SynchronousOnlyOperation in a running event
        loop, which it would hold up.
        """
        _check_not_async()
        if self._using is _AT_ONCE:
            process.background.run(self._operator.emit(event, *args))
        else:
            encoded = self._operator.encode(event, *args)
            transaction.on_commit(lambda: process.background.run(encoded.send()), using=self._using, robust=True)

    def send(self, *args: Any) -> None:
        """Sends the event `message`."""
        self.emit("message", *args)


def _check_not_async() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SynchronousOnlyOperation(
        "sio.emitter and sio.emit() cannot be used in an event loop, which they would hold up: "
        "await sio.aemit(...), or emit() of ChatConsumer.sockets"
    )


def of(namespace: str | type) -> Emitter:
    """Returns the emitter for all sockets of a namespace, which is a name or a consumer class."""
    return Emitter(get_socketio_server().of(namespace))


def to(*rooms: str | Iterable[str]) -> Emitter:
    """`of("/").to(...)`."""
    return of("/").to(*rooms)


def to_user(*users: Any) -> Emitter:
    """`of("/").to_user(...)`."""
    return of("/").to_user(*users)


def emit(
    event: str,
    *args: Any,
    room: str | Iterable[str] | None = None,
    namespace: str | type = "/",
    except_: str | Iterable[str] | None = None,
) -> None:
    """Sends an event to the sockets in a namespace, or in a room of it. Raises what `Emitter.emit` raises."""
    Emitter(_choose(room, namespace, except_)).emit(event, *args)


async def aemit(
    event: str,
    *args: Any,
    room: str | Iterable[str] | None = None,
    namespace: str | type = "/",
    except_: str | Iterable[str] | None = None,
) -> None:
    """`emit` for code that is async. Raises what `BroadcastOperator.emit` raises."""
    await _choose(room, namespace, except_).emit(event, *args)


def _choose(
    room: str | Iterable[str] | None, namespace: str | type, except_: str | Iterable[str] | None
) -> BroadcastOperator:
    operator = get_socketio_server().of(namespace)
    if room is not None:
        operator = operator.to(room)
    return operator if except_ is None else operator.except_(except_)
