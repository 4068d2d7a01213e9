"""What comes over a connection that is broken, slow, cut, or no HTTP and no WebSocket at all: bytes, as they are sent.

After each test its server lives, serves a bystander, and has logged no traceback; the last one counts the sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import Any

import pytest

from .conftest import OURS, server_fixture
from .http import Connection, control
from .servers import Server
from .wire import TRANSPORTS, Session, Wire

#: Sessions that nobody uses any more are soon gone.
BRISK = {"SIO_ENGINEIO_PING_INTERVAL_MS": 1500, "SIO_ENGINEIO_PING_TIMEOUT_MS": 1500}
server = server_fixture(OURS, BRISK)

OPEN = "EIO=4&transport=polling"
HEAD = b"Host: 127.0.0.1\r\nConnection: close\r\n"
UPGRADE = (
    b"Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyBvaw==\r\n"
)


def get(query: str = OPEN, head: bytes = HEAD) -> bytes:
    return f"GET /socket.io/?{query} HTTP/1.1\r\n".encode() + head + b"\r\n"


def post(session: Session, body: bytes, head: bytes = b"") -> bytes:
    head = head or b"Content-Length: %d\r\n" % len(body)
    line = f"POST /socket.io/?{OPEN}&sid={session.sid} HTTP/1.1\r\n".encode()
    return line + HEAD + b"Content-Type: text/plain\r\n" + head + b"\r\n" + body


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A WebSocket frame of a client, under a mask of zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes([first]) + length + b"\0\0\0\0" + payload


async def answer(server: Server, *data: bytes) -> bytes:
    """Sends bytes on a connection of their own. Returns what comes back until it ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        with contextlib.suppress(OSError):
            for part in data:
                writer.write(part)
                await writer.drain()
            await control(server, "sessions")  # whatever it has to say without more, it has said
            writer.write_eof()
            async with asyncio.timeout(5):
                return await reader.read()
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


#: What is no request that we would ever see, or hardly one.
NO_REQUESTS = {
    "nothing": b"",
    "an empty line": b"\r\n\r\n",
    "a word": b"hello\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "HTTP/0.9": b"GET /socket.io/\r\n",
    "no host": b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n",
    "bytes in the query": b"GET /socket.io/?EIO=4&transport=\xff\xfe&sid=\x80 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL in the query": b"GET /socket.io/?EIO=4&transport=polling&sid=\x00 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a megabyte of headers": get(head=HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n"),
    "ten thousand headers": get(f"{OPEN}&sid=x", HEAD + b"X-Y: z\r\n" * 10_000),
    "a header without a colon": get(head=HEAD + b"header\r\n"),
    "a header of bytes": get(f"{OPEN}&sid=x", HEAD + b"Cookie: \xff\xfe=\x80\r\n"),
    "NUL in a header": get(f"{OPEN}&sid=x", HEAD + b"Cookie: a\x00b\r\n"),
    "separators in a header": get(f"{OPEN}&sid=x", HEAD + b"Cookie: a\x0b\x0c\x1c\x1d\x1e\x85b\r\n"),
    "an Origin split by a separator": get(f"{OPEN}&sid=x", HEAD + b"X: y\x1eOrigin: https://evil.example\r\n"),
    "an unknown method": f"BREW /socket.io/?{OPEN} HTTP/1.1\r\n".encode() + HEAD + b"\r\n",
    "two lengths": b"POST /socket.io/?EIO=4 HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n4x",
    "an upgrade to something": get(head=b"Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
    "a WebSocket without a key": get("EIO=4&transport=websocket", UPGRADE.rpartition(b"Sec-")[0]),
    "a WebSocket of version 7": get("EIO=4&transport=websocket", UPGRADE.replace(b": 13", b": 7")),
    "a WebSocket with a short key": get("EIO=4&transport=websocket", UPGRADE.replace(b"c2l4", b"")),
    "a WebSocket with a deflate bomb on offer": get(
        "EIO=4&transport=websocket&sid=x",
        UPGRADE + b"Sec-WebSocket-Extensions: permessage-deflate; x=" + b"9" * 9999 + b"\r\n",
    ),
}


@pytest.mark.parametrize("name", NO_REQUESTS)
async def test_what_is_no_request_is_refused_or_ignored(name: str, server: Server) -> None:
    status = (await answer(server, NO_REQUESTS[name])).partition(b"\r\n")[0]
    assert b"101" not in status
    assert not status.startswith(b"HTTP/1.1 5") or b"501" in status


#: Bodies that are not as long as they say, and how long they say that they are.
LENGTHS = {
    "shorter than it says": (b'42["echo",1]', b"Content-Length: 100\r\n"),
    "longer than it says": (b'42["echo",1]' + b"x" * 100, b"Content-Length: 12\r\n"),
    "of a negative length": (b"4", b"Content-Length: -1\r\n"),
    "of a length in letters": (b"4", b"Content-Length: one\r\n"),
    "of a length with a sign": (b"4", b"Content-Length: +1\r\n"),
    "of two lengths": (b"4x", b"Content-Length: 1\r\nContent-Length: 2\r\n"),
    "of a length and chunks": (b"0\r\n\r\n", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    "of no length": (b'42["echo",1]', b"X: y\r\n"),
    "of a bad chunk": (b"zz\r\n4\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n"),
    "of a huge chunk": (b"fffffffffffffffff\r\n4", b"Transfer-Encoding: chunked\r\n"),
    "of a negative chunk": (b"-1\r\n4\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n"),
    "of chunks without an end": (b'c\r\n42["echo",1]\r\n', b"Transfer-Encoding: chunked\r\n"),
    "in an unknown encoding": (b"4", b"Transfer-Encoding: gzip\r\n"),
    "of a compressed megabyte": (b"\x1f\x8b" + b"\0" * 100, b"Content-Encoding: gzip\r\nContent-Length: 102\r\n"),
}


@pytest.mark.parametrize("name", LENGTHS)
async def test_body_harms_at_most_its_own_session(name: str, wire: Wire) -> None:
    session = await wire.member("polling")
    status = (await answer(wire.server, post(session, *LENGTHS[name]))).partition(b"\r\n")[0]
    assert not status.startswith(b"HTTP/1.1 5") or b"501" in status
    await session.emit("echo", "alive")
    assert await session.receive_or_end() is not None


def one_by_one(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


async def test_bytes_may_come_one_by_one(wire: Wire) -> None:
    session = await wire.polling()
    assert b'"sid"' in await answer(wire.server, *one_by_one(get()))
    assert (await answer(wire.server, *one_by_one(post(session, b"40")))).endswith(b"\r\n\r\nok")
    assert str(await session.receive()).startswith("40{")
    body = "".join(f"1\r\n{character}\r\n" for character in '42["echo",1]').encode() + b"0\r\n\r\n"
    chunked = post(session, body, b"Transfer-Encoding: chunked\r\n")
    assert (await answer(wire.server, *one_by_one(chunked))).endswith(b"\r\n\r\nok")
    assert await session.event() == ["echoed", 1]


#: Of a session on polling, where a client is killed: bytes that it still sends, and then a reset.
STAGES: dict[str, Any] = {
    "before anything": lambda session: b"",
    "in the request line": lambda session: get()[:20],
    "in the headers": lambda session: get()[:-10],
    "after a handshake": lambda session: get(),
    "in the headers of a POST": lambda session: post(session, b"4")[:-20],
    "before the body": lambda session: post(session, b"", b"Content-Length: 10\r\n"),
    "in the body": lambda session: post(session, b"42[", b"Content-Length: 10\r\n"),
    "in a chunk": lambda session: post(session, b"a\r\n42[", b"Transfer-Encoding: chunked\r\n"),
    "after a POST": lambda session: post(session, b'42["echo"]'),
    "after a poll": lambda session: get(f"{OPEN}&sid={session.sid}"),
    "after a WebSocket handshake": lambda session: get("EIO=4&transport=websocket", UPGRADE),
    "in a WebSocket handshake": lambda session: get("EIO=4&transport=websocket", UPGRADE)[:-8],
    "after a refused WebSocket handshake": lambda session: get("EIO=4&transport=websocket&sid=x", UPGRADE),
    "in a probe": lambda session: get(f"EIO=4&transport=websocket&sid={session.sid}", UPGRADE) + frame(b"2probe"),
    "after an upgrade": lambda session: get(f"EIO=4&transport=websocket&sid={session.sid}", UPGRADE) + frame(b"5"),
    "in a frame": lambda session: get("EIO=4&transport=websocket", UPGRADE) + frame(b"40")[:5],
    "after a bad frame": lambda session: get("EIO=4&transport=websocket", UPGRADE) + b"\xff" * 50,
}


@pytest.mark.parametrize("stage", STAGES)
async def test_client_may_be_killed_at_any_time(stage: str, wire: Wire) -> None:
    session = await wire.member("polling")
    for wait in (False, True):
        connection = await Connection.open(wire.server)
        await connection.write(STAGES[stage](session))
        if wait:
            await control(wire.server, "sessions")  # the server has taken it
        connection.reset()
        await connection.close()


async def test_client_may_be_killed_while_it_is_answered(wire: Wire) -> None:
    for _ in range(3):
        session = await wire.member("polling")
        await session.emit("burst", 2, 450_000)
        (await session.start_get()).reset()
    assert await (await wire.member("websocket")).call("echo_ack", "alive") == ["alive"]


#: Frames that are none, or may not be sent; the server ends the WebSocket.
BAD_FRAMES = {
    "without a mask": b"\x81\x0242",
    "with reserved bits": frame(b"4", 0xF1),
    "of an unknown type": frame(b"4", 0x83),
    "of an unknown control type": frame(b"4", 0x8B),
    "of a fragmented ping": frame(b"4", 0x09),
    "of a long ping": frame(b"x" * 126, 0x89),
    "of a continuation of nothing": frame(b"4", 0x80),
    "of text within text": frame(b"4", 0x01) + frame(b"4", 0x81),
    "of broken UTF-8": frame(b"4\xc3\x28"),
    "of a surrogate": frame(b"4\xed\xa0\x80"),
    "of an impossible length": b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0",
    "of 2 GB": b"\x81\xff" + struct.pack("!Q", 2**31) + b"\0\0\0\0",
    "of a close of one byte": frame(b"\x03", 0x88),
    "of a close with a bad code": frame(struct.pack("!H", 999), 0x88),
    "of a close with broken UTF-8": frame(struct.pack("!H", 1000) + b"\xff", 0x88),
    "of too much in fragments": frame(b"4", 0x01) + frame(b"x" * 60_000, 0x00) * 18 + frame(b"", 0x80),
}
NO_TEXT = ("of broken UTF-8", "of a surrogate")


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_bad_frame_ends_its_websocket(name: str, wire: Wire) -> None:
    session = await wire.member("websocket")
    session.connection.transport.write(BAD_FRAMES[name])
    await session.drain()
    assert await wire.server.reason(session.id) in ("transport close", "transport error")
    if name in NO_TEXT and wire.server.kind == "uvicorn":  # which says so, and how it found out
        assert [line.split()[0] for line in wire.server.take_troubles()] == ["ERROR:", "Traceback"]


async def test_packet_may_come_in_fragments(wire: Wire) -> None:
    """Also within a character."""
    session = await wire.member("websocket")
    packet = '42["echo","é😀"]'.encode()
    fragments = [frame(byte, 0x00) for byte in one_by_one(packet)]
    session.connection.transport.write(b"".join([frame(b"", 0x01), *fragments, frame(b"", 0x80)]))
    assert await session.event() == ["echoed", "é😀"]


async def test_ten_thousand_fragments_hold_up_nobody(wire: Wire) -> None:
    session, other = await wire.member("websocket"), await wire.member("websocket")
    session.connection.transport.write(frame(b'42["x', 0x01) + frame(b"x", 0x00) * 10_000)
    async with asyncio.timeout(2):
        assert await other.call("echo_ack", "served") == ["served"]
    session.connection.transport.write(frame(b'"]', 0x80))
    assert await session.call("echo_ack", "alive") == ["alive"]


#: What a WebSocket that should probe says instead; the session stays on polling.
PROBES: dict[str, list[str | bytes]] = {
    "a pong": ["3probe"],
    "a close": ["1"],
    "an open": ["0{}"],
    "a connect": ["40"],
    "a binary probe": [b"2probe"],
    "a binary upgrade": [b"5"],
    "another probe": ["2probf"],
    "a probe of a megabyte": ["2probe" + "x" * 900_000],
    "more than it may": ["x" * 1_000_001],
    "a thousand probes": ["2probe"] * 1000 + ["6"],
    "a message after the probe": ["2probe", '42["echo",1]'],
}


@pytest.mark.parametrize("name", PROBES)
async def test_probe_that_fails_costs_its_session_nothing(name: str, wire: Wire) -> None:
    session = await wire.member("polling")
    websocket = await wire.websocket_for(session)
    await websocket.send(*PROBES[name])
    await websocket.drain()
    assert await session.call("echo_ack", "alive") == ["alive"]
    assert await (await wire.upgrade(session)).call("echo_ack", "upgraded") == ["upgraded"]


async def test_second_websocket_after_the_upgrade_is_closed(wire: Wire) -> None:
    session = await wire.member("polling")
    first = await wire.upgrade(session)
    second = await wire.websocket_for(session)
    await second.send("2probe", "5")
    assert (await second.drain())[-1].startswith("closed")
    assert await first.call("echo_ack", "alive") == ["alive"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_answers_of_others_are_not_taken(transport: str, wire: Wire) -> None:
    session, thief = await wire.member(transport), await wire.member("websocket")
    await session.emit("ask")
    ack_id = str(await session.receive())[2:].partition("[")[0]
    await thief.send(f'43{ack_id}["mine"]')
    await thief.call("echo_ack", "sent")
    await session.join("/custom")
    await session.send(f'43/custom,{ack_id}["elsewhere"]', f'43{ack_id}["yours"]')
    assert await session.event() == ["answered", "yours"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_names_that_look_like_handlers_are_none(transport: str, wire: Wire) -> None:
    session = await wire.member(transport)
    names = ("echo.ack", "echo-ack", "Echo", " echo", "event_echo", "_rooms", "connect_", "x" * 900_000)
    for ack_id, name in enumerate(names):
        await session.emit(name, 1, ack_id=ack_id)
    assert await session.call("echo_ack", "alive") == ["alive"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("namespace", ["/" + "x" * 900_000, "/x?" + "y" * 900_000, "/custom" + "," * 900_000])
async def test_endless_namespace_ends_its_session(transport: str, namespace: str, wire: Wire) -> None:
    session = await wire.member(transport)
    await session.send(f"40{namespace}")
    assert await wire.server.reason(session.id) == "forced close"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_ten_thousand_namespaces_hold_up_nobody(transport: str, wire: Wire) -> None:
    session, other = await wire.member(transport), await wire.member("websocket")
    sending = asyncio.create_task(session.send(*(f"40/{number}," for number in range(9_000))))
    async with asyncio.timeout(2):
        assert await other.call("echo_ack", "served") == ["served"]
    await sending
    answers = [str(await session.receive()) for _ in range(9_000)]
    assert answers[-1] == '44/8999,{"message":"Invalid namespace"}'


async def test_no_session_is_left(server: Server) -> None:
    """But that of the bystander."""
    async with asyncio.timeout(10):
        while await control(server, "sessions") > 1:
            await asyncio.sleep(0.1)
    assert isinstance(await control(server, "tasks"), int)
