"""HTTP by hand: one connection for each request, so that a test can break it wherever it wants."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pace import TIMEOUT, ms

from .servers import Server

Headers = Mapping[str, str]

#: How many answers of the server somebody may need to see what it did.
_TURNS = 5


@dataclass(frozen=True)
class Response:
    """What a server answered. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def packets(self) -> list[str]:
        """The segments of a payload."""
        return self.text.split("\x1e")

    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        """The parts of it that clients look at."""
        named = [self.headers[name] for name in ("content-type", "cache-control") if name in self.headers]
        return " | ".join([str(self.status), *named, self.text])


class Connection:
    """One HTTP connection, for one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Server) -> None:
        self._reader, self._writer = reader, writer
        self._server = server
        self._method = ""
        self._head = b""

    @classmethod
    async def open(cls, server: Server) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", server.port), server)

    async def send(self, method: str, target: str, body: bytes | str = b"", headers: Headers | None = None) -> None:
        """Sends a request. Headers of the same name replace those that it has by default, None omits them."""
        body = body.encode() if isinstance(body, str) else body
        fields: dict[str, str | None] = {"Host": f"127.0.0.1:{self._server.port}", "Connection": "close"}
        if body or method in ("POST", "PUT"):
            fields |= {"Content-Type": "text/plain;charset=UTF-8", "Content-Length": str(len(body))}
        fields |= headers or {}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
        self._method = method
        await self.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # it may have been answered, and closed, before its end
            self._writer.write(data)
            await self._writer.drain()

    async def response(self, timeout: float = TIMEOUT) -> Response:
        """Waits for the answer, and closes."""
        try:
            async with asyncio.timeout(timeout):
                return await self._read_response()
        finally:
            await self.close()

    async def answer_begun(self) -> bytes:
        """Waits for the beginning of the answer, and returns it."""
        self._head = self._head or await self._reader.readuntil(b"\r\n\r\n")
        return self._head

    async def _read_response(self) -> Response:
        status, *fields = (await self.answer_begun()).decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        code = int(status.split()[1])
        if self._method == "HEAD" or code in (101, 204):
            return Response(code, headers)
        return Response(code, headers, await self._read_body(headers))

    async def _read_body(self, headers: Headers) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return await self._read_chunks()
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        return await self._reader.read()

    async def _read_chunks(self) -> bytes:
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        return body

    async def write_eof(self) -> None:
        """Writes nothing more."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    def reset(self) -> None:
        """Breaks the connection, as a client that is killed does."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        """Closes the connection. Idempotent."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


async def request(
    server: Server, method: str, target: str, body: bytes | str = b"", headers: Headers | None = None
) -> Response:
    """Sends a request, and waits for its answer."""
    connection = await Connection.open(server)
    await connection.send(method, target, body, headers)
    return await connection.response()


async def polled(connection: Connection, server: Server, sid: str) -> None:
    """Returns when a poll that was sent waits in the server, or is answered.

    Granian may hand one request on before another that it got earlier, so no request can tell for another one.
    """
    answered = asyncio.ensure_future(connection.answer_begun())
    while not answered.done() and sid not in await control(server, "polls"):
        pass
    answered.cancel()
    await asyncio.gather(answered, return_exceptions=True)


async def control(server: Server, command: str) -> Any:
    """Asks the server under test something behind its clients' backs.

    A server that hands requests on in their order, as all but Granian do, has then taken whatever it was sent earlier:
    what comes after it is also seen after it.
    """
    return (await request(server, "GET", f"/control/{command}")).json()


async def alarm(server: Server, milliseconds: int) -> None:
    """Waits until a timer of the server has run out, on its own loop: whatever it was to do earlier, it has done.

    On a slow machine it is as much longer as short timers are.
    """
    connection = await Connection.open(server)
    await connection.send("GET", f"/control/alarm/{ms(milliseconds)}")
    await connection.response(TIMEOUT + ms(milliseconds) / 1000)


async def late_at(server: Server, milliseconds: int) -> None:
    """Returns when a timer of the server has run out, and what it did before that has been seen, on any connection.

    What has not come by then is late, and not the machine: the server's own timers all are as late as it is.
    """
    await alarm(server, milliseconds)
    for _ in range(_TURNS):
        await control(server, "sessions")
