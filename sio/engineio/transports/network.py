"""The network connection under a request, as far as its ASGI server lets it be seen.

ASGI has no way to break a connection. A server that closes one first delivers what it has for the client, and waits as
long as a client that does not read likes. Daphne and Granian give such a client up by themselves. On uvicorn the
`receive` of a request belongs to an object that has the transport, which asyncio lets abort. Where neither is so, or
where middleware wraps `receive`, there is no more to be had than to wait.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from ..asgi import Receive

#: How often it is looked whether a client has taken the rest, in seconds.
_CHECK_INTERVAL = 0.1


class NetworkTransport(Protocol):
    """What is asked of the transports of asyncio and uvloop."""

    def get_write_buffer_size(self) -> int:
        """How many bytes the client has not taken yet."""

    def abort(self) -> None:
        """Breaks the connection, and drops them."""


def find_transport(receive: Receive) -> NetworkTransport | None:
    """Returns the transport under a request; None if it cannot be seen."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    methods = (getattr(transport, "abort", None), getattr(transport, "get_write_buffer_size", None))
    return transport if all(map(callable, methods)) else None


def abort(receive: Receive) -> None:
    """Breaks the connection under a request, if it can be seen."""
    transport = find_transport(receive)
    if transport is not None:
        transport.abort()


async def drained(transport: NetworkTransport, patience: float) -> bool:
    """Waits until the client has taken everything, at most so many seconds. Returns whether it has."""
    if not transport.get_write_buffer_size():
        return True  # as mostly
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while transport.get_write_buffer_size():
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(_CHECK_INTERVAL)
    return True
