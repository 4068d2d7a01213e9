"""What some of the clients cannot do, and why. A scenario asserts something else with these."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Limit:
    """A thing, the clients that cannot do it, and the transports on which they cannot."""

    feature: str
    clients: str
    reason: str
    transports: tuple[str, ...] = ("polling", "websocket", "upgrade")


LIMITS = [
    Limit("auth", "python-5.0*", "python-socketio has no auth before 5.1.0"),
    Limit("reasons", "python-5.0*", "python-socketio does not tell the reason of a disconnect before 5.12.0"),
    Limit("own disconnect", "python-5.0*", "python-socketio tells nothing of its own disconnect before 5.1.0"),
    Limit(
        "goodbye",
        "python*",
        "python-engineio may close a WebSocket before it has sent what it was given",
        ("websocket", "upgrade"),
    ),
    Limit(
        "goodbye after a post",
        "python*",
        "python-engineio says nothing more if it is closed while it posts",
        ("polling",),
    ),
    Limit(
        "order",
        "python*-sync",
        "python-socketio's Client gives each event to a thread, and threads overtake each other",
    ),
    Limit("offline buffer", "python*", "python-socketio refuses to emit before it is connected"),
    Limit("volatile", "python*", "python-socketio has no volatile events"),
    Limit("retries", "python*", "python-socketio does not emit again what was not acknowledged"),
    Limit("retries", "node-*", "socket.io-client does not emit again what was not acknowledged before 4.6.0"),
    Limit("leave a namespace", "python*", "python-socketio leaves all namespaces at a time"),
    Limit(
        "many packets per poll",
        "python*",
        "python-engineio refuses more than 16 packets in the answer to a poll",
        ("polling",),
    ),
    Limit(
        "talk during the upgrade",
        "python*",
        "python-socketio joins its namespaces after the upgrade",
        ("upgrade",),
    ),
]


def reason_against(feature: str, client: str, transport: str) -> str | None:
    """Why a client cannot do something on a transport, if it cannot."""
    assert any(limit.feature == feature for limit in LIMITS), feature
    for limit in LIMITS:
        if limit.feature == feature and fnmatch(client, limit.clients) and transport in limit.transports:
            return limit.reason
    return None
