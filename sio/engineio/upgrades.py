"""Notices that WebSockets do not get through to this server, and says so once."""

from __future__ import annotations

from collections.abc import Mapping

from .log import Log
from .protocol.session import EngineIOSession
from .protocol.state import CloseReason, Transport

#: So many sessions in a row that stayed on polling are no accident.
_SESSIONS = 20

_HINT = "a proxy in front of the server may not pass the Upgrade and Connection headers on"


class UpgradeWatch:
    """Hears of WebSockets that came, of those that came as something else, and of sessions that had none."""

    def __init__(self) -> None:
        self._has_websockets = False
        self._on_polling = 0
        self._is_logged = False

    def websocket_came(self) -> None:
        """A request for a WebSocket got through as one."""
        self._has_websockets = True

    def came_as_http(self, headers: Mapping[bytes, bytes]) -> None:
        """A request for a WebSocket came as plain HTTP."""
        if self._is_logged:
            return
        self._is_logged = True
        if b"upgrade" in headers:
            hint = "the server speaks no WebSocket (uvicorn needs the package 'websockets' or 'wsproto')"
        else:
            hint = f"it has no Upgrade header: {_HINT}"
        Log.WEBSOCKET_AS_HTTP.log(hint)

    def session_ended(self, session: EngineIOSession, seconds: float) -> None:
        """A session ended, which lasted so long."""
        if self._has_websockets or self._is_logged or session.transport is Transport.WEBSOCKET:
            return
        # Official clients try at once. One that left at once had no time to, and one that vanished may be no client.
        options = session.options
        had_time = Transport.WEBSOCKET in options.transports and seconds * 1000 >= options.upgrade_timeout
        if not had_time or session.reason is CloseReason.PING_TIMEOUT:
            return
        self._on_polling += 1
        if self._on_polling == _SESSIONS:
            self._is_logged = True
            Log.NO_WEBSOCKETS.log(_SESSIONS, _HINT)
