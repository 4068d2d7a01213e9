"""Socket.IO v5: packets, namespaces, rooms, acknowledgements, on top of `sio.engineio`.

server.py       SocketIOServer; shared.py: what all connections share; users.py: whose they are
   │            namespaces: namespaces.py, namespace.py, hints.py
   │            broadcasts: operators.py, target.py, broadcast.py, encoding.py
   │
client.py       Client: one Engine.IO session; it parses what comes
   │
connection.py   NamespaceConnection: the client in one namespace; socket.py is what applications see of it
   │            rooms.py, acks.py; adapter.py has the rooms of all
   │
event_queue.py  the events that wait; dispatch.py calls the handlers that handlers.py and misnomers.py found
   │            upkeep.py: what is done around them
   │
protocol/       packets, how they are written and read: without I/O
"""

from .namespace import Namespace
from .protocol.packets import SocketIOPacket
from .protocol.parser import SocketIOParser
from .protocol.reasons import DisconnectReason
from .server import SocketIOServer, get_socketio_server
from .socket import NamespaceSocket

__all__ = [
    "DisconnectReason",
    "Namespace",
    "NamespaceSocket",
    "SocketIOPacket",
    "SocketIOParser",
    "SocketIOServer",
    "get_socketio_server",
]
