"""Reads the channel of a process: an endless loop that outlives whatever the layer, or a message in it, does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .calls import ChannelLayer, Pause
from .health import Health

#: A `receive` that times out after this long (seconds) met silence and no outage: redis-py 8 ends reads after 5 s.
_IDLE_READ = 1.0
#: Unreadable messages in a row after which there is a pause, in case that it is no message what fails.
_MANY_UNREADABLE = 100


class Reader:
    """`deliver` gets every message, and `reject` the error of each that cannot be read."""

    def __init__(
        self,
        layer: ChannelLayer,
        health: Health,
        deliver: Callable[[Any], None],
        reject: Callable[[Exception], None],
    ) -> None:
        self._layer = layer
        self._health = health
        self._deliver = deliver
        self._reject = reject
        #: Messages that were read, the unreadable ones among them.
        self.count = 0

    async def run(self, channel: str) -> None:
        """Reads for ever."""
        loop = asyncio.get_running_loop()
        pause, unreadable = Pause(), 0
        while True:
            started = loop.time()
            try:
                message = await self._layer.receive(channel)
            except Exception as error:
                if is_unreadable(error):
                    self.count += 1
                    unreadable += 1
                    self._reject(error)
                    await asyncio.sleep(0 if unreadable % _MANY_UNREADABLE else pause.take())
                elif loop.time() - started > _IDLE_READ and _is_timeout(error):
                    pause.reset()
                else:
                    self._health.failed(error)
                    await asyncio.sleep(pause.take())
            else:
                self.count += 1
                unreadable = 0
                pause.reset()
                self._deliver(message)
                await asyncio.sleep(0)  # a layer may have many at once: the writers of the clients get their turn


def is_unreadable(error: BaseException) -> bool:
    """Whether a message is at fault for an error of `receive`, and not the layer: whatever a serializer raises, and
    what `channels_redis.core` stumbles over in a message that is no dict.
    """
    return isinstance(error, TypeError | ValueError | LookupError) or was_raised_in(error, "deserialize")


def is_unwritable(error: BaseException) -> bool:
    """Whether a message is at fault for an error of `group_send`, and not the layer."""
    return isinstance(error, TypeError | ValueError | OverflowError) or was_raised_in(error, "serialize")


def was_raised_in(error: BaseException, function: str) -> bool:
    """Whether an error passed through a function of this name. Both layers of channels_redis have these two."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == function:
            return True
        traceback = traceback.tb_next
    return False


def _is_timeout(error: Exception) -> bool:
    """By its name, since redis-py's own TimeoutError is no builtin one, and redis-py may not be installed."""
    return type(error).__name__ == "TimeoutError"
