"""Calls the hooks and handlers of a consumer for one socket, and sees to what becomes of it.

Whatever a hook or handler raises is logged with its name, and ends nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from ..aio.cancellation import raise_if_final
from ..exceptions import ConnectionRefused, Disconnected
from .acks import AckCallback
from .handlers import EventHandler, Handlers
from .log import Log
from .protocol.reasons import DisconnectReason
from .shared import Shared
from .socket import NamespaceSocket

_INTERNAL_ERROR = {"message": "Internal server error"}


class Answerer(Protocol):
    """What a dispatcher asks of its connection."""

    async def accept(self, socket: NamespaceSocket) -> None: ...
    def refuse(self, error: dict[str, Any]) -> None: ...
    def acknowledge(self, ack_id: int, args: list[Any]) -> None: ...


class Dispatcher:
    """Has the consumer instance of one socket, which is made when the client asks for the namespace."""

    __slots__ = ("_connection", "_consumer", "_handlers", "_is_asking", "_patience", "_repeats", "_socket", "_upkeep")

    def __init__(self, connection: Answerer, socket: NamespaceSocket, handlers: Handlers, shared: Shared) -> None:
        self._connection = connection
        self._socket = socket
        self._handlers = handlers
        self._upkeep = shared.upkeep
        self._repeats = shared.repeats
        self._consumer: Any = None
        #: Whether the connect hook runs.
        self._is_asking = False
        #: When it is cancelled, since its client left.
        self._patience: asyncio.TimerHandle | None = None

    # connect

    async def run_connect(self) -> None:
        """Asks the connect hook, and answers the client."""
        self._is_asking = True
        try:
            refusal = await self._ask_connect()
            if refusal is None:
                await self._connection.accept(self._socket)
            else:
                self._connection.refuse(refusal)
        except asyncio.CancelledError:
            self._connection.refuse(_INTERNAL_ERROR)
            raise
        except Exception as error:  # a refusal with data that cannot be sent, or a channel layer that cannot be had
            self._repeats.error(f"A client of {self._handlers.owner} could not be answered", error)
            self._connection.refuse(_INTERNAL_ERROR)
        finally:
            self._is_asking = False
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

    async def _ask_connect(self) -> dict[str, Any] | None:
        """Returns None if the hook accepts the client, else the payload of the CONNECT_ERROR."""
        handlers, socket = self._handlers, self._socket
        try:
            self._consumer = handlers.factory()
            accepted = await self._consumer.connect(socket, socket.auth) if handlers.has_connect else True
        except ConnectionRefused as refusal:
            self._upkeep.failed(refusal)  # it may have been raised because of an error
            return {"message": refusal.message} | ({} if refusal.data is None else {"data": refusal.data})
        except BaseException as error:
            self._failed(f"{handlers.owner}.connect raised, so the client was refused", error)
            return _INTERNAL_ERROR
        if accepted is None:
            self._repeats.warning(
                f"{handlers.owner}.connect returned None, so the client was refused: return True to accept it, or "
                "False to refuse it"
            )
        return None if accepted else {"message": "Not authorized"}

    def limit_connect(self, cancel: Callable[[], None], timeout: int) -> None:
        """The client left. A connect hook that still runs is cancelled if it takes more than `timeout` ms from now."""
        if self._is_asking:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(timeout / 1000, self._cancel_connect, cancel)

    def _cancel_connect(self, cancel: Callable[[], None]) -> None:
        self._repeats.warning(
            f"Cancelled {self._handlers.owner}.connect: its client left SIO_CONNECT_HOOK_TIMEOUT_MS ago, and others "
            "may wait for its place"
        )
        cancel()

    # Events and acknowledgements

    async def run_event(self, handler: EventHandler, args: Sequence[Any], ack_id: int | None) -> None:
        """Handles an event, and acknowledges it if the client wants to know."""
        try:
            method = getattr(self._consumer, handler.method)
            if handler.takes_ack:
                await method(self._socket, *args, ack=None if ack_id is None else self._ack(ack_id))
                return
            result = await method(self._socket, *args)
            if ack_id is not None:
                self._connection.acknowledge(ack_id, _to_arguments(result))
        except Disconnected as error:
            Log.HANDLER_DISCONNECTED.log(self._handlers.owner, handler.method, error)
        except BaseException as error:
            self._failed(f"{self._handlers.owner}.{handler.method} raised", error)

    def _ack(self, ack_id: int) -> Callable[..., Awaitable[None]]:
        sent = False

        async def ack(*args: Any) -> None:
            """Acknowledges the event. Only the first call does."""
            nonlocal sent
            if not sent:
                self._connection.acknowledge(ack_id, list(args))
                sent = True

        return ack

    async def run_callback(self, callback: AckCallback, args: Sequence[Any]) -> None:
        """Gives an acknowledgement to the callback that waits for it."""
        try:
            result = callback(*args)
            if inspect.isawaitable(result):
                await result
        except BaseException as error:
            self._failed(f"The ack callback {_name(callback)} raised", error)

    # disconnect

    async def run_disconnect(self, reason: DisconnectReason) -> None:
        """Runs the disconnect hook."""
        try:
            await self._consumer.disconnect(self._socket, reason)
        except BaseException as error:
            self._failed(f"{self._handlers.owner}.disconnect raised", error)

    def _failed(self, message: str, error: BaseException) -> None:
        """Logs what the application raised. Raises it again if it is to end the task."""
        raise_if_final(error)
        self._repeats.error(message, error)
        self._upkeep.failed(error)


def _name(callback: AckCallback) -> str:
    """The name of a callback without its address: it is the same one for every client."""
    named = callback if hasattr(callback, "__qualname__") else type(callback)
    return f"{named.__module__}.{named.__qualname__}"


def _to_arguments(result: Any) -> list[Any]:
    """What a handler returns, as the arguments of an acknowledgement: None → none, a tuple → several."""
    if result is None:
        return []
    return list(result) if isinstance(result, tuple) else [result]
