"""`SocketIOConsumer`: the class that applications write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeAlias

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from .conf import get_settings
from .engineio.polling import LongPollingConsumer
from .engineio.request import Receive, Scope, Send
from .engineio.websocket import EngineIOWebSocketConsumer
from .socketio.handlers import find_handlers
from .socketio.server import NAMESPACES_KEY, get_socketio_server

ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class SocketIOConsumer:
    """Handles one Socket.IO namespace. There is one instance for each client in it.

    All of these are optional, `async def`, and may come from mixins and base classes:

    `connect(self, socket, auth)`
        Decides whether a client may join: a true value accepts it, a false one refuses it with "Not authorized", and
        raising `sio.exceptions.ConnectionRefused` refuses it with a message. `auth` is the dict that the client sent,
        or {}.
    `disconnect(self, socket, reason)`
        Runs once for each accepted client that left, with one of the reasons of `sio.engineio.state.Reason`.
    `event_<name>(self, socket, *args, ack=None)`
        Handles the event `<name>`. With a parameter `ack` it gets a function that acknowledges the event (None if the
        client does not want to know); without one, what it returns is the acknowledgement: None → no arguments, a tuple
        → several.
    """

    namespace: ClassVar[str] = "/"

    @classmethod
    def register(cls) -> None:
        """Registers the class for its namespace with the server of this process. Idempotent. Raises
        ImproperlyConfigured.
        """
        if not apps.is_installed("sio"):
            raise ImproperlyConfigured(f"{cls.__qualname__} needs 'sio' in INSTALLED_APPS.")
        get_settings()  # a wrong setting is told at start-up, not to the first client
        try:
            get_socketio_server().register(cls.namespace, find_handlers(cls))
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(str(error)) from error

    @classmethod
    def as_asgi(cls) -> ASGIApplication:
        """Returns the ASGI application of this consumer, to be routed for both HTTP and WebSocket."""
        return get_asgi_application(cls)


def get_asgi_application(*consumers: type[SocketIOConsumer]) -> ASGIApplication:
    """Returns one ASGI application, for one path, that serves the namespaces of several consumers. `/` can be joined
    too, and leads nowhere if none of them serves it.

    Route it for both HTTP and WebSocket. Raises ImproperlyConfigured for two consumers on one namespace.
    """
    if not consumers:
        raise ImproperlyConfigured("get_asgi_application() needs at least one consumer class.")
    for consumer in consumers:
        consumer.register()
    namespaces = frozenset(consumer.namespace for consumer in consumers)
    transports = {"http": LongPollingConsumer.as_asgi(), "websocket": EngineIOWebSocketConsumer.as_asgi()}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        transport = transports.get(scope["type"])
        if transport is None:
            raise ValueError(
                f"sio serves the scopes 'http' and 'websocket', not {scope['type']!r}: check the ASGI routing"
            )
        scope[NAMESPACES_KEY] = namespaces  # in place: a copy of the scope is half a kilobyte for each connection
        await transport(scope, receive, send)

    setattr(application, NAMESPACES_KEY, namespaces)  # by which the system check knows it
    return application
