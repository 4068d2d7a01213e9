"""What the Engine.IO layer logs: requests that are refused, sessions that open and end, and a server in trouble."""

from __future__ import annotations

import logging
from typing import Final

from ..aio.log_lines import LogLines

logger: Final = logging.getLogger("sio.engineio")


class Log(LogLines, logger=logger):
    """The lines of the logger `sio.engineio`."""

    SESSION_OPENED = logging.DEBUG, "Session of %s opened by %s"
    SESSION_CLOSED = logging.DEBUG, "Session of %s closed: %s"
    SLOW_CONSUMER = logging.WARNING, "Cut the slow consumer %s: its buffer of packets is full"
    PACKET_TOO_LARGE = logging.WARNING, "A packet of %d bytes was too much for the server: %r"
    REQUEST_REFUSED = logging.DEBUG, "Refused a request of %s: %s"
    REQUEST_FAILED = logging.ERROR, "A %s request of %s failed: %r"
    WEBSOCKET_FAILED = logging.ERROR, "A WebSocket of %s failed: %r"
    FULL = logging.WARNING, "Refusing handshakes: %s = %d is reached%s"
    LOOP_LAG = (
        logging.WARNING,
        "The event loop stood still for at least %.1f s, and with it every client of this process: a handler, or other "
        "code on the loop, blocks. Wrap what takes its time without await in asgiref.sync.sync_to_async, or "
        "channels.db.database_sync_to_async",
    )
    WEBSOCKET_AS_HTTP = (
        logging.WARNING,
        "A request for a WebSocket came as plain HTTP, and was refused; %s. This is logged once",
    )
    NO_WEBSOCKETS = (
        logging.WARNING,
        "%d sessions stayed on polling to their ends, and no request for a WebSocket ever came to this process: %s. If "
        "clients are meant to stay on polling, say SIO_TRANSPORTS = ['polling']",
    )
    TASKS_CANCELLED = (
        logging.ERROR,
        "Cancelled %d hooks and handlers that took longer than SIO_SHUTDOWN_TIMEOUT_MS",
    )
    TASKS_LEFT = logging.ERROR, "Left %d hooks and handlers that do not end behind"
    SHUTDOWN_FAILED = logging.ERROR, "The application did not shut down"
