"""A channel layer that fails, hangs and forgets on demand, and a process's channel in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import InMemoryChannelLayer

from sio.cluster.channel import ProcessChannel

#: The default of SIO_CHANNEL_LAYER_TIMEOUT_MS, in seconds.
TIMEOUT = 1.0
#: How the lines of the log begin.
FAILED, LOST, WORKS = "The channel layer failed", "The channel layer lost a message", "The channel layer works again"


class Layer(InMemoryChannelLayer):  # type: ignore[misc]
    """An in-memory layer that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(capacity=100_000)
        #: The calls that did not fail: what was asked for, and of which group.
        self.calls: list[tuple[str, str]] = []
        #: What every call raises.
        self.error: Exception | None = None
        #: How long each call takes, in seconds.
        self.delay = 0.0
        #: How many calls that hang were cancelled.
        self.cancelled = 0
        #: Whether what hung happens in the order in which it was asked for, or in the opposite one.
        self.reverse = False
        #: What `receive` returns, or raises, before anything that was sent.
        self.results: list[Any] = []
        self._hangs = False
        self._waiting: list[asyncio.Future[None]] = []

    async def _ask(self, call: str, target: str) -> None:
        if self.error is not None:
            raise self.error
        self.calls.append((call, target))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self._hangs:
            self._waiting.append(asyncio.get_running_loop().create_future())
            try:
                await self._waiting[-1]
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

    def hang(self) -> None:
        """Answers nothing, as a Redis that was stopped: what is asked for happens later."""
        self._hangs = True

    async def go_on(self) -> None:
        """Does what it was asked for meanwhile, and answers again."""
        self._hangs = False
        waiting, self._waiting = self._waiting, []
        for future in reversed(waiting) if self.reverse else waiting:
            future.set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)

    async def new_channel(self, prefix: str = "specific.") -> str:
        await self._ask("new", "")
        return str(await super().new_channel(prefix))

    async def group_add(self, group: str, channel: str) -> None:
        await self._ask("add", group)
        await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._ask("discard", group)
        await super().group_discard(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._ask("send", group)
        await super().group_send(group, message)

    async def receive(self, channel: str) -> Any:
        if not self.results:
            return await super().receive(channel)
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    @property
    def rooms(self) -> set[str]:
        """The groups with a member, but for those of probes."""
        return {group for group, members in self.groups.items() if members and "probe" not in group}

    def count(self, call: str) -> int:
        """How often it was asked for something."""
        return sum(name == call for name, _ in self.calls)


class Member:
    """The channel of a process in the group `room`, and what comes in there."""

    def __init__(self, layer: Layer | None = None) -> None:
        self.layer = layer or Layer()
        self.received: list[Any] = []
        self.rejected: list[Exception] = []
        self.channel = ProcessChannel(self.layer, self.received.append, self.rejected.append)

    async def send(self, text: str = "x", group: str = "room") -> float:
        """Sends to a group. Returns how long it took."""
        return await time_of(self.channel.group_send(group, {"text": text}))


async def time_of(awaitable: Awaitable[Any]) -> float:
    """Returns how long something takes, in seconds of the loop."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    await awaitable
    return loop.time() - started


async def until(condition: Callable[[], Any], seconds: float = 60) -> float:
    """Waits for a condition. Returns how long it took."""

    async def wait() -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    return await time_of(wait())
