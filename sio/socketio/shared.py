"""What all connections of a Socket.IO server share."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from ..aio.bound_loop import BoundLoop
from ..aio.log_limits import Repeats
from .adapter import Adapter
from .encoding import Encoding
from .log import logger
from .namespaces import Namespaces
from .protocol.options import SocketIOOptions
from .socket import ServerView
from .upkeep import Upkeep


@dataclass(slots=True)
class Shared:
    """The parts of one server. An application sees none of them, but `server`."""

    server: ServerView
    options: Callable[[], SocketIOOptions]
    adapter: Adapter
    upkeep: Upkeep
    #: Returns the user of an ASGI scope, or raises what says why there is none.
    get_user: Callable[[MutableMapping[str, Any]], Any]
    namespaces: Namespaces
    encoding: Encoding
    #: The event loop of the sockets, the rooms and the encoding, which have no locks.
    loop: BoundLoop
    #: For what a client can have repeated as often as it likes.
    repeats: Repeats = field(default_factory=lambda: Repeats(logger))
