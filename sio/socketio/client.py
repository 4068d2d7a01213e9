"""`Client`: what the Socket.IO layer keeps for one Engine.IO session, whatever number of namespaces it joined.

Source: the reference's `socket.io/lib/client.ts`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any

from ..engineio.protocol.state import CloseReason
from ..engineio.socket import EngineIOSocket
from ..exceptions import SocketIOParseError
from .connection import NamespaceConnection
from .log import Log
from .protocol.backlog import Backlog
from .protocol.packets import PacketType, SocketIOPacket
from .protocol.parser import SocketIOParser
from .protocol.reasons import DisconnectReason
from .shared import Shared


class Client:
    """Parses what comes, and hands it to the connection of its namespace."""

    def __init__(self, shared: Shared, eio: EngineIOSocket) -> None:
        self.eio = eio
        self.options = options = shared.options()
        self.backlog = Backlog(options.max_session_bytes)
        self._shared = shared
        self._parser = SocketIOParser(options)
        #: Its connections to namespaces, by the name of the namespace.
        self._connections: dict[str, NamespaceConnection] = {}
        #: The queues of events that are full.
        self._full: dict[Hashable, None] = {}
        #: How many handlers wait for what the client sends next.
        self._waiting = 0
        #: Until a namespace with a consumer is joined: others have no business here ("connectTimeout").
        self._connect_timer: asyncio.TimerHandle | None = self._call_later(
            options.connect_timeout, self.close, DisconnectReason.FORCED_SERVER_CLOSE
        )
        #: While a packet waits for its attachments.
        self._timer: asyncio.TimerHandle | None = None

    @staticmethod
    def _call_later(milliseconds: int, callback: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(milliseconds / 1000, callback, *args)

    def _stop_connect_timer(self) -> None:
        if self._connect_timer is not None:
            self._connect_timer.cancel()
            self._connect_timer = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def receive(self, data: str | bytes) -> None:
        """Takes the data of one Engine.IO message."""
        if self._parser.pending is not None:
            self._stop_timer()
        try:
            packet = self._parser.feed(data)
        except SocketIOParseError:
            self.close(DisconnectReason.FORCED_CLOSE)
            return
        if packet is None:
            self._begin_attachments()
            return
        connection = self._connections.get(packet.namespace)
        if connection is None and packet.type is PacketType.CONNECT:
            self._connect(packet)
        # A connection exists for the client once it is accepted: until then an event for it is as wrong as one for a
        # namespace that the client never asked for (`ondecoded`, "invalid state"). So is a second CONNECT.
        elif connection is None or not connection.is_connected or not connection.receive(packet):
            self.close(DisconnectReason.FORCED_SERVER_CLOSE)

    def _begin_attachments(self) -> None:
        packet = self._parser.pending
        connection = None if packet is None else self._connections.get(packet.namespace)
        if connection is None or not connection.is_connected:
            # No attachments are collected for a namespace that the client has not joined (CVE-2026-48804).
            self.close(DisconnectReason.FORCED_SERVER_CLOSE)
        else:
            self._await_attachments()

    def _await_attachments(self) -> None:
        self._timer = self._call_later(self.options.attachments_timeout, self._on_attachments_missing)

    def _on_attachments_missing(self) -> None:
        if self.eio.is_paused:
            self._await_attachments()  # they may be there, and wait to be read
        else:
            self.close(DisconnectReason.FORCED_CLOSE)

    def _connect(self, packet: SocketIOPacket) -> None:
        namespace = self._shared.namespaces.find(packet.namespace, self.eio.scope)
        limit = self.options.max_auth_bytes
        if namespace is None:
            # Nothing is kept of the name for the client, which may ask for any number of them.
            self._shared.namespaces.report_unknown(packet.namespace, self.eio.scope)
            self._refuse(packet.namespace, "Invalid namespace")
            return
        if packet.size > limit:
            # It would be kept as long as the socket, and may take thirty times as much in memory.
            self._refuse(packet.namespace, f"auth is larger than {limit} bytes (SIO_MAX_AUTH_BYTES)")
            return
        connection = NamespaceConnection(self, namespace, self._shared, packet.data or {})
        self._connections[namespace.name] = connection
        connection.start()

    def _refuse(self, namespace: str, message: str) -> None:
        error = SocketIOPacket(PacketType.CONNECT_ERROR, namespace, {"message": message})
        self.eio.send_packets(self._shared.encoding.packet(error))

    def accepted(self) -> None:
        """A namespace accepted the client, which may stay. A refusal leaves the time running (`client.ts`), and so does
        `/` where nobody serves that.
        """
        self._stop_connect_timer()
        self.eio.establish()

    def forget(self, connection: NamespaceConnection) -> None:
        """The client left a namespace, or was refused."""
        self._connections.pop(connection.namespace_name, None)

    # Reading

    def set_full(self, queue: Hashable, full: bool) -> None:
        """Reads nothing more from the client while any of its queues of events is full."""
        if full:
            self._full[queue] = None
        else:
            self._full.pop(queue, None)
        self._update_reading()

    def set_must_read(self, must: bool) -> None:
        """A handler began, or ended, to wait for what the client sends next, which must be read even if the queue is
        full.
        """
        self._waiting += 1 if must else -1
        self._update_reading()

    def hold(self, size: int) -> None:
        """So many bytes that the client sent wait for the application."""
        self.backlog.total += size
        self.backlog.waiting += size
        self.check_backlog(size)

    def release(self, size: int) -> None:
        """They wait no more."""
        if not size:
            return
        self.backlog.total -= size
        self.backlog.waiting -= size
        self.check_backlog()

    def check_backlog(self, size: int = 0) -> None:
        """Reads nothing more from the client while too much is held of what it sent. `size` is what just came."""
        if self.backlog.update():
            self._update_reading()
        if size and self.backlog.is_flooded(size):
            # It is read although it is full, since a handler waits for its answer; it sends something else.
            Log.SESSION_FLOODED.log(self.eio.scope.get("client"))
            self.eio.end(CloseReason.TRANSPORT_ERROR)

    def _update_reading(self) -> None:
        if (self._full or self.backlog.is_full) and not self._waiting:
            self.eio.pause_reading()
        else:
            self.eio.resume_reading()

    # The end

    def disconnect(self) -> None:
        """Disconnects the client from all namespaces, and closes its session."""
        for connection in list(self._connections.values()):
            if connection.is_connected:
                connection.disconnect_namespace()
        self.close(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    def close(self, reason: DisconnectReason) -> None:
        """Ends all connections to namespaces, and closes the session once what was sent is delivered. Idempotent."""
        # The connections end now, with the reason that is known here; the session ends when its client has taken the
        # rest.
        self.end(reason)
        self.eio.close()

    def end(self, reason: DisconnectReason) -> None:
        """The one door out: the session is over, for whatever reason. Idempotent."""
        self._stop_connect_timer()
        self._stop_timer()
        for connection in list(self._connections.values()):
            connection.end(reason)
        self._parser.clear()
