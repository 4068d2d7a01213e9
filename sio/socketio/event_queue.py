"""The events of one socket that wait for their handlers: run one at a time, in order, and never by the transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol, TypeAlias

from ..engineio.protocol.state import CloseReason
from ..engineio.socket import EngineIOSocket
from .log import Log
from .protocol.backlog import Backlog
from .protocol.options import SocketIOOptions
from .upkeep import Upkeep

Job: TypeAlias = Callable[[], Awaitable[None]]

#: Bytes that handlers are given before others get their turn, and what a handler counts for that runs: one that never
#: waits gives others no turn by itself.
_TURN_BYTES = 65_536
_HANDLER_COST = _TURN_BYTES // 16


class QueueClient(Protocol):
    """What a queue asks of its client."""

    eio: EngineIOSocket
    options: SocketIOOptions
    backlog: Backlog

    def release(self, size: int) -> None: ...
    def check_backlog(self, size: int = 0) -> None: ...
    def set_full(self, queue: Hashable, full: bool) -> None: ...


class EventQueue:
    """Runs the hooks and handlers of one socket, which the log calls `owner`.

    There is a task only while there is something to do: an idle socket costs none, and a burst of events one.
    """

    __slots__ = ("_bytes", "_client", "_is_full", "_jobs", "_owner", "_task", "_upkeep")

    def __init__(self, client: QueueClient, upkeep: Upkeep, owner: object) -> None:
        self._client = client
        self._upkeep = upkeep
        self._owner = owner
        #: Jobs, and the bytes of each. A list, since an empty deque is 760 bytes for each idle socket. What is taken
        #: off its front has a bound.
        self._jobs: list[tuple[Job, int]] = []
        #: Bytes of the events that wait.
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._is_full = False

    def put_hook(self, hook: Job) -> None:
        """Runs a hook after what is queued. It takes no event's room."""
        self._jobs.append((hook, 0))
        if self._task is None:
            self._start()

    def put(self, job: Job, size: int) -> None:
        """Runs the handler of an event, which takes `size` bytes, after what is queued. A full queue stops the client
        from being read.
        """
        client = self._client
        options, backlog = client.options, client.backlog
        self._jobs.append((job, size))
        self._bytes += size
        if self._task is None:
            self._start()
        # In line what `Client.hold` does: this is the path of every event.
        backlog.total += size
        backlog.waiting += size
        if backlog.total >= backlog.limit:
            client.check_backlog(size)
        if len(self._jobs) >= options.max_queued_events or self._bytes >= options.max_queued_bytes:
            self._set_full(True)
            if len(self._jobs) > options.max_queued_events * 2:
                # It is read although its queue is full, since a handler waits for its answer; it sends something else.
                Log.QUEUE_FLOODED.log(self._owner)
                client.eio.end(CloseReason.TRANSPORT_ERROR)

    def clear(self) -> None:
        """Drops what waits.

        "ignore packet received after disconnection" (`socket.ts`, `dispatch`): events that no handler has taken yet go
        with the socket that they came for.
        """
        self._jobs.clear()
        self._client.release(self._bytes)
        self._bytes = 0
        self._set_full(False)

    def cancel(self) -> None:
        """Cancels the job that runs."""
        assert self._task is not None
        self._task.cancel()

    def _start(self) -> None:
        self._upkeep.starting()
        self._task = self._client.eio.tasks.adopt(self._run())

    async def _run(self) -> None:
        left, backlog = _TURN_BYTES, self._client.backlog
        try:
            while self._jobs:
                job, size = self._jobs.pop(0)
                self._bytes -= size
                backlog.waiting -= size
                if not self._jobs and (self._is_full or backlog.is_full):
                    self._make_room()  # what is handled may take more than the bound by itself, and must not be alone
                try:
                    await job()
                finally:
                    backlog.total -= size
                    if self._is_full or backlog.is_full:
                        self._make_room()
                if self._task is not None and self._task.cancelling():
                    raise asyncio.CancelledError  # before it hits the next one
                left -= size + _HANDLER_COST
                if left <= 0:
                    left = _TURN_BYTES
                    self._upkeep.starting()
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
        self._client.check_backlog()

    def _set_full(self, full: bool) -> None:
        if self._is_full is not full:
            self._is_full = full
            self._client.set_full(self, full)
