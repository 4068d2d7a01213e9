"""What the Socket.IO layer logs: mistakes of the developer that raise nothing, and clients that are cut off."""

from __future__ import annotations

import logging
from typing import Final

from ..aio.log_lines import LogLines

logger: Final = logging.getLogger("sio.socketio")


class Log(LogLines, logger=logger):
    """The lines of the logger `sio.socketio`."""

    QUEUE_FLOODED = logging.WARNING, "Cut the client of %r: it floods a queue of SIO_MAX_QUEUED_EVENTS events"
    SESSION_FLOODED = logging.WARNING, "Cut the client %s: more than twice SIO_MAX_SESSION_BYTES waits"
    HANDLER_DISCONNECTED = logging.DEBUG, "%s.%s ended: %s"
    EVENT_IGNORED = logging.WARNING, "Ignored the event %r in the namespace %r: %s"
    METHOD_UNUSED = logging.WARNING, "%s.%s is called for no event: a handler is named %r"
    NAMESPACE_UNKNOWN = (
        logging.WARNING,
        "Refused a client that asked for the namespace %r%s: this path serves %s",
    )
    NO_CONSUMER = (
        logging.WARNING,
        "emit() to the namespace %r, which has no consumer here: pass namespace=, one of %s",
    )
    NOBODY_REACHED = (
        logging.WARNING,
        "emit() reached nobody: this process serves no clients, and its channel layer reaches no other one. Set "
        "CHANNEL_LAYERS to a layer of channels_redis, here and where the clients are",
    )
