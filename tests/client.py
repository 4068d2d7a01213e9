"""A Socket.IO client on the in-memory WebSocket of `tests.asgi`: it speaks the wire, packet by packet."""

from __future__ import annotations

import json
from typing import Any

from tests.asgi import Headers, WebSocket


class SocketIOClient:
    """Sends and receives Socket.IO packets. It answers no ping, and puts nothing in order that the server does not."""

    def __init__(self, app: Any, headers: Headers = (), **scope: Any) -> None:
        self.websocket = WebSocket(app, headers=headers, **scope)

    async def open(self) -> SocketIOClient:
        """Opens the Engine.IO session."""
        await self.websocket.open()
        return self

    async def connect(self, namespace: str = "/", auth: Any = None) -> str:
        """Joins a namespace. Returns the socket's id."""
        self.send("0", namespace, auth)
        packet = await self.receive()
        prefix = "0" if namespace == "/" else f"0{namespace},"
        assert packet.startswith(prefix), packet
        sid: str = json.loads(packet[len(prefix) :])["sid"]
        return sid

    def send(self, head: str, namespace: str = "/", data: Any = None, ack_id: int | str = "") -> None:
        """Sends a packet: its type (with the number of attachments), namespace, id and data."""
        nsp = "" if namespace == "/" else f"{namespace},"
        self.websocket.send(f"4{head}{nsp}{ack_id}" + ("" if data is None else json.dumps(data)))

    def emit(self, namespace: str, *event: Any, ack_id: int | str = "") -> None:
        """Sends an event."""
        self.send("2", namespace, list(event), ack_id)

    async def receive(self) -> Any:
        """Returns the next packet, or attachment, as it is on the wire, without the Engine.IO type."""
        frame = await self.websocket.receive()
        return frame[1:] if isinstance(frame, str) else frame

    async def received(self, *packets: Any) -> None:
        """Asserts what comes next."""
        for packet in packets:
            assert await self.receive() == packet

    def leave(self) -> None:
        """Drops the connection."""
        self.websocket.disconnect()
