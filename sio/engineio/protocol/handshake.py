"""What an HTTP or WebSocket request asks of an Engine.IO server: an `Action`, or the `HandshakeError` that answers it.

The order of the checks is the reference's (`engine.io/lib/server.ts`: `verify`, `handshake`).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import parse_qsl

from ...exceptions import ErrorCode, HandshakeError
from .options import EngineIOOptions
from .state import Transport

#: The Engine.IO protocol version that a client names in the `EIO` query parameter.
PROTOCOL = "4"
#: Parameters of a query that are read: the last ones, since clients put those of the application first.
MAX_QUERY_FIELDS = 1_000

_INVALID_HEADER_CHARACTER = re.compile(rb"[^\t\x20-\x7e\x80-\xff]")


@dataclass(frozen=True, slots=True)
class Query:
    """The query parameters that matter. A parameter that is absent is the empty string; the last of several wins.

    With `b64`, whatever its value but an empty one, a client asks for binary data as text, on WebSocket too.
    """

    transport: str = ""
    sid: str = ""
    eio: str = ""
    b64: str = ""


class Action(Enum):
    """What a request that passed the checks is for."""

    OPEN = auto()
    POLL = auto()
    POST = auto()
    UPGRADE = auto()
    UNSUPPORTED = auto()
    """Another HTTP method with the sid of a live session: the reference answers 500 and the session goes on."""


_METHOD_ACTIONS = {"GET": Action.POLL, "POST": Action.POST}


def parse_query(query_string: bytes) -> Query:
    """Never raises: what cannot be parsed is absent."""
    # Latin-1 takes any byte, and percent-escapes that are no UTF-8 are replaced: garbage is then simply no known value.
    text = query_string.decode("latin-1")
    parts = text.rsplit("&", MAX_QUERY_FIELDS)[-MAX_QUERY_FIELDS:]
    if "%" in text or "+" in text:
        fields = dict(parse_qsl("&".join(parts), keep_blank_values=True))
    else:
        # What the official clients send has nothing to unquote.
        fields = {name: value for name, _, value in [part.partition("=") for part in parts]}
    return Query(fields.get("transport", ""), fields.get("sid", ""), fields.get("EIO", ""), fields.get("b64", ""))


def check_request(
    query: Query,
    method: str,
    *,
    websocket: bool,
    transports: Collection[str],
    current_transport: Callable[[str], Transport | None],
    check_origin: Callable[[], None],
    origin: bytes = b"",
) -> Action:
    """Returns what the request is for. Raises HandshakeError. A handshake still has to pass `check_protocol`.

    `websocket` says whether it asks for a WebSocket. `current_transport` gives the transport of a live session by its
    sid. `check_origin` raises HandshakeError (FORBIDDEN) for an origin that may not connect; `origin` is the raw
    header.
    """
    # The order is that of `verify` and `handshake` in server.ts: clients act on the code, so the first error must win.
    if query.transport not in transports:
        raise HandshakeError(ErrorCode.UNKNOWN_TRANSPORT, f"transport={query.transport[:32]!r}")
    if _INVALID_HEADER_CHARACTER.search(origin):
        raise HandshakeError(ErrorCode.BAD_REQUEST, "the Origin header has invalid characters")
    if query.sid:
        action = _check_session(query, method, websocket, current_transport(query.sid))
        check_origin()
        return action
    _check_handshake(query, method, websocket)
    check_origin()
    return Action.OPEN


def check_protocol(query: Query) -> None:
    """Raises HandshakeError for a handshake in another version of the protocol.

    Checked last, as in the reference: an unknown transport wins over a missing EIO, and so does a refusal of the
    application.
    """
    if query.eio != PROTOCOL:
        raise HandshakeError(
            ErrorCode.UNSUPPORTED_PROTOCOL_VERSION,
            f"the client speaks EIO={query.eio[:8]!r}; use a Socket.IO client of version 3 or later (EIO=4)",
        )


def _check_session(query: Query, method: str, websocket: bool, current: Transport | None) -> Action:
    # The sid is all that a request has to show: everybody who knows it speaks for the session.
    if current is None:
        raise HandshakeError(ErrorCode.UNKNOWN_SID, f"sid={query.sid[:32]!r}")
    # TRANSPORT_MISMATCH: a poll after the upgrade, or a WebSocket whose Upgrade header a proxy took away. The session
    # is left as it is, so that the real poll still gets its packets.
    if not websocket and not (query.transport == current == Transport.POLLING):
        raise HandshakeError(ErrorCode.BAD_REQUEST, f"transport={query.transport} in a session on {current}")
    if query.eio != PROTOCOL:
        raise HandshakeError(ErrorCode.BAD_REQUEST, f"EIO={query.eio[:8]!r} in a session of EIO={PROTOCOL}")
    if websocket:
        if query.transport != Transport.WEBSOCKET:
            raise HandshakeError(ErrorCode.BAD_REQUEST, f"transport={query.transport} on a WebSocket")
        return Action.UPGRADE
    return _METHOD_ACTIONS.get(method, Action.UNSUPPORTED)


def _check_handshake(query: Query, method: str, websocket: bool) -> None:
    # "handshake is GET only"
    if method != "GET":
        raise HandshakeError(ErrorCode.BAD_HANDSHAKE_METHOD, f"method {method[:16]} without a sid")
    if websocket != (query.transport == Transport.WEBSOCKET):
        # Usually a proxy that does not pass the Upgrade header on.
        raise HandshakeError(
            ErrorCode.BAD_REQUEST, f"transport={query.transport} on {'a WebSocket' if websocket else 'plain HTTP'}"
        )


def handshake_answer(sid: str, options: EngineIOOptions, transport: Transport) -> str:
    """Returns the data of the OPEN packet that answers a handshake: JSON (protocol v4, "Handshake")."""
    return f'{{"sid":{json.dumps(sid)},{_answer_for_all(options, transport)}'


@functools.lru_cache(maxsize=8)
def _answer_for_all(options: EngineIOOptions, transport: Transport) -> str:
    can_upgrade = transport is Transport.POLLING and Transport.WEBSOCKET in options.transports
    answer = {
        "upgrades": [Transport.WEBSOCKET] if can_upgrade else [],
        "pingInterval": options.ping_interval,
        "pingTimeout": options.ping_timeout,
        "maxPayload": options.max_payload,
    }
    return json.dumps(answer, separators=(",", ":")).removeprefix("{")
