"""The channel that a process has in a channel layer: what it sends, and the parts that do the rest.

Nothing that goes wrong with the layer reaches a client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from ..exceptions import LayerTimeout
from ..socketio.protocol.options import SocketIOOptions
from .calls import Calls, ChannelLayer, wait
from .groups import Groups
from .health import Health, Operation
from .probe import Probe
from .reader import Reader, is_unwritable


class ProcessChannel:
    """One channel of a layer: a task that reads it, one that keeps its group memberships while there is something to
    change, and one that finds out whether messages come through, while there are groups.

    `deliver` gets every message, `reject` the error of each that cannot be read. `options` gives the options in force.
    `health` is what channels share that do nothing but send.
    """

    def __init__(
        self,
        layer: ChannelLayer,
        deliver: Callable[[Any], None],
        reject: Callable[[Exception], None],
        options: Callable[[], SocketIOOptions] = SocketIOOptions,
        health: Health | None = None,
    ) -> None:
        self.layer = layer
        self._deliver_broadcast = deliver
        self._options = options
        self._health = health or Health(self._on_doubt)
        self._calls = Calls(self._timeout)
        self._groups = Groups(layer, self._health, self._timeout, self._open)
        self._reader = Reader(layer, self._health, self._deliver, reject)
        self._probe = Probe(
            layer, self._health, self._groups, self._timeout, self._interval, lambda: self._reader.count
        )
        self._rooms: set[str] = set()
        self._channel = ""
        self._opening: asyncio.Task[str] | None = None
        self._reading: asyncio.Task[None] | None = None

    def _timeout(self) -> float:
        return self._options().channel_layer_timeout / 1000

    def _interval(self) -> float:
        return self._options().channel_layer_check_interval / 1000

    @property
    def is_up(self) -> bool:
        """Whether nothing is known to be wrong with the layer."""
        return self._health.is_up

    # Memberships

    def add(self, group: str) -> None:
        """Makes this process a member of a group."""
        self._groups.add(group)
        self._rooms.add(group)
        if not self._probe.is_running:
            self._health.has_groups = True
            self._probe.start()

    def discard(self, group: str) -> None:
        """Ends the membership."""
        self._groups.discard(group)
        self._rooms.discard(group)
        if not self._rooms:
            self._stop_probing()

    def _stop_probing(self) -> None:
        self._probe.stop()
        self._groups.release_waiters()  # no failure would let them go any more
        self._health.left_groups()

    async def settle(self) -> None:
        """Waits until the memberships asked for so far are made, or the layer failed."""
        await self._groups.settle()

    def _on_doubt(self) -> None:
        self._groups.renew()
        self._probe.hurry()

    # Sending

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Sends to a group. Waits for the layer at most until the deadline; an error of the layer is logged, and
        swallowed. While the layer fails, nothing is sent. Raises what says that the message itself cannot be sent.
        """
        if not self._health.is_worth_a_try:
            return
        try:
            await self._calls.run(partial(self.layer.group_send, group, message))
        except Exception as error:
            if is_unwritable(error):
                raise
            self._health.failed(error)
        else:
            if not self._health.has_groups:
                self._health.works(Operation.SEND)

    # The channel

    async def _open(self) -> str:
        """Returns the name of the channel. Raises LayerTimeout if there is none yet, and what the layer raises."""
        if self._channel:
            return self._channel
        loop = asyncio.get_running_loop()
        if self._opening is None:
            self._opening = loop.create_task(self.layer.new_channel())
        if not await wait([self._opening], self._timeout()):
            raise LayerTimeout("no new channel yet")
        opening, self._opening = self._opening, None
        self._channel = opening.result()
        self._reading = loop.create_task(self._reader.run(self._channel))
        self._groups.renew_regularly()
        return self._channel

    def _deliver(self, message: Any) -> None:
        if not self._probe.takes(message):
            self._deliver_broadcast(message)

    async def close(self) -> None:
        """Leaves the groups as well as it can, and stops. It starts anew with the next `add`."""
        self._stop_probing()
        channel, self._channel = self._channel, ""
        await self._groups.close(channel)
        if self._reading is not None:
            self._reading.cancel()
            # The layer may have something to say to a Redis that hangs.
            await wait([self._reading], self._timeout())
