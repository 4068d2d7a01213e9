"""`Client`: what the Socket.IO layer keeps for one Engine.IO connection, whatever number of namespaces it joined.

Source: the reference's `socket.io/lib/client.ts`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..engineio.socket import EngineIOSocket
from ..engineio.state import Reason
from .held import HeldBytes
from .packets import PacketType, ParseError, SocketIOPacket
from .parser import SocketIOParser
from .socket import NamespaceSocket

if TYPE_CHECKING:
    from .options import SocketIOOptions
    from .server import SocketIOServer

logger = logging.getLogger("sio.socketio")


class Client:
    """Parses what comes, and hands it to the socket of its namespace."""

    def __init__(self, server: SocketIOServer, eio: EngineIOSocket, options: SocketIOOptions) -> None:
        self.eio = eio
        self.options = options
        self._server = server
        self._parser = SocketIOParser(options)
        self._sockets: dict[str, NamespaceSocket] = {}
        #: Sockets whose queue of events is full, and handlers that wait for the client's answer.
        self._full: dict[NamespaceSocket, None] = {}
        self._calls = 0
        self.held = HeldBytes(options.max_session_bytes)
        #: Until a namespace with a consumer is joined: who joins none has no business here ("connectTimeout").
        self._connect_timer: asyncio.TimerHandle | None = self._call_later(
            options.connect_timeout, self.close, Reason.FORCED_SERVER_CLOSE
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
        except ParseError:
            self.close(Reason.FORCED_CLOSE)
            return
        if packet is not None:
            self._dispatch(packet)
        elif self._socket(self._parser.pending) is None:
            # No attachments are collected for a namespace that the client has not joined (CVE-2026-48804).
            self.close(Reason.FORCED_SERVER_CLOSE)
        else:
            self._await_attachments()

    def _await_attachments(self) -> None:
        self._timer = self._call_later(self.options.attachments_timeout, self._on_attachments_missing)

    def _on_attachments_missing(self) -> None:
        if self.eio.is_paused:
            self._await_attachments()  # they may be there, and wait to be read
        else:
            self.close(Reason.FORCED_CLOSE)

    def _socket(self, packet: SocketIOPacket | None) -> NamespaceSocket | None:
        """Returns the accepted socket that a packet is for."""
        socket = None if packet is None else self._sockets.get(packet.namespace)
        return socket if socket is not None and socket.connected else None

    def _dispatch(self, packet: SocketIOPacket) -> None:
        socket = self._socket(packet)
        # The socket of a namespace exists for the client once it is accepted: until then an event for it is as wrong as
        # one for a namespace that it never asked for (`ondecoded`, "invalid state").
        if packet.type is PacketType.CONNECT and packet.namespace not in self._sockets:
            self._connect(packet)
        elif socket is None:
            self.close(Reason.FORCED_SERVER_CLOSE)
        elif packet.type is PacketType.EVENT:
            socket.receive_event(packet)
        elif packet.type is PacketType.ACK:
            socket.receive_ack(packet)
        elif packet.type is PacketType.DISCONNECT:
            socket.end(Reason.CLIENT_NAMESPACE_DISCONNECT)
        else:
            # A second CONNECT, or a CONNECT_ERROR: "invalid state".
            self.close(Reason.FORCED_SERVER_CLOSE)

    def _connect(self, packet: SocketIOPacket) -> None:
        namespace = self._server.find_namespace(packet.namespace, self.eio.scope)
        limit = self.options.max_auth_bytes
        if namespace is None:
            # Nothing is kept of the name for the client, which may ask for any number of them.
            self._server.report_unknown_namespace(packet.namespace, self.eio.scope)
            self._refuse(packet.namespace, "Invalid namespace")
            return
        if packet.size > limit:
            # It would be kept as long as the socket, and may take thirty times as much in memory.
            self._refuse(packet.namespace, f"auth is larger than {limit} bytes (SIO_MAX_AUTH_BYTES)")
            return
        socket = NamespaceSocket(self, namespace, self._server, packet.data or {})
        self._sockets[namespace.name] = socket
        socket.start()

    def _refuse(self, namespace: str, message: str) -> None:
        error = SocketIOPacket(PacketType.CONNECT_ERROR, namespace, {"message": message})
        self.eio.send_packets(self._server.encode(error))

    def accepted(self) -> None:
        """A socket was accepted, so the connection may stay. A refused one leaves the time running (`client.ts`), and
        so does one of `/` where nobody serves that.
        """
        self._stop_connect_timer()
        self.eio.joined()

    def forget(self, socket: NamespaceSocket) -> None:
        """A socket left its namespace, or was refused."""
        self._sockets.pop(socket.namespace, None)

    def set_full(self, socket: NamespaceSocket, full: bool) -> None:
        """Reads nothing more from the client while any of its sockets has its queue of events full."""
        if full:
            self._full[socket] = None
        else:
            self._full.pop(socket, None)
        self._update_reading()

    def set_calling(self, calling: bool) -> None:
        """A handler began, or ended, to wait for an acknowledgement, which must be read even if the queue is full."""
        self._calls += 1 if calling else -1
        self._update_reading()

    def hold(self, size: int) -> None:
        """So many bytes that the client sent wait for the application."""
        self.held.total += size
        self.held.waiting += size
        self.check_held(size)

    def release(self, size: int) -> None:
        """They wait no more."""
        if not size:
            return
        self.held.total -= size
        self.held.waiting -= size
        self.check_held()

    def check_held(self, size: int = 0) -> None:
        """Reads nothing more from the client while too much is held of what it sent. `size` is what just came."""
        if self.held.update():
            self._update_reading()
        if size and self.held.is_flooded(size):
            # It is read although it is full, since a handler waits for its answer; it sends something else.
            logger.warning(
                "Cut the client %s: more than twice SIO_MAX_SESSION_BYTES waits", self.eio.scope.get("client")
            )
            self.eio.end(Reason.TRANSPORT_ERROR)

    def _update_reading(self) -> None:
        if (self._full or self.held.is_full) and not self._calls:
            self.eio.pause_reading()
        else:
            self.eio.resume_reading()

    def disconnect(self) -> None:
        """Disconnects the client from all namespaces, and closes its connection."""
        for socket in list(self._sockets.values()):
            if socket.connected:
                socket.disconnect_namespace()
        self.close(Reason.SERVER_NAMESPACE_DISCONNECT)

    def close(self, reason: Reason) -> None:
        """Ends all sockets and closes the connection, once what was sent is delivered. Idempotent."""
        # The sockets end now, with the reason that is known here; the connection ends when its client has taken the
        # rest.
        self.end(reason)
        self.eio.close()

    def end(self, reason: Reason) -> None:
        """The one door out: the connection is over, for whatever reason. Idempotent."""
        self._stop_connect_timer()
        self._stop_timer()
        for socket in list(self._sockets.values()):
            socket.end(reason)
        self._parser.clear()
