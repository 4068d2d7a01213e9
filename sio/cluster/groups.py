"""The groups of a channel layer that a process is in, kept as they should be by one task."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from functools import partial

from ..aio.futures import set_done
from .calls import Calls, ChannelLayer, Pause
from .health import Health, Operation

#: Memberships are made anew at least this often, in seconds: a layer may forget one of them and not say so.
_LONGEST_REFRESH = 300.0
#: Memberships that are made side by side.
_BATCH = 100
#: Calls without an answer after which no more are made: a batch, and then one for each attempt.
_MOST_LATE = 2 * _BATCH
#: What Channels' own layers take for `group_expiry` where they do not say, in seconds.
_DEFAULT_GROUP_EXPIRY = 86_400


class Groups:
    """The memberships of one channel, which `open_channel` opens, and returns the name of.

    They follow `add` and `discard` in their order. While the layer fails they are tried again; after it failed, and
    regularly before the layer forgets them, all are made anew.
    """

    def __init__(
        self,
        layer: ChannelLayer,
        health: Health,
        timeout: Callable[[], float],
        open_channel: Callable[[], Awaitable[str]],
    ) -> None:
        self._layer = layer
        self._health = health
        self._calls = Calls(timeout, _MOST_LATE)
        self._open_channel = open_channel
        self.wanted: set[str] = set()
        self._joined: set[str] = set()
        #: Groups for which a call failed, or ended late. The call may have had its effect or not, before or after a
        #: later one. The value marks the last such call.
        self._doubts: dict[str, object] = {}
        #: Groups whose membership may be wrong, and who waits until those before are right: a queue without duplicates,
        #: since clients that join and leave rooms must not fill it while the layer fails.
        self._changes: dict[str | asyncio.Future[None], None] = {}
        #: Groups to join anew when nobody waits for a change.
        self._renewals: dict[str, None] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._refresh: asyncio.TimerHandle | None = None

    def add(self, group: str) -> None:
        """Makes the channel a member of a group."""
        self.wanted.add(group)
        self._change(group)

    def discard(self, group: str) -> None:
        """Ends the membership."""
        self.wanted.discard(group)
        self._change(group)

    async def settle(self) -> None:
        """Waits until the memberships asked for so far are made, or the layer failed."""
        if self._keeper is not None and self._health.is_up:
            done = asyncio.get_running_loop().create_future()
            self._changes[done] = None
            await done

    def renew(self) -> None:
        """Makes all memberships anew: the layer may have forgotten them. Nobody waits for it."""
        self.release_waiters()
        self._renew_all()

    def renew_regularly(self) -> None:
        """Makes all memberships anew now and then, from now on."""
        expiry = getattr(self._layer, "group_expiry", None) or _DEFAULT_GROUP_EXPIRY
        loop = asyncio.get_running_loop()
        self._refresh = loop.call_later(min(expiry / 4, _LONGEST_REFRESH), self._renew_again)

    def _renew_again(self) -> None:
        self._renew_all()
        self.renew_regularly()

    def _renew_all(self) -> None:
        self._joined -= self.wanted
        self._renewals = dict.fromkeys(self.wanted)
        if self._renewals:
            self._start()

    def release_waiters(self) -> None:
        """Lets those go who wait for memberships: these come when they can."""
        for waiter in [change for change in self._changes if isinstance(change, asyncio.Future)]:
            del self._changes[waiter]
            set_done(waiter)

    async def close(self, channel: str) -> None:
        """Leaves all groups as well as it can, and stops. It starts anew with the next `add`, on another channel."""
        if self._refresh is not None:
            self._refresh.cancel()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None  # one that had not begun yet does not say that it is over
        self.release_waiters()
        joined = list(self._joined)
        self._joined, self._doubts, self._changes, self._renewals = set(), {}, dict.fromkeys(self.wanted), {}
        for start in range(0, len(joined), _BATCH):
            batch = [partial(self._layer.group_discard, group, channel) for group in joined[start : start + _BATCH]]
            if any(await self._calls.run_many(batch)):
                break  # the end of this process leaves no time to try again

    # The keeper

    def _change(self, group: str) -> None:
        self._changes[group] = None
        self._start()

    def _start(self) -> None:
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        """Makes memberships what they should be. There is a task only while there is something to change."""
        pause = Pause()
        # One is enough to find out whether the layer answers.
        size = _BATCH if self._health.is_up else 1
        try:
            while self._changes or self._renewals:
                try:
                    await self._apply_batch(await self._open_channel(), size)
                except Exception as error:
                    self._health.failed(error)
                    size = 1
                    await asyncio.sleep(pause.take())
                else:
                    size = _BATCH
                    pause.reset()
        finally:
            self._keeper = None
        self._health.works(Operation.JOIN)

    async def _apply_batch(self, channel: str, size: int) -> None:
        """Applies the first changes, side by side. Raises the error of one, with those that failed queued again."""
        taken, waiters = self._take(size)
        # What was wanted and unwanted again since costs nothing.
        groups = [
            group for group in taken if group in self._doubts or (group in self.wanted) is not (group in self._joined)
        ]
        calls = [partial(self._apply, group, channel) for group in groups]
        try:
            errors = await self._calls.run_many(calls, lambda index: self._doubt(groups[index]))
        finally:
            for waiter in waiters:
                set_done(waiter)
        failed = {group: error for group, error in zip(groups, errors, strict=True) if error is not None}
        for group in failed:
            self._doubt(group)
        for error in failed.values():
            raise error

    async def _apply(self, group: str, channel: str) -> None:
        doubt = self._doubts.get(group)
        if group in self.wanted:
            await self._layer.group_add(group, channel)
            self._joined.add(group)
        else:
            self._joined.discard(group)
            await self._layer.group_discard(group, channel)
        if doubt is not None and self._doubts[group] is doubt:
            del self._doubts[group]

    def _doubt(self, group: str) -> None:
        """What should be is asked for again."""
        self._doubts[group] = object()
        self._change(group)

    def _take(self, size: int) -> tuple[list[str], list[asyncio.Future[None]]]:
        """Takes the first groups out of the queues, with those who wait for them. Out, before they are applied: what
        changes meanwhile is then queued again.
        """
        groups: list[str] = []
        waiters: list[asyncio.Future[None]] = []
        while self._changes and len(groups) < size:
            change = next(iter(self._changes))
            del self._changes[change]
            if isinstance(change, asyncio.Future):
                waiters.append(change)
            else:
                groups.append(change)
        for group in list(itertools.islice(self._renewals, size - len(groups))):
            del self._renewals[group]
            groups.append(group)
        return groups, waiters
