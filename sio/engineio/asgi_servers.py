"""What has to be known of ASGI servers: which `send` is a server's own, and what one raises when the client is gone.

Seen on uvicorn 0.54, Daphne 4.2, Hypercorn 0.18 and Granian 2.8. Most take what is sent to a client that is gone, and
drop it; uvicorn raises on WebSockets, and both uvicorn and Granian do when it leaves in the very moment.
"""

from __future__ import annotations

import functools
from typing import Any, Final

#: The packages of servers, and of the protocol libraries whose errors they let through.
_SERVERS: Final = {"autobahn", "daphne", "granian", "hypercorn", "twisted", "uvicorn", "websockets", "wsproto"}
#: Middleware, by module and class, that passes on what is sent on a WebSocket as it is, and where it keeps the `send`
#: that it wraps. It is around most applications, since `AuthMiddlewareStack` has it.
_TRANSPARENT: Final = {("channels.sessions", "InstanceSessionWrapper"): "real_send"}
#: What Python itself raises for a connection that is gone; its other subclasses of OSError are about something else.
_GONE: Final = (BrokenPipeError, ConnectionAbortedError, ConnectionResetError)
#: How the RuntimeErrors begin that uvicorn, uvloop under it, and Granian raise for it.
_GONE_TEXTS: Final = (
    "Unexpected ASGI message 'websocket.",
    "unable to perform operation on <",
    "ASGI flow error",
    "ASGI transport error",
)


def is_plain(send: Any) -> bool:
    """Whether a `send` is the server's own, with no middleware around it that could care when and where it runs."""
    return _package_of(send) in _SERVERS


def is_uvicorns(send: Any) -> bool:
    """Whether a `send` is plain, and uvicorn's."""
    return _package_of(send) == "uvicorn"


def _package_of(send: Any) -> str:
    while True:
        owner = getattr(send, "__self__", None)
        wrapped = _TRANSPARENT.get((type(owner).__module__, type(owner).__name__))
        # On HTTP it saves the session, which may fail.
        if wrapped is not None and getattr(owner, "scope", {}).get("type") != "http":
            send = getattr(owner, wrapped)
        elif isinstance(send, functools.partial):
            send = send.func
        else:
            # A function that is compiled has no module, but what it is a method of has.
            return _package(getattr(send, "__module__", None) or type(owner).__module__)


def is_gone(send: Any, error: BaseException) -> bool:
    """Whether what `send` raised says that the client is gone; otherwise, middleware failed.

    A server that raises for it uses "a server-specific subclass of OSError" (ASGI, "Disconnected Client", 2.4).
    """
    kind = type(error)
    if isinstance(error, OSError):
        # What has a number is of the operating system: a disk that is full, say.
        is_servers = (kind is OSError and error.errno is None) or kind.__module__ != "builtins"
        return is_servers or isinstance(error, _GONE) or is_plain(send)
    if kind is RuntimeError and str(error).startswith(_GONE_TEXTS):
        return True
    # A server's own fails for no other reason.
    return _package(kind.__module__) in _SERVERS or is_plain(send)


@functools.cache  # there are as many as modules that have a `send`
def _package(module: str) -> str:
    return module.partition(".")[0]
