"""Socket.IO for Django, on Django Channels.

    your consumer
       │
    the Django side     consumer.py: a class is the handlers of a namespace; conf.py, checks.py, integration/
       │                cluster/: rooms over all processes
       │
    socketio            SocketIOServer ─ Client ─ NamespaceConnection and its NamespaceSocket ─ EventQueue
       │                its packets and parser, without I/O: protocol/
       │
    engineio            EngineIOServer ─ EngineIOConnection and its EngineIOSocket; the two transports
       │                its sessions and packets, without I/O: protocol/
       │
    aio, exceptions     helpers for asyncio, and one tree of errors

An import points down, never up. To read the package, follow a message down from its handler: `consumer.py`,
`socketio/server.py`, `socketio/socket.py`, `engineio/socket.py`, `engineio/protocol/session.py`,
`engineio/protocol/state.py`, `engineio/protocol/packets.py`.
"""

from .consumer import SocketIOConsumer, as_asgi
from .emitter import aemit, emit
from .exceptions import (
    AckTimeout,
    BodyTooLarge,
    ClientGone,
    ConnectionRefused,
    Disconnected,
    EncodingError,
    EngineIOParseError,
    HandshakeError,
    InvalidTransition,
    LayerTimeout,
    LocalError,
    NotConnected,
    ParseError,
    RemoteError,
    SioError,
    SocketIOParseError,
    TooManyPendingAcks,
    TooManyRooms,
    Unavailable,
    WrongEventLoop,
)
from .socketio.operators import BroadcastOperator
from .socketio.protocol.reasons import DisconnectReason
from .socketio.server import SocketIOServer, get_socketio_server
from .socketio.socket import NamespaceSocket

__version__ = "0.1.0"

__all__ = [
    "AckTimeout",
    "BodyTooLarge",
    "BroadcastOperator",
    "ClientGone",
    "ConnectionRefused",
    "DisconnectReason",
    "Disconnected",
    "EncodingError",
    "EngineIOParseError",
    "HandshakeError",
    "InvalidTransition",
    "LayerTimeout",
    "LocalError",
    "NamespaceSocket",
    "NotConnected",
    "ParseError",
    "RemoteError",
    "SioError",
    "SocketIOConsumer",
    "SocketIOParseError",
    "SocketIOServer",
    "TooManyPendingAcks",
    "TooManyRooms",
    "Unavailable",
    "WrongEventLoop",
    "aemit",
    "as_asgi",
    "emit",
    "get_socketio_server",
]
