"""What all connections of a Socket.IO server share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..aio.bound_loop import BoundLoop
from ..aio.log_limits import Repeats
from .adapter import Adapter
from .broadcast import Broadcaster
from .encoding import Encoding
from .log import logger
from .namespaces import Namespaces
from .protocol.options import SocketIOOptions
from .socket import ServerView
from .upkeep import Upkeep
from .users import Users


@dataclass(slots=True)
class Shared:
    """The parts of one server. An application sees none of them, but `server`."""

    server: ServerView
    options: Callable[[], SocketIOOptions]
    adapter: Adapter
    upkeep: Upkeep
    users: Users
    namespaces: Namespaces
    encoding: Encoding
    #: The event loop of the sockets, the rooms and the encoding, which have no locks.
    loop: BoundLoop
    broadcaster: Broadcaster
    #: For what a client can have repeated as often as it likes.
    repeats: Repeats = field(default_factory=lambda: Repeats(logger))
