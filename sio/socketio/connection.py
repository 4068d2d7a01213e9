"""`NamespaceConnection`: one client in one namespace, for the library. Its `NamespaceSocket` is for applications.

Source: the reference's `socket.io/lib/socket.ts`.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from ..engineio.protocol.packets import EncodedPacket
from ..exceptions import AckTimeout, Disconnected, NotConnected
from .acks import AckCallback, PendingAcks, Waiter
from .dispatch import Dispatcher
from .event_queue import EventQueue, QueueClient
from .namespace import Namespace
from .operators import BroadcastOperator
from .protocol.packets import PacketType, SocketIOPacket
from .protocol.reasons import DisconnectReason
from .rooms import EVERYONE, PRIVATE_PREFIX, JoinedRooms, Room, check_joinable, check_room
from .shared import Shared
from .socket import NamespaceSocket, ServerView
from .target import Target


class NamespaceClient(QueueClient, Protocol):
    """What a connection asks of its client."""

    def hold(self, size: int) -> None: ...
    def set_must_read(self, must: bool) -> None: ...
    def accepted(self) -> None: ...
    def forget(self, connection: NamespaceConnection) -> None: ...
    def disconnect(self) -> None: ...


class NamespaceConnection:
    """Takes the packets of one client in one namespace, sends its own, and knows whether it is accepted and over."""

    def __init__(self, client: NamespaceClient, namespace: Namespace, shared: Shared, auth: dict[str, Any]) -> None:
        self.id = PRIVATE_PREFIX + secrets.token_urlsafe(15)
        self.eio = client.eio
        self.namespace_name = namespace.name
        #: Whether the client is accepted, answered and not disconnected.
        self.is_connected = False
        #: Whether the connect hook said yes.
        self._is_accepted = False
        #: Whether the client was refused, or has left.
        self._is_over = False
        self._client = client
        self._namespace = namespace
        self._shared = shared
        self._rooms = JoinedRooms(self.id, client.options.max_rooms)
        #: That of its user, once it is accepted. Nobody else can join it, and no `rooms` shows it.
        self._user_room: str | None = None
        self._acks = PendingAcks(namespace.ack_ids, client.options.max_pending_acks)
        #: What was emitted before the client was accepted.
        self._held: list[EncodedPacket] = []
        socket = NamespaceSocket(self, auth)
        self._queue = EventQueue(client, shared.upkeep, socket)
        self._dispatcher = Dispatcher(self, socket, namespace.handlers, shared)

    def __repr__(self) -> str:
        # In errors and in the log, as its socket: this is what the developer knows.
        return f"<NamespaceSocket {self.id} in {self.namespace_name}>"

    @property
    def server(self) -> ServerView:
        """The server of the namespace, for applications."""
        return self._shared.server

    @property
    def user(self) -> Any:
        """`NamespaceSocket.user`."""
        return self._shared.users.get(self.eio.scope)

    # What the client sends

    def start(self) -> None:
        """Runs the connect hook, which decides between `accept` and `refuse`."""
        self._queue.put_hook(self._dispatcher.run_connect)

    def receive(self, packet: SocketIOPacket) -> bool:
        """Takes a packet. Returns False for one that no accepted client may send."""
        if packet.type is PacketType.EVENT:
            self._receive_event(packet)
        elif packet.type is PacketType.ACK:
            self._receive_ack(packet)
        elif packet.type is PacketType.DISCONNECT:
            self.end(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)
        else:
            return False
        return True

    def _receive_event(self, packet: SocketIOPacket) -> None:
        """Puts an event into the queue: its handler runs after those of earlier ones."""
        if not packet.data:
            return  # `42` without a payload: the reference takes it, and nobody can listen for it
        event, *args = packet.data
        event = str(event)  # it may be a number
        handler = self._namespace.handlers.events.get(event)
        if handler is None:
            self._namespace.report_unhandled(event, "no method handles it")
        elif not handler.accepts(len(args)):
            problem = f"{handler.method} takes {handler.arity} arguments, not {len(args)}"
            self._namespace.report_unhandled(event, problem)
        else:
            self._queue.put(functools.partial(self._dispatcher.run_event, handler, args, packet.id), packet.size)

    def _receive_ack(self, packet: SocketIOPacket) -> None:
        """Gives an acknowledgement to what waits for it. One that nothing waits for is ignored."""
        waiter = self._acks.pop(packet.id)
        args = packet.data or []
        if isinstance(waiter, asyncio.Future):
            if not waiter.done():
                waiter.set_result(tuple(args))
        elif waiter is not None:
            # At once, and not after the events that wait: a handler may be waiting for it.
            self._client.hold(packet.size)
            self._shared.upkeep.starting()
            self.eio.tasks.create(_run_callback(self._client, self._dispatcher, waiter, args, packet.size))

    # What the application sends

    def encode(self, event: str, args: Sequence[Any], ack_id: int | None = None) -> list[EncodedPacket]:
        """Encodes an event of this namespace. Raises what `NamespaceSocket.emit` raises, and WrongEventLoop."""
        self._shared.loop.check()
        return self._shared.encoding.event(self.namespace_name, event, args, ack_id)

    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool:
        """Sends packets of this namespace that are encoded already. Returns False if they were volatile and dropped."""
        if self.is_connected:
            return self.eio.send_packets(packets, volatile)
        if not self._is_over and not volatile:
            self._held.extend(packets)
        return not volatile

    def send_with_ack(self, event: str, args: Sequence[Any], waiter: Waiter, volatile: bool = False) -> int:
        """Sends an event that the client is to acknowledge. Returns the id of the acknowledgement."""
        ack_id = self._acks.next_id(self)
        packets = self.encode(event, args, ack_id)
        # Registered after the encoding, which may fail, and before the sending, which may be answered at once.
        if not self._is_over:
            self._acks.add(ack_id, waiter)
        if not self.send_packets(packets, volatile):
            self._acks.pop(ack_id)
        return ack_id

    async def call(self, event: str, args: Sequence[Any], timeout: float | None) -> Any:  # noqa: ASYNC109
        """`NamespaceSocket.call`."""
        if not self.is_connected:
            if not self._is_over:
                raise NotConnected("call() cannot be used in connect(): the client cannot answer before it is accepted")
            raise Disconnected(f"{self!r} is disconnected")
        future: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()
        ack_id = self.send_with_ack(event, args, future)
        self._client.set_must_read(True)
        try:
            async with asyncio.timeout(timeout):
                answer = await future
        except TimeoutError:
            raise AckTimeout(f"{self!r} did not acknowledge {event!r} within {timeout} s") from None
        finally:
            self._acks.pop(ack_id)
            self._client.set_must_read(False)
            del future  # its exception has this frame in its traceback, and would be kept by it
        return answer if len(answer) > 1 else answer[0] if answer else None

    async def drain(self) -> None:
        """Waits until the client has taken enough of what it was sent."""
        # Meanwhile it is read also with its queue of events full: the pong that is waited for may stand behind them.
        self._client.set_must_read(True)
        try:
            await self.eio.drain()
        finally:
            self._client.set_must_read(False)

    def acknowledge(self, ack_id: int, args: list[Any]) -> None:
        """Answers an event of the client. Raises EncodingError."""
        if self.is_connected:
            self._send_packet(PacketType.ACK, args, ack_id)

    def _send_packet(self, packet_type: PacketType, data: Any = None, ack_id: int | None = None) -> None:
        packet = SocketIOPacket(packet_type, self.namespace_name, data, ack_id)
        self.eio.send_packets(self._shared.encoding.packet(packet))

    # Rooms

    @property
    def room_names(self) -> set[str]:
        """The rooms that the client is in, or was in at the end."""
        return self._rooms.names

    def _all_rooms(self) -> list[Room]:
        """The rooms that the adapter has it in."""
        rooms: list[Room] = [EVERYONE, *self._rooms.names]
        return rooms if self._user_room is None else [*rooms, self._user_room]

    def others(self) -> BroadcastOperator:
        """`NamespaceSocket.broadcast`."""
        target = Target(self.namespace_name, except_=frozenset((self.id,)))
        return BroadcastOperator(self._shared.broadcaster, target)

    async def join(self, rooms: Collection[str]) -> None:
        """`NamespaceSocket.join`."""
        self._shared.loop.check()
        for room in rooms:
            if room != self.id:
                check_joinable(room)
        if not self._is_over and (new := self._rooms.add(rooms, self)) and self._is_accepted:
            self._shared.adapter.add(self, new)
            await self._shared.adapter.settle()

    def leave(self, rooms: Collection[str]) -> None:
        """`NamespaceSocket.leave`."""
        self._shared.loop.check()
        for room in rooms:
            check_room(room)
        if not self._is_over and (old := self._rooms.remove(rooms)) and self._is_accepted:
            self._shared.adapter.remove(self, old)

    def leave_all(self) -> None:
        """`NamespaceSocket.leave_all`."""
        self.leave(self._rooms.others)

    # The answer to the client

    async def accept(self, socket: NamespaceSocket) -> None:
        """The connect hook said yes. Does nothing if the client left meanwhile."""
        if not self._is_over:
            self._is_accepted = True
            self._user_room = self._shared.users.room_in(self.eio.scope)
            if self._namespace.is_served:
                self._shared.adapter.add(self, self._all_rooms())
                # The client is answered when the other processes reach it too.
                await self._shared.adapter.settle()
            self._answer(socket)

    def _answer(self, socket: NamespaceSocket) -> None:
        if self._is_over:
            return
        packet = SocketIOPacket(PacketType.CONNECT, self.namespace_name, {"sid": self.id})
        answer = self._shared.encoding.packet(packet)
        self.is_connected = True
        self._namespace.sockets[self.id] = socket
        if self._namespace.is_served:
            self._client.accepted()
        # In one piece: nothing that is broadcast now can come between the answer and what `connect` emitted.
        held, self._held = self._held, []
        self.send_packets([*answer, *held])

    def refuse(self, error: dict[str, Any]) -> None:
        """The connect hook said no: `message`, and `data` if it gave any. Does nothing if the client left meanwhile.

        Raises EncodingError, with the client not answered yet.
        """
        if not self._is_over:
            self._send_packet(PacketType.CONNECT_ERROR, error)
            self.end(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    # The end

    def disconnect(self, *, close: bool) -> None:
        """`NamespaceSocket.disconnect`."""
        self._shared.loop.check()
        if self._is_over:
            return
        if not self.is_connected:
            raise NotConnected("disconnect() cannot be used in connect(): return False, or raise ConnectionRefused")
        if close:
            self._client.disconnect()
        else:
            self.disconnect_namespace()

    def disconnect_namespace(self) -> None:
        """Tells the client that it is disconnected from this namespace."""
        self._send_packet(PacketType.DISCONNECT)
        self.end(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    def end(self, reason: DisconnectReason) -> None:
        """The one door out of the namespace, for an accepted client and for one that is not yet. Idempotent."""
        if self._is_over:
            return
        self._is_over = True
        # From here on the client gets nothing and is in no room, and no event of it is handled: the hook finds it gone.
        self.is_connected = False
        self._client.forget(self)
        self._held.clear()
        if self._is_accepted:
            self._namespace.sockets.pop(self.id, None)
            self._shared.adapter.remove(self, self._all_rooms())
        self._acks.fail(self)
        # Both go on without the connection while something runs. Each would else keep the other, and with it all that
        # the client sent, until the garbage collector comes by.
        queue, dispatcher = self._queue, self._dispatcher
        del self._queue, self._dispatcher
        queue.clear()
        dispatcher.limit_connect(queue.cancel, self._client.options.connect_hook_timeout)
        if self._is_accepted and self._namespace.handlers.has_disconnect:
            queue.put_hook(functools.partial(dispatcher.run_disconnect, reason))


async def _run_callback(
    client: NamespaceClient, dispatcher: Dispatcher, callback: AckCallback, args: Sequence[Any], size: int
) -> None:
    # No method of the connection, which may be over when it begins.
    try:
        await dispatcher.run_callback(callback, args)
    finally:
        client.release(size)
