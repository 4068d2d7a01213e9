"""Engine.IO v4: sessions over HTTP long-polling and WebSocket, and the upgrade from one to the other.

transports/     LongPollingConsumer · EngineIOWebSocketConsumer: one for each request
   │
server.py       EngineIOServer; process.py has that of the process, asgi.py the types of requests
   │            what it is given: application.py, policy.py, registry.py
   │            what it does: admission.py, shutdown.py; what it notices: lag.py, upgrades.py
   │
connection.py   EngineIOConnection: the I/O of one session; socket.py is what the application sees of it
   │            reading: flow.py, turns.py; sending: backpressure.py, writer.py, asgi_servers.py
   │
protocol/       EngineIOSession, its states, packets, buffer and timers: without I/O

It stands on its own: make an `EngineIOServer` with your `EngineIOApplication`, and route
`LongPollingConsumer.as_asgi(server=server)` and `EngineIOWebSocketConsumer.as_asgi(server=server)`. Without `server`,
both serve the server of this process, whose application `set_engineio_app` replaces.
"""

from .application import EngineIOApplication
from .policy import Policy
from .process import get_engineio_app, get_engineio_server, set_engineio_app
from .protocol.options import EngineIOOptions
from .protocol.session import EngineIOSession
from .protocol.state import CloseReason
from .server import EngineIOServer
from .socket import EngineIOSocket
from .transports.polling import LongPollingConsumer
from .transports.websocket import EngineIOWebSocketConsumer

__all__ = [
    "CloseReason",
    "EngineIOApplication",
    "EngineIOOptions",
    "EngineIOServer",
    "EngineIOSession",
    "EngineIOSocket",
    "EngineIOWebSocketConsumer",
    "LongPollingConsumer",
    "Policy",
    "get_engineio_app",
    "get_engineio_server",
    "set_engineio_app",
]
