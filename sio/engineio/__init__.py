"""Engine.IO v4: sessions over HTTP long-polling and WebSocket, and the upgrade from one to the other.

It stands on its own: install an `EngineIOApplication` with `set_engineio_app` and route `LongPollingConsumer.as_asgi()`
and `EngineIOWebSocketConsumer.as_asgi()`. Without an application, messages are echoed back.
"""

from .app import EngineIOApplication, get_engineio_app, set_engineio_app
from .options import EngineIOOptions
from .polling import LongPollingConsumer
from .session import EngineIOSession
from .socket import EngineIOSocket
from .websocket import EngineIOWebSocketConsumer

__all__ = [
    "EngineIOApplication",
    "EngineIOOptions",
    "EngineIOSession",
    "EngineIOSocket",
    "EngineIOWebSocketConsumer",
    "LongPollingConsumer",
    "get_engineio_app",
    "set_engineio_app",
]
