"""Socket.IO v5: packets, namespaces, rooms, acknowledgements, on top of `sio.engineio`."""

from .namespace import Namespace
from .packets import SocketIOPacket
from .parser import SocketIOParser
from .server import SocketIOServer, get_socketio_server
from .socket import NamespaceSocket

__all__ = ["Namespace", "NamespaceSocket", "SocketIOPacket", "SocketIOParser", "SocketIOServer", "get_socketio_server"]
