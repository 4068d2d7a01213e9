"""Runs the hooks and handlers of one socket: one at a time, in order, and never in the reader of its transport."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..engineio.faults import raise_if_final
from ..engineio.repeats import Repeats
from ..engineio.state import Reason
from ..exceptions import ConnectionRefused, Disconnected
from .handlers import EventHandler, Handlers

if TYPE_CHECKING:
    from .client import Client
    from .socket import NamespaceSocket

logger = logging.getLogger("sio.socketio")
#: For what a client can have repeated as often as it likes.
repeats = Repeats(logger)

#: Bytes that handlers are given before others get their turn, and handlers that run: one that never waits gives none
#: by itself.
_TURN_BYTES = 65_536
_HANDLER_COST = _TURN_BYTES // 16


class Worker:
    """The queue of one socket, and the consumer instance that its hooks and handlers are methods of.

    There is a task only while there is something to do: an idle socket costs none, and a burst of events one. Whatever
    a hook or handler raises is logged with its name, and ends nothing.
    """

    def __init__(self, socket: NamespaceSocket, client: Client, handlers: Handlers) -> None:
        self._socket = socket
        self._client = client
        self._handlers = handlers
        self._consumer: Any = None
        #: A list, since an empty deque is 760 bytes for each idle socket. What is taken off its front has a bound.
        self._jobs: list[tuple[Callable[[], Awaitable[None]], int]] = []
        #: Bytes of the events that wait.
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._is_full = False
        #: Whether the connect hook runs, and when it is cancelled, since its client left.
        self._is_asking = False
        self._patience: asyncio.TimerHandle | None = None

    # What it is given

    def connect(self) -> None:
        """Asks the connect hook, which decides whether the socket is accepted."""
        self._enqueue(self._run_connect)

    def handle(self, handler: EventHandler, args: Sequence[Any], ack_id: int | None, size: int) -> None:
        """Runs the handler of an event of `size` bytes after those of earlier ones. A full queue stops the client from
        being read.
        """
        client = self._client
        options, held = client.options, client.held
        self._enqueue(functools.partial(self._run_event, handler, args, ack_id), size)
        # In line what `Client.hold` does: this is the path of every event.
        held.total += size
        held.waiting += size
        if held.total >= held.limit:
            client.check_held(size)
        if len(self._jobs) >= options.max_queued_events or self._bytes >= options.max_queued_bytes:
            self._set_full(True)
            if len(self._jobs) > options.max_queued_events * 2:
                # It is read although its queue is full, since a handler waits for its answer; it sends something else.
                logger.warning("Cut the client of %r: it floods a queue of SIO_MAX_QUEUED_EVENTS events", self._socket)
                self._client.eio.end(Reason.TRANSPORT_ERROR)

    def disconnect(self, reason: Reason, *, accepted: bool) -> None:
        """Drops what waits, and runs the disconnect hook after what runs.

        "ignore packet received after disconnection" (`socket.ts`, `dispatch`): events that no handler has taken yet go
        with the socket that they came for.
        """
        self._jobs.clear()
        self._client.release(self._bytes)
        self._bytes = 0
        self._set_full(False)
        if self._is_asking:
            timeout = self._client.options.connect_hook_timeout / 1000
            self._patience = asyncio.get_running_loop().call_later(timeout, self._cancel_connect)
        if accepted and self._handlers.has_disconnect:
            self._enqueue(functools.partial(self._run_disconnect, reason))

    def call_back(self, callback: Callable[..., Any], args: Sequence[Any], size: int) -> None:
        """Runs the callback of an acknowledgement of `size` bytes, at once: a handler may be waiting for it."""
        self._client.hold(size)
        self._client.eio.tasks.create(self._run_callback(callback, args, size))

    # The queue

    def _enqueue(self, job: Callable[[], Awaitable[None]], size: int = 0) -> None:
        self._jobs.append((job, size))
        self._bytes += size
        if self._task is None:
            self._start()

    def _start(self) -> None:
        self._socket.server.upkeep.starting()
        self._task = self._client.eio.tasks.adopt(self._work())

    async def _work(self) -> None:
        left, held = _TURN_BYTES, self._client.held
        try:
            while self._jobs:
                job, size = self._jobs.pop(0)
                self._bytes -= size
                held.waiting -= size
                if not self._jobs and (self._is_full or held.is_full):
                    self._make_room()  # what is handled may take more than the bound by itself, and must not be alone
                try:
                    await job()
                finally:
                    held.total -= size
                    if self._is_full or held.is_full:
                        self._make_room()
                if self._task is not None and self._task.cancelling():
                    raise asyncio.CancelledError  # before it hits the next one
                left -= size + _HANDLER_COST
                if left <= 0:
                    left = _TURN_BYTES
                    self._socket.server.upkeep.starting()
                    await asyncio.sleep(0)
        finally:
            task, self._task = self._task, None
            assert task is not None
            if self._jobs:
                # A handler was cancelled, and its task with it: the others still have to run, the disconnect hook too.
                self._start()
            self._client.eio.tasks.release(task)
            del task  # it keeps the error that it ends with, and so this frame

    def _make_room(self) -> None:
        """Something was taken from the queue, or is done."""
        options = self._client.options
        # Half empty, not one below the bound: reading is not stopped and started for every event.
        if len(self._jobs) * 2 <= options.max_queued_events and self._bytes * 2 <= options.max_queued_bytes:
            self._set_full(False)
        self._client.check_held()

    def _set_full(self, full: bool) -> None:
        if self._is_full is not full:
            self._is_full = full
            self._client.set_full(self._socket, full)

    def _cancel_connect(self) -> None:
        repeats.warning(
            f"Cancelled {self._handlers.owner}.connect: its client left SIO_CONNECT_HOOK_TIMEOUT_MS ago, and others "
            "may wait for its place"
        )
        assert self._task is not None
        self._task.cancel()

    # What it runs

    async def _run_connect(self) -> None:
        self._is_asking = True
        try:
            refusal = await self._ask_connect()
            if refusal is None:
                await self._socket.accept()
            else:
                self._socket.refuse(refusal)
        except asyncio.CancelledError:
            self._socket.refuse({"message": "Internal server error"})
            raise
        except Exception as error:  # a refusal with data that cannot be sent, or a channel layer that cannot be had
            repeats.error(f"A client of {self._handlers.owner} could not be answered", error)
            self._socket.refuse({"message": "Internal server error"})
        finally:
            self._is_asking = False
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

    async def _ask_connect(self) -> dict[str, Any] | None:
        """Returns None if the hook accepts the client, else the payload of the CONNECT_ERROR."""
        handlers, socket = self._handlers, self._socket
        try:
            self._consumer = handlers.factory()
            accepted = await self._consumer.connect(socket, socket.auth) if handlers.has_connect else True
        except ConnectionRefused as refusal:
            self._failed(refusal)  # it may have been raised because of an error
            return {"message": refusal.message} | ({} if refusal.data is None else {"data": refusal.data})
        except BaseException as error:
            raise_if_final(error)
            repeats.error(f"{handlers.owner}.connect raised, so the client was refused", error)
            self._failed(error)
            return {"message": "Internal server error"}
        if accepted is None:
            repeats.warning(
                f"{handlers.owner}.connect returned None, so the client was refused: return True to accept it, or "
                "False to refuse it"
            )
        return None if accepted else {"message": "Not authorized"}

    async def _run_event(self, handler: EventHandler, args: Sequence[Any], ack_id: int | None) -> None:
        try:
            method = getattr(self._consumer, handler.method)
            if handler.takes_ack:
                await method(self._socket, *args, ack=None if ack_id is None else self._ack(ack_id))
                return
            result = await method(self._socket, *args)
            if ack_id is not None:
                self._socket.acknowledge(ack_id, _to_arguments(result))
        except Disconnected as error:
            logger.debug("%s.%s ended: %s", self._handlers.owner, handler.method, error)
        except BaseException as error:
            raise_if_final(error)
            repeats.error(f"{self._handlers.owner}.{handler.method} raised", error)
            self._failed(error)

    def _ack(self, ack_id: int) -> Callable[..., Awaitable[None]]:
        sent = False

        async def ack(*args: Any) -> None:
            """Acknowledges the event. Only the first call does."""
            nonlocal sent
            if not sent:
                self._socket.acknowledge(ack_id, list(args))
                sent = True

        return ack

    async def _run_disconnect(self, reason: Reason) -> None:
        try:
            await self._consumer.disconnect(self._socket, reason)
        except BaseException as error:
            raise_if_final(error)
            repeats.error(f"{self._handlers.owner}.disconnect raised", error)
            self._failed(error)

    async def _run_callback(self, callback: Callable[..., Any], args: Sequence[Any], size: int) -> None:
        try:
            result = callback(*args)
            if inspect.isawaitable(result):
                await result
        except BaseException as error:
            raise_if_final(error)
            repeats.error(f"The ack callback {_name(callback)} raised", error)
            self._failed(error)
        finally:
            self._client.release(size)

    def _failed(self, error: BaseException) -> None:
        self._socket.server.upkeep.failed(error)


def _name(callback: Callable[..., Any]) -> str:
    """The name of a callback without its address: it is the same one for every client."""
    named = callback if hasattr(callback, "__qualname__") else type(callback)
    return f"{named.__module__}.{named.__qualname__}"


def _to_arguments(result: Any) -> list[Any]:
    """What a handler returns, as the arguments of an acknowledgement: None → none, a tuple → several."""
    if result is None:
        return []
    return list(result) if isinstance(result, tuple) else [result]
