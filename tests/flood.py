"""A client that sends as much as it can, and what it sends: the WebSocket is written by hand, many frames at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

#: Bytes of a large frame: as many as a server takes, and a little less.
MEGABYTE = 990_000

_TEXT, _BINARY = 1, 2
_COMPRESSED = 0x40


def frame(payload: bytes, flags: int = _TEXT) -> bytes:
    """Returns one frame of a client, with a mask that changes nothing."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | flags, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | flags, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | flags, 0x80 | 127, size)
    return head + bytes(4) + payload


def text(packet: str) -> bytes:
    return frame(packet.encode())


def binary(attachment: bytes) -> bytes:
    return frame(attachment, _BINARY)


def deflated(packet: str) -> bytes:
    """Returns a frame as permessage-deflate has it. uvicorn grants a window of 12 bits."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    compressed = deflate.compress(packet.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return frame(compressed.removesuffix(b"\x00\x00\xff\xff"), _TEXT | _COMPRESSED)


def dense(head: str, value: str, tail: str = "]]", size: int = MEGABYTE) -> str:
    """Returns a packet of `size` characters: an array of one value again and again."""
    return head + ",".join([value] * ((size - len(head) - len(tail)) // (len(value) + 1))) + tail


NESTED = "[" * 90 + "]" * 90
PLACEHOLDER = '{"_placeholder":true,"num":0}'

#: What takes a server a second or two, in frames that are sent at once. Nobody handles the event.
FLOODS: dict[str, Callable[[], bytes]] = {
    "compressed objects": lambda: deflated(dense('42["zz",[', '{"":0}')) * 28,
    "compressed arrays": lambda: deflated(dense('42["zz",[', NESTED)) * 12,
    "compressed binary events": lambda: (deflated(dense(f'451-["zz",{PLACEHOLDER},[', NESTED)) + binary(b"x")) * 10,
    "compressed acknowledgements": lambda: deflated(dense("431[", "[]", "]")) * 28,
    "a megabyte of objects": lambda: text(dense('42["zz",[', '{"":0}')),
    "a megabyte of arrays": lambda: text(dense('42["zz",[', NESTED)),
    "a megabyte of brackets": lambda: text('42["zz",' + "[" * (MEGABYTE // 2)),
    "noops": lambda: text("6") * 100_000,
    "acknowledgements": lambda: text("431[]") * 100_000,
    "events": lambda: text('42["zz"]') * 100_000,
    "namespaces": lambda: text("40/x,") * 50_000,
}

#: Large values that a session could keep.
OBJECTS = dense('{"a":[', '{"":0}', "]}")


def processor_time(pid: int) -> float:
    """Returns what a process has needed of it until now, in seconds. How long a client waits is best told by what its
    server does meanwhile: a machine that is busy with something else does not change that.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Flooder:
    """A client that has joined a namespace. It reads what it is sent, and answers no pings of Engine.IO."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        #: The last answers of the server.
        self.packets: list[str] = []
        self.is_over = False

    async def open(self, port: int, join: str = "40") -> Self:
        """Opens a session with permessage-deflate, if the server has it, and joins a namespace."""
        extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
        uri = parse_uri(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket")
        self._protocol = ClientProtocol(uri, extensions=extensions, max_size=None)
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._protocol.send_request(self._protocol.connect())
        self._task = asyncio.create_task(self._read())
        await self._until(lambda: self.packets)  # the handshake of Engine.IO
        await self.send(text(join))
        await self._until(self._joined)
        #: The id of its socket.
        self.id = str(json.loads(re.sub(r"^40(/[^,]*,)?", "", joined[0]))["sid"]) if (joined := self._joined()) else ""
        return self

    def _joined(self) -> list[str]:
        return [packet for packet in self.packets if packet.startswith("40")]

    async def _read(self) -> None:
        with contextlib.suppress(OSError):
            self._flush()
            while data := await self._reader.read(65_536):
                self._protocol.receive_data(data)
                self._flush()
                await self._take(self._protocol.events_received())
        self.is_over = True
        await self._take([])

    def _flush(self) -> None:
        """Sends what WebSocket itself has to say."""
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)

    async def _take(self, events: Iterable[object]) -> None:
        frames = [event for event in events if isinstance(event, Frame) and event.opcode is Opcode.TEXT]
        async with self._changed:
            self.packets = [*self.packets, *(bytes(frame.data).decode() for frame in frames)][-100:]
            self._changed.notify_all()

    async def _until(self, condition: Callable[[], object]) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.is_over or condition())

    async def send(self, data: bytes) -> None:
        """Sends frames, as fast as the server takes them."""
        with contextlib.suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    async def answered(self) -> None:
        """Waits until the server has taken all that was sent, or has had enough."""
        await self.send(text("40/last,"))
        await self._until(lambda: any(packet.startswith("44/last,") for packet in self.packets))

    async def close(self) -> None:
        """Breaks the connection."""
        self._writer.transport.abort()
        await self._task
