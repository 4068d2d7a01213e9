"""Clients that speak the protocols by hand, and note what a server says."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import re
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.pace import PACE, TIMEOUT

from .http import Connection, Headers, Response, control, polled, request
from .servers import Server

TRANSPORTS = ("polling", "websocket")
Packet = str | bytes


class Ended(Exception):
    """The server ended the session. It says how."""


class Session:
    """What the clients of both transports have in common. Packets are those of Engine.IO, binary ones are bytes."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sid = ""
        #: The id of its socket, in the namespace that it joined last.
        self.id = ""
        self._ack_ids = itertools.count()

    async def send(self, *packets: Packet) -> Response | None:
        """Sends packets. Returns the server's answer, if it gives one."""
        raise NotImplementedError

    async def next_packet(self, timeout: float | None = TIMEOUT) -> Packet:
        """Waits for a packet. Raises Ended."""
        raise NotImplementedError

    async def close(self) -> None:
        """Leaves. Idempotent."""
        raise NotImplementedError

    async def receive(self, timeout: float | None = TIMEOUT) -> Packet:
        """Waits for a packet that is no ping, and answers those that are. Raises Ended."""
        while (packet := await self.next_packet(timeout)) == "2":
            await self.send("3")
        return packet

    async def receive_or_end(self) -> Packet:
        """Waits for a packet, or for the end of the session, and says which."""
        try:
            return await self.receive()
        except Ended as end:
            return str(end)

    async def receive_many(self, count: int) -> list[Packet]:
        return [await self.receive() for _ in range(count)]

    async def drain(self) -> list[Packet]:
        """Waits for the end of the session. Returns what came until then, and how it ended."""
        packets: list[Packet] = []
        try:
            while True:
                packets.append(await self.receive())
        except Ended as end:
            return [*packets, str(end)]

    async def join(self, namespace: str = "/", auth: Any = None) -> str:
        """Joins a namespace. Returns the id of the socket there."""
        header = "40" if namespace == "/" else f"40{namespace},"
        await self.send(header + ("" if auth is None else json.dumps(auth)))
        self.id = payload(await self.receive(), header)["sid"]
        return self.id

    async def emit(self, event: str, *args: Any, namespace: str = "/", ack_id: int | None = None) -> Response | None:
        """Sends an event."""
        header = "42" if namespace == "/" else f"42{namespace},"
        return await self.send(f"{header}{'' if ack_id is None else ack_id}{json.dumps([event, *args])}")

    async def call(self, event: str, *args: Any, namespace: str = "/") -> Any:
        """Sends an event. Returns the arguments of its acknowledgement, which must be what comes next."""
        ack_id = next(self._ack_ids)
        await self.emit(event, *args, namespace=namespace, ack_id=ack_id)
        return payload(await self.receive(), f"43{'' if namespace == '/' else namespace + ','}{ack_id}")

    async def event(self) -> list[Any]:
        """Waits for an event without binary data. Returns its name and its arguments."""
        return list(payload(await self.receive(), "42"))


def payload(packet: Packet, header: str) -> Any:
    """The JSON of a packet that must start with `header`. A namespace and an ack id may follow that."""
    match = re.fullmatch(re.escape(header) + r"(?:/[^,]*,)?\d*([\[{].*)", str(packet), re.DOTALL)
    assert match, packet
    return json.loads(match[1])


class Polling(Session):
    """A long-polling client."""

    def __init__(self, server: Server, headers: Headers | None = None) -> None:
        super().__init__(server)
        self.headers = headers or {}
        self._buffer: list[str] = []
        self._polls: list[Connection] = []

    @property
    def target(self) -> str:
        return f"{self.server.path}?EIO=4&transport=polling&sid={self.sid}"

    async def open(self, target: str = "?EIO=4&transport=polling") -> Self:
        self.handshake = await request(self.server, "GET", self.server.path + target, headers=self.headers)
        assert self.handshake.status == 200, self.handshake
        self.sid = json.loads(self.handshake.text[1:])["sid"]
        return self

    async def get(self) -> Response:
        """Polls."""
        return await request(self.server, "GET", self.target, headers=self.headers)

    async def post(self, body: str | bytes, headers: Headers | None = None) -> Response:
        """Sends a payload."""
        return await request(self.server, "POST", self.target, body, {**self.headers, **(headers or {})})

    async def start_get(self) -> Connection:
        """Polls, and returns once the server knows of it."""
        connection = await self._start("GET")
        await polled(connection, self.server, self.sid)
        return connection

    async def start_post(self, headers: Headers) -> Connection:
        """Begins a POST whose body is still to be written."""
        connection = await self._start("POST", {"Content-Length": "", **headers})
        await control(self.server, "sessions")
        return connection

    async def _start(self, method: str, headers: Headers | None = None) -> Connection:
        connection = await Connection.open(self.server)
        self._polls.append(connection)
        await connection.send(method, self.target, headers={**self.headers, **(headers or {})})
        return connection

    async def send(self, *packets: Packet) -> Response:
        encoded = [packet if isinstance(packet, str) else _to_base64(packet) for packet in packets]
        return await self.post("\x1e".join(encoded))

    async def next_packet(self, timeout: float | None = TIMEOUT) -> Packet:
        while not self._buffer:
            response = await self.get()
            if response.status != 200:
                raise Ended(f"ended with {response}")
            self._buffer = response.packets
        packet = self._buffer.pop(0)
        return base64.b64decode(packet[1:]) if packet[:1] == "b" else packet

    async def close(self) -> None:
        for connection in self._polls:
            await connection.close()
        if self.sid:
            await self.post("1")


class WebSocket(Session):
    """A WebSocket client."""

    def __init__(self, server: Server, headers: Headers | None = None) -> None:
        super().__init__(server)
        self.headers = headers or {}
        self._connection: ClientConnection | None = None

    @property
    def connection(self) -> ClientConnection:
        assert self._connection is not None, "not connected"
        return self._connection

    async def open(self, target: str = "?EIO=4&transport=websocket") -> Self:
        """Opens a session."""
        await self.connect(self.server.path + target)
        self.handshake = await self.next_packet()
        assert isinstance(self.handshake, str)
        self.sid = json.loads(self.handshake[1:])["sid"]
        return self

    async def connect(self, target: str) -> Self:
        """Opens the WebSocket."""
        self._connection = await connect(
            f"ws://127.0.0.1:{self.server.port}{target}",
            additional_headers=self.headers,
            compression=None,
            ping_interval=None,
            close_timeout=PACE,
            max_size=None,
            max_queue=None,
            proxy=None,
        )
        return self

    async def try_connect(self, target: str) -> Self | Response:
        """Asks for the WebSocket. Returns itself, or the server's refusal."""
        try:
            return await self.connect(target)
        except InvalidStatus as error:
            answer = error.response
            fields = {name.lower(): value for name, value in answer.headers.raw_items()}
            return Response(answer.status_code, fields, bytes(answer.body or b""))

    async def send(self, *packets: Packet) -> None:
        with contextlib.suppress(ConnectionClosed):  # what is to be seen is what the server says
            for packet in packets:
                await self.connection.send(packet)

    async def next_packet(self, timeout: float | None = TIMEOUT) -> Packet:
        try:
            async with asyncio.timeout(timeout):
                return await self.connection.recv()
        except ConnectionClosed:
            raise Ended(f"closed {self.connection.close_code} {self.connection.close_reason}".rstrip()) from None

    def reset(self) -> None:
        """Breaks the connection, as a client that is killed does."""
        self.connection.transport.abort()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def _to_base64(data: bytes) -> str:
    return "b" + base64.b64encode(data).decode()


S = TypeVar("S", bound=Session)


class Wire:
    """Opens clients of one server, and closes them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._sessions: list[Session] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.gather(*(session.close() for session in self._sessions))

    async def polling(self, headers: Headers | None = None) -> Polling:
        """Opens a session on polling."""
        return await self._keep(Polling(self.server, headers)).open()

    async def websocket(self, headers: Headers | None = None) -> WebSocket:
        """Opens a session on WebSocket."""
        return await self._keep(WebSocket(self.server, headers)).open()

    async def session(self, transport: str) -> Polling | WebSocket:
        return await (self.polling() if transport == "polling" else self.websocket())

    async def member(self, transport: str, namespace: str = "/", auth: Any = None) -> Polling | WebSocket:
        """Opens a session, and joins a namespace."""
        session = await self.session(transport)
        await session.join(namespace, auth)
        return session

    async def upgrade(self, session: Polling) -> WebSocket:
        """Moves a session from polling to WebSocket."""
        websocket = self._keep(WebSocket(self.server))
        websocket.sid = session.sid
        await websocket.connect(f"/socket.io/?EIO=4&transport=websocket&sid={session.sid}")
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await websocket.send("5")
        return websocket

    async def http(self, method: str, target: str, body: bytes | str = b"", headers: Headers | None = None) -> Response:
        """Sends one HTTP request. The target may be just the query."""
        path = target if target.startswith("/") else f"/socket.io/?{target}"
        response = await request(self.server, method, path, body, headers)
        if response.body.startswith(b'0{"sid":'):
            self._keep(Polling(self.server)).sid = json.loads(response.body[1:])["sid"]
        return response

    async def try_websocket(self, query: str, headers: Headers | None = None) -> Response | WebSocket:
        """Asks for a WebSocket. Returns the server's refusal, or what it accepted."""
        return await self._keep(WebSocket(self.server, headers)).try_connect(f"/socket.io/?{query}")

    def _keep(self, session: S) -> S:
        self._sessions.append(session)
        return session


def mask(seen: Any) -> str:
    """What was seen, without what differs from one run to the next: ids, and the numbers of a server's questions."""
    text = seen.hex(" ") if isinstance(seen, bytes) else str(seen)
    text = re.sub(r'"sid":"[^"]*"', '"sid":"*"', text)
    return re.sub(r"((?:^|\x1e)4[25](?:\d+-)?(?:/[^,\x1e]*,)?)\d+(?=\[)", r"\1#", text)
