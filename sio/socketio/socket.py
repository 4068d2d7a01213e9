"""`NamespaceSocket`: one client in one namespace, as applications see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, MutableMapping, Sequence
from typing import Any, Protocol

from ..engineio.protocol.packets import EncodedPacket
from ..engineio.protocol.state import Transport
from ..engineio.socket import EngineIOSocket
from .acks import AckCallback
from .operators import BroadcastOperator


class ServerView(Protocol):
    """What an application may do with the server of a socket."""

    def of(self, namespace: str | type) -> BroadcastOperator: ...

    async def emit(
        self,
        event: str,
        *args: Any,
        room: str | Iterable[str] | None = None,
        namespace: str = "/",
        except_: str | Iterable[str] | None = None,
        volatile: bool = False,
    ) -> None: ...


class Connection(Protocol):
    """What a socket asks of its connection to the namespace."""

    id: str
    eio: EngineIOSocket
    is_connected: bool

    @property
    def namespace_name(self) -> str: ...
    @property
    def server(self) -> ServerView: ...
    @property
    def user(self) -> Any: ...
    @property
    def room_names(self) -> set[str]: ...
    def encode(self, event: str, args: Sequence[Any]) -> list[EncodedPacket]: ...
    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool: ...
    def send_with_ack(self, event: str, args: Sequence[Any], waiter: AckCallback, volatile: bool) -> int: ...
    async def drain(self) -> None: ...
    async def call(self, event: str, args: Sequence[Any], timeout: float | None) -> Any: ...  # noqa: ASYNC109
    async def join(self, rooms: Collection[str]) -> None: ...
    def leave(self, rooms: Collection[str]) -> None: ...
    def leave_all(self) -> None: ...
    def others(self) -> BroadcastOperator: ...
    def disconnect(self, *, close: bool) -> None: ...


class NamespaceSocket:
    """One client in one namespace: what the methods of a consumer get as `socket`.

    Its hooks and events are handled one at a time, in the order in which they came. While `connect` has not accepted
    it, the client does not know of it: what is emitted waits for the answer, and broadcasts do not reach it. A socket
    that is disconnected sends nothing more; what is called on it then does nothing.
    """

    def __init__(self, connection: Connection, auth: dict[str, Any]) -> None:
        #: The public id: random, and of no use to an attacker.
        self.id = connection.id
        #: The name of the namespace.
        self.namespace = connection.namespace_name
        #: What the client sent as `auth`; {} if nothing.
        self.auth = auth
        #: Whatever the application wants to keep with the socket.
        self.data: dict[str, Any] = {}
        self._connection = connection
        self._eio = connection.eio

    def __repr__(self) -> str:
        return f"<NamespaceSocket {self.id} in {self.namespace}>"

    # What it is

    @property
    def server(self) -> ServerView:
        """The server that the socket is of."""
        return self._connection.server

    @property
    def connected(self) -> bool:
        """Whether the socket is accepted and not disconnected."""
        return self._connection.is_connected

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """The ASGI scope of the handshake request, as the middleware around the application left it."""
        return self._eio.scope

    @property
    def user(self) -> Any:
        """The user of the handshake request, of `channels.auth.AuthMiddlewareStack` or middleware like it. Raises
        ImproperlyConfigured without any.
        """
        return self._connection.user

    @property
    def transport(self) -> Transport:
        """The transport that the client is on: `polling` or `websocket`."""
        return self._eio.transport

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms that the socket is in, its own id among them; in the `disconnect` hook, those that it was in."""
        return frozenset(self._connection.room_names)

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
        connection = self._connection
        if callback is None:
            connection.send_packets(connection.encode(event, args), volatile)
        else:
            connection.send_with_ack(event, args, callback, volatile)
        if self._eio.is_congested:
            await connection.drain()

    async def send(self, *args: Any, callback: AckCallback | None = None, volatile: bool = False) -> None:
        """Sends the event `message`."""
        await self.emit("message", *args, callback=callback, volatile=volatile)

    async def call(self, event: str, *args: Any, timeout: float | None = 60.0) -> Any:  # noqa: ASYNC109
        """Sends an event and waits for its acknowledgement, at most `timeout` seconds (None: as long as the client is
        there).

        Returns None, the argument, or the tuple of arguments that the client acknowledged with. Raises AckTimeout;
        Disconnected as soon as the client is gone; NotConnected in `connect`; and what `emit` raises.
        """
        return await self._connection.call(event, args, timeout)

    # To others

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everybody in the namespace but this client."""
        return self._connection.others()

    def to(self, *rooms: str | Iterable[str]) -> BroadcastOperator:
        """The others in any of these rooms, and never this client. Raises what `BroadcastOperator.to` raises."""
        return self._connection.others().to(*rooms)

    def except_(self, *rooms: str | Iterable[str]) -> BroadcastOperator:
        """Everybody in the namespace but this client, and those in these rooms."""
        return self._connection.others().except_(*rooms)

    # Rooms

    async def join(self, *rooms: str) -> None:
        """Joins rooms: any strings but those that begin with `~`, as ids do. Raises ValueError for these, and
        TooManyRooms if SIO_MAX_ROOMS does not allow as many: clients may be the ones who name them. It then joins none.
        """
        await self._connection.join(rooms)

    async def leave(self, *rooms: str) -> None:
        """Leaves rooms."""
        self._connection.leave(rooms)

    async def leave_all(self) -> None:
        """Leaves all rooms but that of its own id."""
        self._connection.leave_all()

    # Leaving

    async def disconnect(self, close: bool = False) -> None:
        """Disconnects the client from this namespace; with `close`, from all namespaces, and closes its connection.
        Raises NotConnected in `connect`.
        """
        self._connection.disconnect(close=close)
