"""Socket.IO for Django, on Django Channels.

    your consumer
       │
    sio.SocketIOConsumer     a class is the handlers of a namespace; as_asgi()
       │
    sio.socketio             SocketIOServer ─ Namespace ─ NamespaceSocket ─ Adapter (rooms)
       │                     SocketIOPacket, SocketIOParser
       │  set_engineio_app
    sio.engineio             EngineIOSocket ─ SessionRegistry
       │                     EngineIOSession, state table, packets, handshake
       │
    LongPollingConsumer · EngineIOWebSocketConsumer
       │ ASGI

To read the package, follow a message upwards: `consumer.py`, `socketio/server.py`, `socketio/socket.py`,
`engineio/socket.py`, `engineio/session.py`, `engineio/state.py`, `engineio/packets.py`.
"""

from .consumer import SocketIOConsumer, get_asgi_application
from .exceptions import ConnectionRefused
from .socketio.server import SocketIOServer, get_socketio_server
from .socketio.socket import NamespaceSocket

__version__ = "0.1.0"

__all__ = [
    "ConnectionRefused",
    "NamespaceSocket",
    "SocketIOConsumer",
    "SocketIOServer",
    "get_asgi_application",
    "get_socketio_server",
]
