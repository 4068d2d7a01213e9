"""The exceptions that code using `sio` meets.

SocketIOError
├── ConnectionRefused        raise it in a connect hook, to refuse the client with a message
├── EncodingError            an event or ack has arguments that JSON cannot carry (also a ValueError)
├── AckTimeout               the client did not acknowledge in time (also a TimeoutError)
├── Disconnected             the client is gone, and its acknowledgement will not come (also a ConnectionError)
├── TooManyPendingAcks       the client leaves too many events unacknowledged
└── TooManyRooms             the socket is in as many rooms as it may be in
"""

from __future__ import annotations

from typing import Any


class SocketIOError(Exception):
    """The base of all."""


class ConnectionRefused(SocketIOError):
    """Raise it in `connect` to refuse a client. Its `connect_error` event gets an error with `message` and, if
    given, `data`.
    """

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class EncodingError(SocketIOError, ValueError):
    """What was to be sent cannot be encoded. Nothing was sent to anyone."""


class AckTimeout(SocketIOError, TimeoutError):
    """The client did not acknowledge in time."""


class Disconnected(SocketIOError, ConnectionError):
    """The client is gone before it acknowledged."""


class TooManyPendingAcks(SocketIOError):
    """The client has not acknowledged as many events as SIO_MAX_PENDING_ACKS allows. Nothing was sent."""


class TooManyRooms(SocketIOError):
    """The socket is in as many rooms as SIO_MAX_ROOMS allows. It did not join."""
