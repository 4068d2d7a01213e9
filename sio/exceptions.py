"""All exceptions of the package, in one tree.

SioError
├── ConnectionRefused           raise it in a connect hook, to refuse the client with a message
├── LocalError                  the application asked for what cannot be done; nothing was sent
│   ├── EncodingError           an event or ack has arguments that JSON cannot carry (also a ValueError)
│   ├── NotConnected            the client is not accepted yet, so it cannot answer (also a RuntimeError)
│   ├── TooManyPendingAcks      the client leaves too many events unacknowledged
│   ├── TooManyRooms            the socket is in as many rooms as it may be in
│   └── WrongEventLoop          a socket was used outside of its event loop (also a RuntimeError)
├── RemoteError                 a client did what it must not, or not what it should
│   ├── AckTimeout              it did not acknowledge in time (also a TimeoutError)
│   ├── Disconnected            it is gone, and its acknowledgement will not come (also a ConnectionError)
│   ├── ParseError              it sent what cannot be parsed
│   │   ├── EngineIOParseError  it sent what is no Engine.IO packet
│   │   └── SocketIOParseError  it sent what is no Socket.IO packet
│   ├── HandshakeError          its request is refused, with one of the reference's codes
│   ├── BodyTooLarge            its POST has more bytes than a payload may have
│   ├── ClientGone              it left before its request was complete
│   └── InvalidTransition       it tried what its session cannot do in its state
├── Unavailable                 the server takes no new session at the moment
└── LayerTimeout                the channel layer did not answer in time
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any


class SioError(Exception):
    """The base of all."""


class ConnectionRefused(SioError):
    """Raise it in `connect` to refuse a client. Its `connect_error` event gets an error with `message` and, if
    given, `data`.
    """

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class LocalError(SioError):
    """The application asked for what cannot be done. Nothing was sent to anyone."""


class EncodingError(LocalError, ValueError):
    """What was to be sent cannot be encoded."""


class NotConnected(LocalError, RuntimeError):
    """`connect` has not accepted the client yet, which cannot answer or be disconnected before."""


class TooManyPendingAcks(LocalError):
    """The client has not acknowledged as many events as SIO_MAX_PENDING_ACKS allows."""


class TooManyRooms(LocalError):
    """The socket is in as many rooms as SIO_MAX_ROOMS allows. It did not join."""


class WrongEventLoop(LocalError, RuntimeError):
    """A socket was used in a thread or event loop that is not its own."""


class RemoteError(SioError):
    """A client did what it must not do, or did not do what it should."""


class AckTimeout(RemoteError, TimeoutError):
    """The client did not acknowledge in time."""


class Disconnected(RemoteError, ConnectionError):
    """The client left before it acknowledged."""


class ParseError(RemoteError):
    """The client sent something that cannot be parsed."""


class EngineIOParseError(ParseError):
    """The client sent something that is no Engine.IO packet. The session ends with the reason `parse error`."""


class SocketIOParseError(ParseError):
    """The client sent something that is no Socket.IO packet. Its connection is closed."""


class ErrorCode(IntEnum):
    """The codes that the official clients read from the body of a refusal (`engine.io/lib/server.ts`, `errors`)."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5


#: HTTP status and message of each.
ERRORS: dict[ErrorCode, tuple[int, str]] = {
    ErrorCode.UNKNOWN_TRANSPORT: (400, "Transport unknown"),
    ErrorCode.UNKNOWN_SID: (400, "Session ID unknown"),
    ErrorCode.BAD_HANDSHAKE_METHOD: (400, "Bad handshake method"),
    ErrorCode.BAD_REQUEST: (400, "Bad request"),
    ErrorCode.FORBIDDEN: (403, "Forbidden"),
    ErrorCode.UNSUPPORTED_PROTOCOL_VERSION: (400, "Unsupported protocol version"),
}
#: Refusals that a developer should hear of; the others are the daily noise of the internet.
_NOTABLE = frozenset({ErrorCode.FORBIDDEN, ErrorCode.UNSUPPORTED_PROTOCOL_VERSION})


class HandshakeError(RemoteError):
    """A request that is refused.

    `context` is for the log, and not for the client. `message` is what the client gets in place of the usual words.
    `is_notable` says whether it is logged as a warning.
    """

    def __init__(self, code: ErrorCode, context: str, message: str = "", *, is_notable: bool | None = None) -> None:
        super().__init__(code, context)
        self.code = code
        self.context = context
        self.status, usual = ERRORS[code]
        self.message = message or usual
        self.is_notable = code in _NOTABLE if is_notable is None else is_notable

    def __str__(self) -> str:
        return f"{self.message} (code {self.code:d}): {self.context}"

    @property
    def body(self) -> bytes:
        """The JSON body of the refusal, as the reference writes it."""
        return json.dumps({"code": self.code, "message": self.message}, separators=(",", ":")).encode()


class BodyTooLarge(RemoteError):
    """A POST has more bytes than a payload may have. The session goes on."""


class ClientGone(RemoteError):
    """The client left before its request was complete."""


class InvalidTransition(RemoteError):
    """The input is not possible in the session's state."""


class Unavailable(SioError):
    """The server takes no new session at the moment. The request is answered with 503, and when to try again."""

    def __init__(self, context: str, retry_after: int) -> None:
        """`context` says why; `retry_after` is in seconds."""
        super().__init__(context, retry_after)
        self.context = context
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.context

    @property
    def header(self) -> tuple[bytes, bytes]:
        """The header of the refusal. It has no body: python-socketio gives up if it cannot read it at once."""
        return b"retry-after", b"%d" % self.retry_after


class LayerTimeout(SioError):
    """The channel layer did not answer in time. What it was asked for may happen yet."""
