"""Makes servers for a Django process: with its settings, its channel layer, its databases and its users."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..cluster.adapter import ChannelLayerAdapter
from ..conf import get_settings
from ..engineio.protocol.options import EngineIOOptions
from ..engineio.server import EngineIOServer
from ..socketio.protocol.options import SocketIOOptions
from ..socketio.server import SocketIOServer
from .database import make_upkeep
from .policy import DjangoPolicy
from .users import DjangoUsers


def make_server(
    engineio: EngineIOOptions | None = None, socketio: SocketIOOptions | None = None, name: str = ""
) -> SocketIOServer:
    """Returns a new server. Its options are those of the settings, or these.

    One server is enough for most processes, and `get_socketio_server()` returns it. Another one is for a path with
    options of its own. Servers of different names do not hear one another through the channel layer.
    """
    policy = DjangoPolicy()
    engineio_server = EngineIOServer(_engineio_options if engineio is None else lambda: engineio, policy=policy)
    options: Callable[[], SocketIOOptions] = _socketio_options if socketio is None else lambda: socketio
    adapter = partial(ChannelLayerAdapter, options, name=name)
    return SocketIOServer(options, adapter, make_upkeep(), DjangoUsers(), engineio_server)


def _engineio_options() -> EngineIOOptions:
    return get_settings().engineio


def _socketio_options() -> SocketIOOptions:
    return get_settings().socketio
