"""`SocketIOServer`: namespaces, their sockets, and broadcasts. One for each process, behind `get_socketio_server`."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Collection, Iterable, MutableMapping, Sequence
from typing import Any

from ..engineio.app import EngineIOApplication, set_engineio_app
from ..engineio.packets import EncodedPacket
from ..engineio.socket import EngineIOSocket
from ..engineio.state import Reason
from .adapter import Adapter
from .client import Client
from .handlers import Handlers
from .hints import ServerHints
from .home import HomeLoop
from .namespace import Namespace
from .options import SocketIOOptions
from .packets import PacketEncoder, PacketType, SocketIOPacket
from .socket import check_event, check_room
from .upkeep import Upkeep

#: The key of an ASGI scope under which a mounted application says which namespaces it serves.
NAMESPACES_KEY = "sio_namespaces"


class SocketIOServer(EngineIOApplication):
    """The Socket.IO layer as an Engine.IO application.

    `options` gives the options in force, and is asked for each connection; `adapter` makes what keeps the rooms;
    `upkeep` is told of hooks and handlers; `get_user` returns the user of an ASGI scope, or raises what says why there
    is none.
    """

    def __init__(
        self,
        options: Callable[[], SocketIOOptions] = SocketIOOptions,
        adapter: Callable[[], Adapter] = Adapter,
        upkeep: Upkeep | None = None,
        get_user: Callable[[MutableMapping[str, Any]], Any] = operator.methodcaller("get", "user"),
    ) -> None:
        self._options = options
        self._encoder: tuple[SocketIOOptions, PacketEncoder] | None = None
        self._clients: dict[EngineIOSocket, Client] = {}
        self._home = HomeLoop()
        self.adapter = adapter()
        self._outsider = _Outsider(self.adapter)
        self.upkeep = upkeep or Upkeep()
        self.get_user = get_user
        self._hints = ServerHints()
        #: The namespaces that have a consumer.
        self._registered: set[str] = set()
        #: All namespaces by their name. The main one is always there.
        self.namespaces: dict[str, Namespace] = {"/": Namespace("/")}
        #: What `/` is to the clients of applications that do not serve it.
        self._lobby = Namespace("/")

    # Namespaces

    def register(self, name: str, handlers: Handlers) -> None:
        """Makes a namespace known, with what handles it. Registering the same class again does nothing.

        Raises ValueError for an impossible name, and for a second class on a name.
        """
        if not name.startswith("/") or "," in name or not name.isprintable():
            raise ValueError(f"{name!r} is no namespace: it starts with '/' and has no comma ({handlers.owner})")
        known = self.namespaces.get(name)
        if known is not None and known.handlers.owner:
            # The same class comes here once for each mount: for HTTP and for WebSocket, say.
            if known.handlers.factory is not handlers.factory:
                raise ValueError(
                    f"two consumers handle the namespace {name!r}: {known.handlers.owner} and {handlers.owner}"
                )
            return
        self.namespaces[name] = Namespace(name, handlers)
        self._registered.add(name)

    def find_namespace(self, name: str, scope: MutableMapping[str, Any]) -> Namespace | None:
        """Returns the namespace that a client asked for, if the application that it came through serves it.

        The main one is always to be had, but as a lobby without a consumer where the application does not serve it.
        """
        # Another application of the same server may be mounted elsewhere, behind other middleware: its namespaces are
        # not to be had through this one.
        served: Collection[str] | None = scope.get(NAMESPACES_KEY)
        if served is None or name in served:
            return self.namespaces.get(name)
        return self._lobby if name == "/" else None

    def report_unknown_namespace(self, name: str, scope: MutableMapping[str, Any]) -> None:
        """Tells the developer of a namespace that `find_namespace` did not find."""
        served: Collection[str] | None = scope.get(NAMESPACES_KEY)
        self._hints.unknown_namespace(name, self.namespaces if served is None else served, name in self._registered)

    # Sending

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
        rooms = None if room is None else _to_rooms(room)
        excluded = () if except_ is None else _to_rooms(except_)
        if namespace not in self._registered:
            self._report_unheard(namespace)
        if self._home.is_here:
            packets = self.encode_event(namespace, event, args)
            await self.adapter.broadcast(namespace, packets, rooms, excluded, volatile)
        elif self._home.is_running:
            await self._home.run(
                self.emit(event, *args, room=rooms, namespace=namespace, except_=excluded, volatile=volatile)
            )
        else:
            packets = self._outsider.encode(self._options(), namespace, event, args)
            await self._outsider.adapter.broadcast(namespace, packets, rooms, excluded, volatile)

    def _report_unheard(self, namespace: str) -> None:
        """Tells the developer of a broadcast that nobody hears."""
        # A process without a consumer serves no clients: one of a task queue, or a command. It may know no namespace.
        if self._registered:
            self._hints.no_consumer(namespace, self._registered)
        elif not self._home.is_running and not self._outsider.adapter.reaches_others:
            self._hints.nobody_reached()

    def encode_event(
        self, namespace: str, event: str, args: Sequence[Any], ack_id: int | None = None
    ) -> list[EncodedPacket]:
        """Encodes an event, once for whoever gets it. Raises what `emit` raises, and RuntimeError on a loop that is not
        that of the sockets.
        """
        self._home.check()
        check_event(event)
        return self.encode(SocketIOPacket(PacketType.EVENT, namespace, [event, *args], ack_id))

    def encode(self, packet: SocketIOPacket) -> list[EncodedPacket]:
        """Encodes a packet: its header and its attachments. Raises EncodingError."""
        options = self._options()
        if self._encoder is None or self._encoder[0] is not options:
            self._encoder = options, PacketEncoder(options)
        return [EncodedPacket.message(data) for data in self._encoder[1].encode(packet)]

    def check_loop(self) -> None:
        """Raises RuntimeError on an event loop that is not that of the sockets."""
        self._home.check()

    async def close(self) -> None:
        """Ends all connections with the reason `server shutting down`. What was not delivered yet is dropped."""
        for eio, client in list(self._clients.items()):
            client.end(Reason.SERVER_SHUTTING_DOWN)
            eio.end(Reason.SERVER_SHUTTING_DOWN, discard=True)
        await self.adapter.close()

    # The Engine.IO application

    def on_connect(self, socket: EngineIOSocket) -> None:
        self._home.settle(is_free=not self._clients)
        self._clients[socket] = Client(self, socket, self._options())

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        self._clients[socket].receive(data)

    def on_disconnect(self, socket: EngineIOSocket, reason: Reason) -> None:
        self._clients.pop(socket).end(reason)

    def dismiss(self, socket: EngineIOSocket) -> None:
        self._clients[socket].disconnect()

    async def on_shutdown(self) -> None:
        await self.adapter.close()


class _Outsider(threading.local):
    """What broadcasts from a process in which no socket lives, such as a task queue's: one for each of its threads."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter.for_sending()

    def encode(self, options: SocketIOOptions, namespace: str, event: str, args: Sequence[Any]) -> list[EncodedPacket]:
        """Encodes an event. Raises what `SocketIOServer.emit` raises."""
        check_event(event)
        packet = SocketIOPacket(PacketType.EVENT, namespace, [event, *args])
        return [EncodedPacket.message(data) for data in PacketEncoder(options).encode(packet)]


def _to_rooms(rooms: str | Iterable[str]) -> Collection[str]:
    rooms = (rooms,) if isinstance(rooms, str) else tuple(rooms)
    for room in rooms:
        check_room(room)
    return rooms


_server: SocketIOServer | None = None
_factory: Callable[[], SocketIOServer] = SocketIOServer


def set_server_factory(factory: Callable[[], SocketIOServer]) -> None:
    """Says how the server of this process is made. The Django app does, with the settings and the channel layer."""
    global _factory
    _factory = factory


def get_socketio_server() -> SocketIOServer:
    """Returns the server of this process; at first, makes it and installs it as the Engine.IO application."""
    global _server
    if _server is None:
        _server = _factory()
        set_engineio_app(_server)
    return _server


def reset_socketio_server() -> None:
    """Forgets the server and its namespaces, for tests."""
    global _server
    _server = None
    set_engineio_app(None)
