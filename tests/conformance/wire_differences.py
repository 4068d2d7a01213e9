"""Where `sio` is meant to differ from the official server on the wire, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """What `sio` shows instead: the whole transcript of a script."""

    reason: str
    seen: list[str]


def normalized(transcript: list[str]) -> list[str]:
    """A transcript of `sio` in the words of the official server, where every script would differ.

    ASGI has no bare close (code 1005), and 1000 says no more than that. Daphne drops empty binary frames: an empty
    attachment is the text frame `b`, which every client takes for zero bytes.
    """
    words = {"closed 1000": "closed 1005", "b": ""}
    return [words.get(line, line) for line in transcript]


NO_RESPONSE = "Daphne can refuse a WebSocket only with a 403 of its own"
VERSION_IN_TIME = "the official server notices the version after it accepted, and breaks the connection"
TRANSPORT_IN_TIME = "the official server accepts the WebSocket, and closes it"
WHOLE_REQUESTS = "Daphne hands a request over when all of it is there: one that is cut short is never seen"
NO_CODES = "Daphne lets an application close a WebSocket with 1000 only"
ONE_REASON = (
    "the same mistake has the same reason on both transports; the official server's depends on who closes first"
)
CLOSED = "the official server ignores it and stays; the client said that it leaves"
DISCONNECTED = "a disconnected socket sends nothing more; official clients ignore what they would get"
NO_JSONP = "no client of version 4 asks for JSONP"
ASCII_DIGITS = "numbers are ASCII digits, not what JavaScript makes of a string"
INTEGER_INDEX = "an attachment has an integer for a number; the official server puts null in its place"

_BAD_REQUEST = "400 | text/html | Bad request"
_VERSION = "400 | text/html | Unsupported protocol version"
_HANDSHAKE = (
    '200 | text/plain; charset=UTF-8 | no-store | 0{"sid":"*","upgrades":["websocket"],'
    '"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
)
_UNKNOWN_SID = '400 | application/json | {"code":1,"message":"Session ID unknown"}'


def _differences() -> Iterator[tuple[str, str, Difference]]:
    for query in ("no transport", "unknown transport", "transport webtransport", "unknown sid"):
        yield f"refused_websocket: {query}", "daphne", Difference(NO_RESPONSE, ["403 | "])
    for query in ("version 3", "no version"):
        yield f"refused_websocket: {query}", "daphne", Difference(VERSION_IN_TIME, ["403 | "])
        yield f"refused_websocket: {query}", "uvicorn", Difference(VERSION_IN_TIME, [_VERSION])
    yield "refused_websocket: transport polling", "daphne", Difference(TRANSPORT_IN_TIME, ["403 | "])
    yield "refused_websocket: transport polling", "uvicorn", Difference(TRANSPORT_IN_TIME, [_BAD_REQUEST])
    overlap = ["200 | text/html | no-store | ok", "6", "1", f"ended with {_UNKNOWN_SID}", "forced close"]
    yield "two_posts", "daphne", Difference(WHOLE_REQUESTS, overlap)
    alive = ["200 | text/html | no-store | ok", '430["alive"]']
    yield "post_that_is_aborted", "daphne", Difference(WHOLE_REQUESTS, alive)
    yield "frame_over_the_limit", "daphne", Difference(NO_CODES, ["closed 1005", "transport error"])
    for name, difference in ON_BOTH_SERVERS.items():
        yield name, "daphne", difference
        yield name, "uvicorn", difference


_FORCED = Difference(ONE_REASON, ["closed 1005", "forced server close"])
_LATE_ACK = Difference(DISCONNECTED, ["41/custom,", '42["echoed","fence"]'])

ON_BOTH_SERVERS = {
    "handshake_with_a_jsonp_callback": Difference(NO_JSONP, [_HANDSHAKE]),
    "close_packet_on_websocket": Difference(CLOSED, ["closed 1005"]),
    "connect_twice on websocket": _FORCED,
    "malformed_packet_on_websocket: connect error": _FORCED,
    "ack_after_a_disconnect on polling": _LATE_ACK,
    "ack_after_a_disconnect on websocket": _LATE_ACK,
    "packet_that_javascript_takes: number of attachments with a space": Difference(ASCII_DIGITS, ["closed 1005"]),
    "packet_that_javascript_takes: placeholder of half an attachment": Difference(INTEGER_INDEX, ["closed 1005"]),
}

DIFFERENCES = {(name, kind): difference for name, kind, difference in _differences()}
