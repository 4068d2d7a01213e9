"""Sessions without I/O, as the tests open and drive them. Time is a number.

With the default options a ping is due after 25 s, its pong 20 s later, an upgrade within 10 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sio.engineio.protocol.options import EngineIOOptions
from sio.engineio.protocol.packets import EncodedPacket, Packet, PacketType
from sio.engineio.protocol.session import EngineIOSession
from sio.engineio.protocol.state import CloseReason, Transport

PONG, CLOSE, MESSAGE = Packet(PacketType.PONG), Packet(PacketType.CLOSE), Packet(PacketType.MESSAGE, "hello")

Start = Callable[..., EngineIOSession]


def open_session(transport: Transport, **options: Any) -> EngineIOSession:
    """Returns a session that opened at the time 0 and whose client took the open packet."""
    session = EngineIOSession("sid", transport, EngineIOOptions(**options), 0)
    taken = poll(session) if transport is Transport.POLLING else written(session)
    assert [str(data)[:1] for data in taken] == ["0"]
    return session


def polling(**options: Any) -> EngineIOSession:
    return open_session(Transport.POLLING, **options)


def websocket(**options: Any) -> EngineIOSession:
    return open_session(Transport.WEBSOCKET, **options)


def upgrading(**options: Any) -> EngineIOSession:
    """Returns a session whose client was sent the `3probe` at the time 0."""
    session = polling(**options)
    session.probe(0)
    session.probe_answered(0)
    return session


def emit(session: EngineIOSession, *messages: str | bytes) -> bool:
    return session.send([EncodedPacket.message(message) for message in messages])


def answer(session: EngineIOSession) -> list[str | bytes]:
    """Answers the poll that waits. Returns the packets in the answer."""
    assert session.poll_ready
    return [packet.data for packet in session.take_payload()]


def poll(session: EngineIOSession) -> list[str | bytes]:
    """A GET comes and is answered at once."""
    assert session.open_poll()
    return answer(session)


def written(session: EngineIOSession) -> list[str | bytes]:
    """Returns what goes out on the WebSocket."""
    return [packet.data for packet in iter(session.next_packet, None)]


def ping_if_needed(session: EngineIOSession, now: float) -> None:
    """Does what the owner of a session does when much was sent without a ping."""
    if session.needs_ping:
        session.ping(now)


def assert_open(session: EngineIOSession) -> None:
    assert session.is_open
    assert session.reason is None


def assert_over(session: EngineIOSession, reason: CloseReason) -> None:
    """The session is over, for that reason, and waits for nothing."""
    assert session.is_closed
    assert session.reason is reason
    assert session.deadline is None
    assert not session.is_open


def assert_open_for_delivery(session: EngineIOSession) -> None:
    """The session takes nothing new, and is not over."""
    assert not session.is_open
    assert not session.is_closed
    assert session.reason is None


both_transports = pytest.mark.parametrize("start", [polling, websocket])
