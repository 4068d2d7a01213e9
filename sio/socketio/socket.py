"""`NamespaceSocket`: one client in one namespace."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from ..engineio.packets import EncodedPacket
from ..engineio.state import Reason, Transport
from ..exceptions import AckTimeout, Disconnected, TooManyPendingAcks, TooManyRooms
from .adapter import EVERYONE
from .packets import RESERVED_EVENTS, PacketType, SocketIOPacket
from .worker import Worker

if TYPE_CHECKING:
    from .client import Client
    from .namespace import Namespace
    from .server import SocketIOServer

logger = logging.getLogger("sio.socketio")

AckCallback = Callable[..., Any]

#: Characters of a room name from which on it counts as two rooms, from twice as many on as three, and so on.
LONG_ROOM_NAME = 512


class NamespaceSocket:
    """One client in one namespace: what the methods of a consumer get as `socket`.

    Its hooks and events are handled one at a time, in the order in which they came. While `connect` has not accepted
    it, the client does not know of it: what is emitted waits for the answer, and broadcasts do not reach it. A socket
    that is disconnected sends nothing more; what is called on it then does nothing.
    """

    def __init__(self, client: Client, namespace: Namespace, server: SocketIOServer, auth: dict[str, Any]) -> None:
        #: The public id: random, and of no use to who would take over the connection.
        self.id = secrets.token_urlsafe(15)
        #: The name of the namespace.
        self.namespace = namespace.name
        self.server = server
        #: What the client sent as `auth`; {} if nothing.
        self.auth = auth
        #: Whatever the application wants to keep with the socket.
        self.data: dict[str, Any] = {}
        #: Whether the socket is accepted and not disconnected.
        self.connected = False
        self._client = client
        self._eio = client.eio
        self._namespace = namespace
        self._rooms = {self.id}
        self._rooms_size = 0
        #: Whether the connect hook said yes; whether the socket is over.
        self._accepted = False
        self._ended = False
        self._worker = Worker(self, client, namespace.handlers)
        self._acks: dict[int, AckCallback | asyncio.Future[tuple[Any, ...]]] = {}
        #: What was emitted before the client was accepted.
        self._held: list[EncodedPacket] = []

    def __repr__(self) -> str:
        return f"<NamespaceSocket {self.id} in {self.namespace}>"

    # What it is

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """The ASGI scope of the handshake request, as the middleware around the application left it."""
        return self._client.eio.scope

    @property
    def user(self) -> Any:
        """The user of the handshake request, of `channels.auth.AuthMiddlewareStack` or middleware like it. Raises
        ImproperlyConfigured without any.
        """
        return self.server.get_user(self.scope)

    @property
    def transport(self) -> Transport:
        """The transport that the client is on: `polling` or `websocket`."""
        return self._client.eio.transport

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms that the socket is in, its own id among them; in the `disconnect` hook, those that it was in."""
        return frozenset(self._rooms)

    @property
    def state(self) -> dict[str, Any]:
        """The same dict as `data`."""
        return self.data

    # Emitting

    async def emit(self, event: str, *args: Any, callback: AckCallback | None = None, volatile: bool = False) -> None:
        """Sends an event to this client. `callback` gets the arguments of its acknowledgement, once; it may be async. A
        `volatile` event is dropped if it could not leave at once: for what is soon out of date, such as a position.

        Waits when the client is slow to take what it was sent. Raises EncodingError, TooManyPendingAcks, and ValueError
        for a reserved event name; nothing is sent then.
        """
        if callback is None:
            self.send_packets(self.server.encode_event(self.namespace, event, args), volatile)
        else:
            self._send_with_ack(event, args, callback, volatile)
        if self._eio.is_congested:
            await self._drain()

    async def _drain(self) -> None:
        # Meanwhile it is read also with its queue of events full: the pong that is waited for may stand behind them.
        self._client.set_calling(True)
        try:
            await self._eio.drain()
        finally:
            self._client.set_calling(False)

    async def send(self, *args: Any, callback: AckCallback | None = None, volatile: bool = False) -> None:
        """Sends the event `message`."""
        await self.emit("message", *args, callback=callback, volatile=volatile)

    async def call(self, event: str, *args: Any, timeout: float | None = 60.0) -> Any:  # noqa: ASYNC109
        """Sends an event and waits for its acknowledgement, at most `timeout` seconds (None: as long as the client is
        there).

        Returns None, the argument, or the tuple of arguments that the client acknowledged with. Raises AckTimeout;
        Disconnected as soon as the client is gone; and what `emit` raises.
        """
        if not self.connected:
            if not self._ended:
                raise RuntimeError("call() cannot be used in connect(): the client cannot answer before it is accepted")
            raise Disconnected(f"{self!r} is disconnected")
        future: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()
        ack_id = self._send_with_ack(event, args, future)
        self._client.set_calling(True)
        try:
            async with asyncio.timeout(timeout):
                answer = await future
        except TimeoutError:
            raise AckTimeout(f"{self!r} did not acknowledge {event!r} within {timeout} s") from None
        finally:
            self._acks.pop(ack_id, None)
            self._client.set_calling(False)
            del future  # its exception has this frame in its traceback, and would be kept by it
        return answer if len(answer) > 1 else answer[0] if answer else None

    def _send_with_ack(
        self, event: str, args: Sequence[Any], waiter: AckCallback | asyncio.Future[Any], volatile: bool = False
    ) -> int:
        limit = self._client.options.max_pending_acks
        if len(self._acks) >= limit:
            raise TooManyPendingAcks(f"{self!r} has not acknowledged {limit} events (SIO_MAX_PENDING_ACKS)")
        while (ack_id := next(self._namespace.ack_ids)) in self._acks:
            continue  # it is still waited for, and the count came round
        packets = self.server.encode_event(self.namespace, event, args, ack_id)
        # Registered after the encoding, which may fail, and before the sending, which may be answered at once.
        if not self._ended:
            self._acks[ack_id] = waiter
        if not self.send_packets(packets, volatile):
            self._acks.pop(ack_id, None)
        return ack_id

    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool:
        """Sends packets of this namespace that are encoded already. Returns False if they were volatile and dropped."""
        if self.connected:
            return self._eio.send_packets(packets, volatile)
        if not self._ended and not volatile:
            self._held.extend(packets)
        return not volatile

    # Rooms

    async def join(self, room: str) -> None:
        """Joins a room: any string. Raises TooManyRooms if it is in as many as SIO_MAX_ROOMS allows: clients may be the
        ones who name them.
        """
        self.server.check_loop()
        check_room(room)
        if not self._ended and room not in self._rooms:
            size = self._rooms_size + _room_size(room)
            if size > (limit := self._client.options.max_rooms):
                raise TooManyRooms(f"{self!r} is in {len(self._rooms) - 1} rooms, and SIO_MAX_ROOMS is {limit}")
            self._rooms_size = size
            self._rooms.add(room)
            if self._accepted:
                self.server.adapter.add(self, [room])
                await self.server.adapter.settle()

    async def leave(self, room: str) -> None:
        """Leaves a room."""
        self.server.check_loop()
        check_room(room)
        if not self._ended and room in self._rooms:
            self._rooms.remove(room)
            self._rooms_size -= _room_size(room)
            if self._accepted:
                self.server.adapter.remove(self, [room])

    async def leave_all(self) -> None:
        """Leaves all rooms but that of its own id."""
        for room in self._rooms - {self.id}:
            await self.leave(room)

    # Leaving

    async def disconnect(self, close: bool = False) -> None:
        """Disconnects the client from this namespace; with `close`, from all namespaces, and closes its connection."""
        self.server.check_loop()
        if self._ended:
            return
        if not self.connected:
            raise RuntimeError("disconnect() cannot be used in connect(): return False, or raise ConnectionRefused")
        if close:
            self._client.disconnect()
        else:
            self.disconnect_namespace()

    def disconnect_namespace(self) -> None:
        """Tells the client that it is disconnected from this namespace."""
        self._send_packet(PacketType.DISCONNECT)
        self.end(Reason.SERVER_NAMESPACE_DISCONNECT)

    def end(self, reason: Reason) -> None:
        """The one door out of the namespace, for an accepted client and for one that is not yet. Idempotent."""
        if self._ended:
            return
        self._ended = True
        # From here on the socket sends nothing, is in no room, and gets no event: the hook finds it gone.
        self.connected = False
        self._client.forget(self)
        self._held.clear()
        if self._accepted:
            self._namespace.sockets.pop(self.id, None)
            self.server.adapter.remove(self, [EVERYONE, *self._rooms])
        self._fail_acks()
        # The worker goes on without it while something runs. Each would else keep the other, and with it all that the
        # client sent, until the garbage collector comes by.
        worker = self._worker
        del self._worker
        worker.disconnect(reason, accepted=self._accepted)

    def _fail_acks(self) -> None:
        acks, self._acks = self._acks, {}
        for waiter in acks.values():
            if isinstance(waiter, asyncio.Future) and not waiter.done():
                waiter.set_exception(Disconnected(f"{self!r} disconnected before it acknowledged"))

    # What the client sends

    def start(self) -> None:
        """Runs the connect hook, which decides between `accept` and `refuse`."""
        self._worker.connect()

    def receive_event(self, packet: SocketIOPacket) -> None:
        """Takes an event: its handler runs after those of earlier ones."""
        if not packet.data:
            return  # `42` without a payload: the reference takes it, and nobody can listen for it
        event, *args = packet.data
        handler = self._namespace.handlers.events.get(event if isinstance(event, str) else str(event))
        if handler is None:
            self._namespace.report_unhandled(str(event), "no method handles it")
        elif not handler.accepts(len(args)):
            problem = f"{handler.method} takes {handler.arity} arguments, not {len(args)}"
            self._namespace.report_unhandled(str(event), problem)
        else:
            self._worker.handle(handler, args, packet.id, packet.size)

    def receive_ack(self, packet: SocketIOPacket) -> None:
        """Takes an acknowledgement. One that nobody waits for is ignored."""
        waiter = None if packet.id is None else self._acks.pop(packet.id, None)
        args = packet.data or []
        if isinstance(waiter, asyncio.Future):
            if not waiter.done():
                waiter.set_result(tuple(args))
        elif waiter is not None:
            self._worker.call_back(waiter, args, packet.size)

    # What the worker decides

    async def accept(self) -> None:
        """The connect hook said yes. Does nothing if the client left meanwhile."""
        if not self._ended:
            self._accepted = True
            if self._namespace.is_served:
                self.server.adapter.add(self, [EVERYONE, *self._rooms])
                # The client is answered when the other processes reach it too.
                await self.server.adapter.settle()
            self._answer()

    def _answer(self) -> None:
        if self._ended:
            return
        answer = self.server.encode(SocketIOPacket(PacketType.CONNECT, self.namespace, {"sid": self.id}))
        self.connected = True
        self._namespace.sockets[self.id] = self
        if self._namespace.is_served:
            self._client.accepted()
        # In one piece: nothing that is broadcast now can come between the answer and what `connect` emitted.
        held, self._held = self._held, []
        self.send_packets([*answer, *held])

    def refuse(self, error: dict[str, Any]) -> None:
        """The connect hook said no: `message`, and `data` if it gave any. Does nothing if the client left meanwhile.

        Raises EncodingError, with the client not answered yet.
        """
        if not self._ended:
            self._send_packet(PacketType.CONNECT_ERROR, error)
            self.end(Reason.SERVER_NAMESPACE_DISCONNECT)

    def acknowledge(self, ack_id: int, args: list[Any]) -> None:
        """Answers an event of the client. Raises EncodingError."""
        if self.connected:
            self._send_packet(PacketType.ACK, args, ack_id)

    def _send_packet(self, packet_type: PacketType, data: Any = None, ack_id: int | None = None) -> None:
        self._client.eio.send_packets(self.server.encode(SocketIOPacket(packet_type, self.namespace, data, ack_id)))


def _room_size(room: str) -> int:
    return 1 + len(room) // LONG_ROOM_NAME


def check_room(room: Any) -> None:
    """Raises TypeError for what is no room name."""
    if not isinstance(room, str):
        raise TypeError(f"a room name is a str, not {room!r}")


def check_event(event: Any) -> None:
    """Raises TypeError or ValueError for what is no event name that may be emitted."""
    if not isinstance(event, str):
        raise TypeError(f"an event name is a str, not {event!r}")
    if event in RESERVED_EVENTS:
        raise ValueError(f"{event!r} is a reserved event name")
