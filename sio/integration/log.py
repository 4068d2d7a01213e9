"""What the Django side logs, beside what the layers below do."""

from __future__ import annotations

import logging
from typing import Final

from ..aio.log_lines import LogLines

logger: Final = logging.getLogger("sio.engineio")
_handlers_logger: Final = logging.getLogger("sio.socketio")


class Log(LogLines, logger=logger):
    """Lines about sessions, of the logger `sio.engineio`."""

    USER_UNKNOWN = logging.ERROR, "A user cannot be looked up, and is not disconnected"
    LOGGED_OUT = logging.INFO, "Disconnecting %d sessions: %s is logged out"
    SESSION_DELETED = logging.DEBUG, "The Django session of a request was deleted while it waited"
    NO_ANSWER = (
        logging.ERROR,
        "SIO_ALLOW_REQUEST returned None, so the handshake was refused: return True to allow it",
    )
    SHUTDOWN_FAILED = logging.ERROR, "A server could not end its sessions"
    CUT_SHORT = logging.ERROR, "A second %s cuts %d hooks and handlers short"


class HandlersLog(LogLines, logger=_handlers_logger):
    """Lines about hooks and handlers, of the logger `sio.socketio`."""

    DATABASE_LEFT_ALONE = logging.DEBUG, "Left the database connections alone"
    DATABASE_NOT_CLOSED = logging.ERROR, "A broken database connection could not be closed"
