"""`SocketIOServer`: namespaces, their sockets, and broadcasts. That of the process is behind `get_socketio_server`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..aio.bound_loop import BoundLoop
from ..engineio.application import EngineIOApplication
from ..engineio.process import process
from ..engineio.protocol.state import CloseReason
from ..engineio.server import EngineIOServer
from ..engineio.socket import EngineIOSocket
from .adapter import Adapter
from .broadcast import Broadcaster
from .client import Client
from .encoding import Encoding
from .handlers import Handlers
from .hints import ServerHints
from .namespaces import Namespaces
from .operators import BroadcastOperator
from .protocol.options import SocketIOOptions
from .protocol.reasons import DisconnectReason
from .rooms import to_rooms
from .shared import Shared
from .target import Target
from .upkeep import Upkeep
from .users import Users

#: Each reason of a session as one of a socket: by Enum's call, it would take as long as ten lookups.
_REASONS = {reason: DisconnectReason(reason) for reason in CloseReason}

_MISUSE = (
    "a socket is used in a thread or event loop that is not its own: emit with "
    "'await server.emit(event, ..., room=socket.id, namespace=socket.namespace)' there"
)


class SocketIOServer(EngineIOApplication):
    """The Socket.IO layer: an application of the Engine.IO server that it is given.

    `options` gives the options in force, and is asked for each connection; `adapter` makes what keeps the rooms;
    `upkeep` hears of hooks and handlers; `users` knows whose a socket is; `engineio` is the server below, by default
    one of its own. Two servers share nothing.
    """

    def __init__(
        self,
        options: Callable[[], SocketIOOptions] = SocketIOOptions,
        adapter: Callable[[], Adapter] = Adapter,
        upkeep: Upkeep | None = None,
        users: Users | None = None,
        engineio: EngineIOServer | None = None,
    ) -> None:
        #: The Engine.IO server whose application this is.
        self.engineio = EngineIOServer() if engineio is None else engineio
        #: What keeps the rooms, and reaches other processes.
        self.adapter = adapter()
        users = Users() if users is None else users
        hints, loop, encoding = ServerHints(), BoundLoop(_MISUSE), Encoding(options)
        namespaces = Namespaces(hints)
        broadcaster = Broadcaster(loop, self.adapter, encoding, options, namespaces.served, users, hints)
        self._shared = Shared(
            self,
            options,
            self.adapter,
            Upkeep() if upkeep is None else upkeep,
            users,
            namespaces,
            encoding,
            loop,
            broadcaster,
        )
        self._clients: dict[EngineIOSocket, Client] = {}
        self.engineio.app = self

    def register(self, name: str, handlers: Handlers) -> None:
        """Makes a namespace known, with what handles it. Registering the same class again does nothing.

        Raises ValueError for an impossible name, and for a second class on a name.
        """
        self._shared.namespaces.register(name, handlers)

    async def emit(
        self,
        event: str,
        *args: Any,
        room: str | Iterable[str] | None = None,
        namespace: str = "/",
        except_: str | Iterable[str] | None = None,
        volatile: bool = False,
    ) -> None:
        """Sends an event to the sockets in a namespace, in all processes; to those in a room, or in any of several, if
        `room` says so.

        Those in a room of `except_` are left out. A socket's id is a room with only that socket. A `volatile` event
        reaches only those to whom it can leave at once. Raises EncodingError, ValueError for a reserved event name, and
        TypeError for a room that is no string; nothing is sent then.

        It may be awaited on any event loop, in any thread: what is sent is encoded and sent on the loop of the sockets.
        """
        rooms = None if room is None else to_rooms(room)
        excluded = frozenset[str]() if except_ is None else to_rooms(except_)
        await self._shared.broadcaster.emit(Target(namespace, rooms, excluded, False, volatile), event, args)

    # Operators

    def of(self, namespace: str | type) -> BroadcastOperator:
        """Returns all sockets of a namespace, which is a name or a consumer class."""
        name = namespace if isinstance(namespace, str) else getattr(namespace, "namespace", None)
        if not isinstance(name, str):
            raise TypeError(f"of() takes the name of a namespace, or a consumer class, not {namespace!r}")
        return BroadcastOperator(self._shared.broadcaster, Target(name))

    def to(self, *rooms: str | Iterable[str]) -> BroadcastOperator:
        """`of("/").to(...)`."""
        return self.of("/").to(*rooms)

    def to_user(self, *users: Any) -> BroadcastOperator:
        """`of("/").to_user(...)`."""
        return self.of("/").to_user(*users)

    def except_(self, *rooms: str | Iterable[str]) -> BroadcastOperator:
        """`of("/").except_(...)`."""
        return self.of("/").except_(*rooms)

    def except_user(self, *users: Any) -> BroadcastOperator:
        """`of("/").except_user(...)`."""
        return self.of("/").except_user(*users)

    @property
    def local(self) -> BroadcastOperator:
        """`of("/").local`."""
        return self.of("/").local

    @property
    def volatile(self) -> BroadcastOperator:
        """`of("/").volatile`."""
        return self.of("/").volatile

    async def close(self) -> None:
        """Ends all connections with the reason `server shutting down`. What was not delivered yet is dropped."""
        for eio, client in list(self._clients.items()):
            client.end(DisconnectReason.SERVER_SHUTTING_DOWN)
            eio.end(CloseReason.SERVER_SHUTTING_DOWN, discard=True)
        await self.adapter.close()

    # The Engine.IO application

    def on_connect(self, socket: EngineIOSocket) -> None:
        self._shared.loop.bind(is_free=not self._clients)
        self._clients[socket] = Client(self._shared, socket)

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        self._clients[socket].receive(data)

    def on_disconnect(self, socket: EngineIOSocket, reason: CloseReason) -> None:
        self._clients.pop(socket).end(_REASONS[reason])

    def on_revoked(self, socket: EngineIOSocket) -> None:
        self._clients[socket].disconnect()

    async def on_shutdown(self) -> None:
        await self.adapter.close()


def get_socketio_server() -> SocketIOServer:
    """Returns the server of this process; at first, makes it, as the application of the process's Engine.IO server."""
    server = process.server
    assert isinstance(server, SocketIOServer)
    return server


def reset_socketio_server() -> None:
    """Forgets the server, its namespaces, its sessions and the thread of its emitter, for tests."""
    process.reset()
