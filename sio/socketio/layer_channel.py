"""The channel that a process has in a channel layer: its reader, the groups that it is in, and how the layer fares.

Everything that touches the layer from behind a client's back happens here, and nothing that goes wrong in it reaches a
client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol

logger = logging.getLogger("sio.channel_layer")

#: Pauses between attempts while the layer fails, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
#: A `receive` that times out after this long (seconds) met silence and no outage: redis-py 8 ends reads after 5 s.
_IDLE_READ = 1.0
#: Memberships are made anew at least this often, in seconds: a Redis that was flushed forgot them and does not say so.
_LONGEST_REFRESH = 300.0
#: Memberships that are made side by side.
_BATCH = 100
#: What Channels' own layers take for `group_expiry` where they do not say, in seconds.
_DEFAULT_GROUP_EXPIRY = 86_400


class ChannelLayer(Protocol):
    """What is used of a Channels channel layer."""

    async def new_channel(self) -> str: ...
    async def receive(self, channel: str) -> Any: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


class Use(Enum):
    """What a layer is used for. One can fail while another works: subscriptions outlive what publishes."""

    SEND = auto()
    JOIN = auto()
    READ = auto()


class LayerChannel:
    """One channel of a layer, read by one task, and its group memberships, kept by another.

    `deliver` gets every message. Memberships follow `add` and `discard` in their order; while the layer fails they are
    tried again, and after it failed, and regularly before the layer forgets them, all are made anew.
    """

    def __init__(self, layer: ChannelLayer, deliver: Callable[[Any], None]) -> None:
        self.layer = layer
        #: What failed at the last attempt: each of them shows by itself that it works again.
        self._failing: set[Use] = set()
        self._deliver = deliver
        self._channel = ""
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        #: Groups whose membership may be wrong, and who waits until those before are right: a queue without duplicates,
        #: since clients that join and leave rooms must not fill it while the layer fails.
        self._changes: dict[str | asyncio.Future[None], None] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._refresh: asyncio.TimerHandle | None = None

    def add(self, group: str) -> None:
        """Makes this process a member of a group."""
        self._wanted.add(group)
        self._change(group)

    def discard(self, group: str) -> None:
        """Ends the membership."""
        self._wanted.discard(group)
        self._change(group)

    async def settle(self) -> None:
        """Waits until the memberships asked for so far are made, or the layer failed."""
        if self._keeper is not None and self.is_up:
            done = asyncio.get_running_loop().create_future()
            self._changes[done] = None
            await done

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Sends to a group. An error of the layer is logged, and swallowed."""
        if self._failing and self._keeper is not None:
            return  # the keeper finds out when the layer works again; nobody else needs to wait for it
        try:
            await self.layer.group_send(group, message)
        except Exception as error:
            self._failed(Use.SEND, error)
        else:
            self._works(Use.SEND)

    async def close(self) -> None:
        """Leaves the groups as well as it can, and stops. It starts anew with the next `add`."""
        if self._refresh is not None:
            self._refresh.cancel()
        for task in (self._keeper, self._reader):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        self._release_waiters()
        with contextlib.suppress(Exception):
            for group in list(self._joined):
                await self.layer.group_discard(group, self._channel)
        self._joined.clear()
        self._channel = ""

    # Memberships

    def _change(self, group: str) -> None:
        self._changes[group] = None
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep_memberships())

    async def _keep_memberships(self) -> None:
        """Makes memberships what they should be. There is a task only while there is something to change."""
        pause = _FIRST_PAUSE
        try:
            while self._changes:
                try:
                    await self._apply_batch()
                except Exception as error:
                    self._failed(Use.JOIN, error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                else:
                    pause = _FIRST_PAUSE
        finally:
            self._keeper = None
        self._works(Use.JOIN)

    async def _apply_batch(self) -> None:
        """Applies the first changes, side by side. Raises the error of one, with those that failed queued again."""
        await self._open()
        batch: list[str] = []
        waiters: list[asyncio.Future[None]] = []
        while self._changes and len(batch) < _BATCH:
            change = next(iter(self._changes))
            # Taken out before it is applied: what changes meanwhile is then queued again.
            del self._changes[change]
            if isinstance(change, asyncio.Future):
                waiters.append(change)
            else:
                batch.append(change)
        results = await asyncio.gather(*map(self._apply, batch), return_exceptions=True)
        for waiter in waiters:
            _release(waiter)
        failed = {group: error for group, error in zip(batch, results, strict=True) if error is not None}
        self._changes |= dict.fromkeys(failed)
        for error in failed.values():
            raise error

    async def _open(self) -> None:
        if not self._channel:
            self._channel = await self.layer.new_channel()
            self._reader = asyncio.get_running_loop().create_task(self._read())
            self._schedule_refresh()

    async def _apply(self, group: str) -> None:
        # What was wanted and unwanted again since costs nothing.
        if group in self._wanted and group not in self._joined:
            await self.layer.group_add(group, self._channel)
            self._joined.add(group)
        elif group not in self._wanted and group in self._joined:
            self._joined.discard(group)
            await self.layer.group_discard(group, self._channel)

    def _schedule_refresh(self) -> None:
        expiry = getattr(self.layer, "group_expiry", None) or _DEFAULT_GROUP_EXPIRY
        self._refresh = asyncio.get_running_loop().call_later(min(expiry / 4, _LONGEST_REFRESH), self._on_refresh)

    def _on_refresh(self) -> None:
        self._rejoin()
        self._schedule_refresh()

    def _rejoin(self) -> None:
        """Makes all memberships anew: the layer may have forgotten them."""
        self._joined.clear()
        for group in self._wanted:
            self._change(group)

    # Messages

    async def _read(self) -> None:
        """Delivers messages for ever. What goes wrong with one, or with the layer, does not end it."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            started = loop.time()
            try:
                message = await self.layer.receive(self._channel)
            except Exception as error:
                if loop.time() - started > _IDLE_READ and _is_timeout(error):
                    pause = _FIRST_PAUSE
                    self._works(Use.READ)
                    continue
                self._failed(Use.READ, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                self._works(Use.READ)
                self._deliver(message)
                await asyncio.sleep(0)  # a layer may have many at once: the writers of the clients get their turn

    # Health

    @property
    def is_up(self) -> bool:
        """Whether nothing is known to be wrong with the layer."""
        return not self._failing

    def _failed(self, use: Use, error: Exception) -> None:
        if self.is_up:
            logger.warning("The channel layer failed (%r): broadcasts reach this process only", error)
            self._release_waiters()
            self._rejoin()
        self._failing.add(use)

    def _works(self, use: Use) -> None:
        if use in self._failing:
            self._failing.remove(use)
            if self.is_up:
                logger.warning("The channel layer works again: broadcasts reach all processes")

    def _release_waiters(self) -> None:
        for waiter in [change for change in self._changes if isinstance(change, asyncio.Future)]:
            del self._changes[waiter]
            _release(waiter)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _is_timeout(error: Exception) -> bool:
    """By its name, since redis-py's own TimeoutError is no builtin one, and redis-py may not be installed."""
    return type(error).__name__ == "TimeoutError"
