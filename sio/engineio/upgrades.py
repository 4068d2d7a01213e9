"""Notices that WebSockets do not get through to this process, and says so once."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from .session import EngineIOSession
from .state import Reason, Transport

logger = logging.getLogger("sio.engineio")

#: So many sessions in a row that stayed on polling are no accident.
_SESSIONS = 20

_HINT = "a proxy in front of the server may not pass the Upgrade and Connection headers on"


class UpgradeWatch:
    """Told of WebSockets that came, of those that came as something else, and of sessions that had none."""

    def __init__(self) -> None:
        self._has_websockets = False
        self._on_polling = 0
        self._has_told = False

    def websocket_came(self) -> None:
        """A request for a WebSocket got through as one."""
        self._has_websockets = True

    def came_as_http(self, headers: Mapping[bytes, bytes]) -> None:
        """A request for a WebSocket came as plain HTTP."""
        if self._has_told:
            return
        self._has_told = True
        if b"upgrade" in headers:
            hint = "the server speaks no WebSocket (uvicorn needs the package 'websockets' or 'wsproto')"
        else:
            hint = f"it has no Upgrade header: {_HINT}"
        logger.warning("A request for a WebSocket came as plain HTTP, and was refused; %s. This is told once", hint)

    def session_ended(self, session: EngineIOSession, seconds: float) -> None:
        """A session ended, which lasted so long."""
        if self._has_websockets or self._has_told or session.transport is Transport.WEBSOCKET:
            return
        # Official clients try at once. Who left at once had no time to, and who vanished without a word may be none.
        options = session.options
        had_time = Transport.WEBSOCKET in options.transports and seconds * 1000 >= options.upgrade_timeout
        if not had_time or session.reason is Reason.PING_TIMEOUT:
            return
        self._on_polling += 1
        if self._on_polling == _SESSIONS:
            self._has_told = True
            logger.warning(
                "%d sessions stayed on polling to their ends, and no request for a WebSocket ever came to this "
                "process: %s. If clients are meant to stay on polling, say SIO_TRANSPORTS = ['polling']",
                _SESSIONS,
                _HINT,
            )


#: The watch of this process.
watch = UpgradeWatch()
