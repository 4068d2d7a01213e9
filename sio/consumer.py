"""`SocketIOConsumer`: the class that applications write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Self, TypeAlias

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from .conf import get_settings
from .engineio.asgi import Receive, Scope, Send
from .engineio.transports.polling import LongPollingConsumer
from .engineio.transports.websocket import EngineIOWebSocketConsumer
from .socketio.handlers import find_handlers
from .socketio.namespaces import NAMESPACES_KEY
from .socketio.operators import BroadcastOperator
from .socketio.protocol.reasons import DisconnectReason
from .socketio.server import SocketIOServer, get_socketio_server
from .socketio.socket import NamespaceSocket

ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Sockets:
    """`Consumer.sockets`, which is to a consumer class what `objects` is to a model.

    They are those of the process's server. A consumer on another server has its own by `socket.server.of(...)`.
    """

    def __get__(self, instance: object, owner: type[SocketIOConsumer]) -> BroadcastOperator:
        return get_socketio_server().of(owner)


class SocketIOConsumer:
    """Handles one Socket.IO namespace. There is one instance for each client in it.

    `connect`, `disconnect` and the handlers of events are optional, `async def`, and may come from mixins and base
    classes. `event_<name>(self, socket, *args, ack=None)` handles the event `<name>`. With a parameter `ack` it gets a
    function that acknowledges the event (None if the client does not want to know); without one, what it returns is the
    acknowledgement: None → no arguments, a tuple → several.
    """

    namespace: ClassVar[str] = "/"
    #: All sockets of the namespace, in all processes.
    sockets: ClassVar[_Sockets] = _Sockets()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Raises TypeError for a class that was routed itself, and is called as an ASGI application."""
        if args and isinstance(args[0], Mapping) and "type" in args[0]:
            raise TypeError(f"{cls.__qualname__} is no ASGI application: route {cls.__qualname__}.as_asgi()")
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError(f"{cls.__qualname__}() takes no arguments")  # as Python says without this method
        return super().__new__(cls)

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        """Decides whether a client may join: a true value accepts it, as by default everybody is; a false one refuses
        it with "Not authorized", and raising `sio.ConnectionRefused` with a message. `auth` is the dict that the client
        sent, or {}.
        """
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: DisconnectReason) -> None:
        """Runs once for each accepted client that left, with the reason: a str, one of Socket.IO's nine."""

    @classmethod
    def register(cls, server: SocketIOServer | None = None) -> None:
        """Registers the class for its namespace with a server, by default that of this process. Idempotent. Raises
        ImproperlyConfigured.
        """
        if not apps.is_installed("sio"):
            raise ImproperlyConfigured(f"{cls.__qualname__} needs 'sio' in INSTALLED_APPS.")
        get_settings()  # a wrong setting is an error at start-up, not of the first client
        try:
            (server or get_socketio_server()).register(cls.namespace, find_handlers(cls, SocketIOConsumer))
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(str(error)) from error

    @classmethod
    def as_asgi(cls, server: SocketIOServer | None = None) -> ASGIApplication:
        """Returns the ASGI application of this consumer, to be routed for both HTTP and WebSocket. `server` is another
        server than that of this process.
        """
        return as_asgi(cls, server=server)


def as_asgi(*consumers: type[SocketIOConsumer], server: SocketIOServer | None = None) -> ASGIApplication:
    """Returns one ASGI application, for one path, that serves the namespaces of several consumers. `/` can be joined
    too, and leads nowhere if none of them serves it.

    Route it for both HTTP and WebSocket. `server` is another server than that of this process. Raises
    ImproperlyConfigured for two consumers on one namespace.
    """
    if not consumers:
        raise ImproperlyConfigured("as_asgi() needs at least one consumer class.")
    for consumer in consumers:
        if not isinstance(consumer, type) or not issubclass(consumer, SocketIOConsumer):
            raise ImproperlyConfigured(f"as_asgi() takes consumer classes, and not {consumer!r}.")
        consumer.register(server)
    namespaces = frozenset(consumer.namespace for consumer in consumers)
    engineio = None if server is None else server.engineio
    transports = {
        "http": LongPollingConsumer.as_asgi(server=engineio),
        "websocket": EngineIOWebSocketConsumer.as_asgi(server=engineio),
    }

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        """Hands a request to its transport. Raises ValueError for a scope of another type."""
        transport = transports.get(scope["type"])
        if transport is None:
            raise ValueError(
                f"sio serves the scopes 'http' and 'websocket', not {scope['type']!r}: check the ASGI routing"
            )
        scope[NAMESPACES_KEY] = namespaces  # in place: a copy of the scope is half a kilobyte for each connection
        await transport(scope, receive, send)

    setattr(application, NAMESPACES_KEY, namespaces)  # by which the system check knows it
    return application
