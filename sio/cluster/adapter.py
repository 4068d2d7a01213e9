"""The adapter that reaches the other processes through the Channels channel layer.

A process has one channel, and is in the layer's group of each room that one of its sockets is in. A broadcast goes to
the sockets of this process first, which keeps their order and works with the layer down, and then to the layer once: to
the group of its room, or of the whole namespace if it has none or several. Each message carries who sent it, its
number, and the number of the sender's previous one to the same group, so that a receiver skips its own and what comes
twice, and notices what it missed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from ..aio.log_limits import Tally
from ..engineio.protocol.packets import EncodedPacket
from ..socketio.adapter import Adapter
from ..socketio.protocol.options import SocketIOOptions
from ..socketio.rooms import Room
from ..socketio.target import Target
from .channel import ProcessChannel
from .health import Health
from .log import logger
from .messages import Broadcast, group_name, target_room

#: Groups whose last number a sender remembers. For one that it forgot, receivers cannot notice a gap.
_MAX_NUMBERED_GROUPS = 10_000
#: Senders in one group whose last number a receiver remembers: processes come and go, and each is a new one.
_MAX_SENDERS = 1_000


class ChannelLayerAdapter(Adapter):
    """Rooms over all processes that share the default channel layer. Without one, or with the in-memory one, over this
    process. `options` gives the options in force; servers of different names do not hear one another.
    """

    def __init__(
        self,
        options: Callable[[], SocketIOOptions] = SocketIOOptions,
        health: Health | None = None,
        name: str = "",
    ) -> None:
        super().__init__()
        self._name = name
        self._options = options
        #: Of those that are for sending: `async_to_sync` has a new thread for each call, which must not each find out
        #: for itself, and log, that the layer fails.
        self._health = health
        self._senders_health = health or Health()
        self._channel: ProcessChannel | None = None
        self._number = 0
        #: The number of the last message to each group.
        self._sent: OrderedDict[str, int] = OrderedDict()
        #: The number of the last message from each sender in each group.
        self._received: dict[str, OrderedDict[str, int]] = {}
        #: The last message to each group that is still on its way.
        self._sending: dict[str, asyncio.Future[None]] = {}
        self._lost = Tally(logger, "The channel layer lost broadcasts")
        self._malformed = Tally(logger, "Dropped a message of the channel layer that is no broadcast")
        self._unsent = Tally(logger, "The channel layer cannot carry a broadcast, which reached this process only")

    @property
    def lost(self) -> int:
        """How often broadcasts of another process did not arrive."""
        return self._lost.count

    @property
    def malformed(self) -> int:
        """How many messages could not be read, or were no broadcasts."""
        return self._malformed.count

    @cached_property
    def _process(self) -> str:
        # Drawn at the first use and not at import, where a server that forks would share it among its processes.
        return secrets.token_hex(8)

    def _get_channel(self) -> ProcessChannel | None:
        """Returns the channel of this process, if there is a layer that reaches others."""
        layer = get_channel_layer()
        # The in-memory layer reaches nobody else, and copies each message to find that out.
        if layer is None or type(layer) is InMemoryChannelLayer:
            return None
        if self._channel is None or self._channel.layer is not layer:
            self._channel = ProcessChannel(layer, self.receive, self._malformed.add, self._options, self._health)
        return self._channel

    def for_sending(self) -> ChannelLayerAdapter:
        return type(self)(self._options, self._senders_health, self._name)

    # Membership

    def on_room_created(self, namespace: str, room: Room) -> None:
        """Joins the group of the room."""
        channel = self._get_channel()
        if channel is not None:
            channel.add(group_name(namespace, room, self._name))

    def on_room_deleted(self, namespace: str, room: Room) -> None:
        """Leaves the group of the room."""
        # Without a channel nothing was joined, and a layer that cannot be had is reported when something is.
        channel = None if self._channel is None else self._get_channel()
        if channel is not None:
            group = group_name(namespace, room, self._name)
            channel.discard(group)
            self._received.pop(group, None)

    async def settle(self) -> None:
        if self._channel is not None:
            await self._channel.settle()

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()

    # Sending

    @property
    def reaches_others(self) -> bool:
        return self._get_channel() is not None

    async def broadcast(self, target: Target, packets: Sequence[EncodedPacket]) -> None:
        """Sends to the sockets of this process, and then to the layer. An error of the layer is none of the caller."""
        await super().broadcast(target, packets)
        channel = None if target.local else self._get_channel()
        if channel is None or target.rooms == frozenset():
            return
        group = group_name(target.namespace, target_room(target.rooms), self._name)
        self._number += 1
        broadcast = Broadcast(
            self._process,
            self._number,
            self._sent.pop(group, 0),
            target,
            tuple(packet.data for packet in packets),
        )
        self._sent[group] = self._number
        if len(self._sent) > _MAX_NUMBERED_GROUPS:
            self._sent.popitem(last=False)
        await self._send_in_order(channel, group, broadcast)

    async def _send_in_order(self, channel: ProcessChannel, group: str, broadcast: Broadcast) -> None:
        """Sends to one group after what was sent to it before; those of different groups are on their way together."""
        before = self._sending.get(group)
        done = self._sending[group] = asyncio.get_running_loop().create_future()
        try:
            if before is not None:
                await asyncio.wait([before])
            await channel.group_send(group, broadcast.to_message())
        except Exception as error:
            self._unsent.add(error)
        finally:
            if before is None or before.done():
                self._end_sending(group, done)
            else:  # cancelled as it waited: the next one is to wait as long
                before.add_done_callback(lambda _: self._end_sending(group, done))

    def _end_sending(self, group: str, done: asyncio.Future[None]) -> None:
        """A broadcast of the group is over: the next one may be sent."""
        done.set_result(None)
        if self._sending.get(group) is done:
            del self._sending[group]

    # Receiving

    def receive(self, message: Any) -> None:
        """Takes a message of the layer, and sends it to the sockets of this process. Never raises."""
        try:
            broadcast = Broadcast.from_message(message)
            packets = [EncodedPacket(data) for data in broadcast.packets]
        except Exception as error:  # whatever another program put on the layer
            self._malformed.add(error)
            return
        if broadcast.sender != self._process and self._is_next(broadcast):
            self.broadcast_locally(broadcast.target, packets)

    def _is_next(self, broadcast: Broadcast) -> bool:
        """Whether the message is for a room of this process, and was not delivered before. Counts those that it shows
        to be lost.
        """
        namespace, room = broadcast.target.namespace, target_room(broadcast.target.rooms)
        if (namespace, room) not in self._rooms:
            return False  # left since
        numbers = self._received.setdefault(group_name(namespace, room, self._name), OrderedDict())
        last = numbers.get(broadcast.sender, 0)
        # "Duplicate messages will be received eventually" (channels_redis)
        if broadcast.number <= last:
            return False
        numbers[broadcast.sender] = broadcast.number
        numbers.move_to_end(broadcast.sender)
        if len(numbers) > _MAX_SENDERS:
            numbers.popitem(last=False)
        if last and broadcast.previous > last:
            self._lost.add(
                f"of another process in the namespace {namespace!r}: raise its capacity, or use channels_redis.pubsub"
            )
        return True
