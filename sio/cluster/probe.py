"""Messages that a process sends to itself through a channel layer: nothing else shows that the way is open.

A Redis that hangs says nothing to who only listens; one that was flushed takes broadcasts, and gives them to nobody.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..aio.futures import set_done
from .calls import Calls, ChannelLayer, Pause, wait
from .groups import Groups
from .health import Health, Operation

MESSAGE_TYPE = "sio.probe"
#: Probes without an answer from the layer after which no more are sent.
_MOST_LATE = 100


class Probe:
    """Sends a message to a group of the process's own at an interval, and at shorter ones while the layer fails.

    `timeout` and `interval` are in seconds. `count_messages` says how many messages were read: while there are more, a
    probe may still be behind them.
    """

    def __init__(
        self,
        layer: ChannelLayer,
        health: Health,
        groups: Groups,
        timeout: Callable[[], float],
        interval: Callable[[], float],
        count_messages: Callable[[], int],
    ) -> None:
        self._layer = layer
        self._health = health
        self._groups = groups
        self._calls = Calls(timeout, _MOST_LATE)
        self._interval = interval
        self._count_messages = count_messages
        self._names: list[str] = []
        self._number = 0
        #: The groups whose message of this number has not come back.
        self._missing: set[str] = set()
        #: What waits for all of them.
        self._all_back: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None

    # What it hears

    def start(self) -> None:
        """The process is in groups now."""
        # At once: what is flushed from now on takes these memberships with it.
        self._names = list(group_names(self._layer))
        for name in self._names:
            self._groups.add(name)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """The process is in no group any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for name in self._names:
            self._groups.discard(name)
        self._names = []

    @property
    def is_running(self) -> bool:
        """Whether somebody finds out when a layer that failed works again."""
        return self._task is not None

    def hurry(self) -> None:
        """Something failed: the next message is due at once."""
        if self._wake is not None:
            set_done(self._wake)

    def takes(self, message: Any) -> bool:
        """Whether a message that was read is a probe."""
        if not isinstance(message, dict) or message.get("type") != MESSAGE_TYPE:
            return False
        # One of an earlier round says nothing about what happened since.
        if message.get("number") == self._number:
            self._missing.discard(str(message.get("group")))
            if not self._missing and self._all_back is not None:
                set_done(self._all_back)
        return True

    # The task

    async def _run(self) -> None:
        pause = Pause()
        while True:
            # Also before the first one: a layer may take a while to make a membership that it was asked for.
            await self._sleep(self._interval() if self._health.is_up else pause.take())
            try:
                await self._check()
            except Exception as error:
                self._health.failed(error)
            if self._health.is_up:
                pause.reset()

    async def _sleep(self, seconds: float) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._wake], timeout=seconds)
        self._wake = None

    async def _check(self) -> None:
        """Raises what the layer raises, and LayerTimeout."""
        self._number += 1
        self._missing = set(self._names)
        self._all_back = asyncio.get_running_loop().create_future()
        for name in self._names:
            message = {"type": MESSAGE_TYPE, "group": name, "number": self._number}
            await self._calls.run(partial(self._layer.group_send, name, message))
        self._health.works(Operation.SEND)
        if await wait([self._all_back], self._calls.timeout(), self._count_messages):
            self._health.works(Operation.READ)
        else:
            self._health.lost()


def group_names(layer: Any) -> Iterator[str]:
    """Yields the name of a group that nobody else is in; of a layer over several hosts, such as `channels_redis.core`
    with a list of them, one for each host. Each can be flushed by itself.
    """
    hosts = getattr(layer, "ring_size", 1)
    seen = set()
    prefix = f"sio.probe.{secrets.token_hex(8)}"
    for number in itertools.count():
        name = f"{prefix}.{number}"
        host = layer.consistent_hash(name) if hosts > 1 else 0
        if host not in seen:
            seen.add(host)
            yield name
        if len(seen) >= hosts:
            return
