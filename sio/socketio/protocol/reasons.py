"""Why a socket is disconnected.

Source: the reference's `socket.io/lib/socket-types.ts` (`DisconnectReason`).
"""

from __future__ import annotations

from enum import StrEnum


class DisconnectReason(StrEnum):
    """What the `disconnect` hook of a consumer gets. The strings are the reference's."""

    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"
    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    FORCED_CLOSE = "forced close"
    FORCED_SERVER_CLOSE = "forced server close"
    SERVER_SHUTTING_DOWN = "server shutting down"
    CLIENT_NAMESPACE_DISCONNECT = "client namespace disconnect"
    SERVER_NAMESPACE_DISCONNECT = "server namespace disconnect"
