"""`EngineIOSocket`: a session as the application sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, MutableMapping, Sequence
from typing import Any, Protocol

from ..aio.tasks import OwnedTasks
from .backpressure import Backpressure
from .flow import Flow
from .protocol.packets import EncodedPacket
from .protocol.session import EngineIOSession
from .protocol.state import CloseReason, Transport


class Connection(Protocol):
    """What a socket asks of its connection, which does the I/O."""

    session: EngineIOSession
    tasks: OwnedTasks
    flow: Flow
    backpressure: Backpressure

    def send_packets(self, packets: Sequence[EncodedPacket], volatile: bool = False) -> bool: ...
    def establish(self) -> None: ...
    def close(self, reason: CloseReason) -> None: ...
    def end(self, reason: CloseReason, *, discard: bool) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class EngineIOSocket:
    """One Engine.IO session, for the application. All methods are to be called on the session's event loop."""

    def __init__(self, connection: Connection, scope: MutableMapping[str, Any]) -> None:
        #: A secret of the client: everybody who knows it can speak for the session.
        self.sid = connection.session.sid
        #: The ASGI scope of the handshake request.
        self.scope = scope
        #: What runs for the session, for the layer above; applications have `create_task`.
        self.tasks = connection.tasks
        #: (packets, volatile=False) → bool. Sends packets that may be shared with other sockets, as one unit. Returns
        #: False if they are `volatile` and were dropped, since they could not leave at once. A client that leaves its
        #: buffer full is cut off. It is the connection's own method: a broadcast calls it for each receiver.
        self.send_packets = connection.send_packets
        self._connection = connection
        self._session = connection.session

    @property
    def transport(self) -> Transport:
        """The transport that the session is on."""
        return self._session.transport

    @property
    def is_open(self) -> bool:
        """Whether packets can still be sent."""
        return self._session.is_open

    def create_task(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs a coroutine for the session, which it may outlive: a shutdown waits for it."""
        return self.tasks.create(coroutine)

    def send(self, *messages: str | bytes) -> None:
        """Sends messages, next to one another. On a closing session they are dropped."""
        self.send_packets([EncodedPacket.message(message) for message in messages])

    @property
    def is_congested(self) -> bool:
        """Whether the client lags behind: a sender that can wait should `drain`."""
        return self._session.is_congested

    async def drain(self) -> None:
        """Waits until the client has taken enough of what it was sent. Returns at once unless it lags behind."""
        await self._connection.backpressure.drain()

    def establish(self) -> None:
        """Says that the client is a wanted one: the session is no more among those that
        `EngineIOOptions.max_unestablished_sessions` bounds. Idempotent.
        """
        self._connection.establish()

    def close(self, reason: CloseReason = CloseReason.FORCED_CLOSE) -> None:
        """Closes the session once what was sent is delivered. Idempotent."""
        self._connection.close(reason)

    def end(self, reason: CloseReason, *, discard: bool = False) -> None:
        """Ends the session at once. Idempotent. `discard` drops what was sent and is not delivered."""
        self._connection.end(reason, discard=discard)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read from the client."""
        return self._connection.flow.is_paused

    def pause_reading(self) -> None:
        """Takes nothing more from the client until `resume_reading`; meanwhile no pong is demanded of it."""
        self._connection.pause_reading()

    def resume_reading(self) -> None:
        """Reads again from the client."""
        self._connection.resume_reading()
