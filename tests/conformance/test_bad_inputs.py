"""What servers must survive, beside the hostile input of one connection: slow readers, floods, failing handlers, emits
that reach nobody, crowds that leave at once, and clocks that jump.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from sio import NamespaceSocket, SocketIOConsumer, as_asgi, get_socketio_server
from sio.exceptions import EncodingError
from tests.client import SocketIOClient
from tests.pace import TIMEOUT
from tests.sessions import sessions

from .bystander import BREATH
from .conftest import OURS, fixture, server_fixture
from .servers import CALM, Server
from .test_slow_readers import BOUND, DELAY, NARROW, PARTS, SIZE, memory, watch
from .wire import TRANSPORTS, Session, WebSocket, Wire

narrow_server = server_fixture(OURS, NARROW)
uvicorn_server = server_fixture(("uvicorn",), CALM)
daphne_server = server_fixture(("daphne",), CALM)


@fixture
async def uvicorn_wire(uvicorn_server: Server) -> AsyncIterator[Wire]:
    async with Wire(uvicorn_server) as wire:
        yield wire


@fixture
async def daphne_wire(daphne_server: Server) -> AsyncIterator[Wire]:
    async with Wire(daphne_server) as wire:
        yield wire


# Row 77


async def test_client_that_reads_a_little_now_and_then_is_cut_off(narrow_server: Server) -> None:
    """It takes too little for a pong to be possible in time."""
    async with Wire(narrow_server) as wire:
        slow, before = await wire.member("websocket"), memory(narrow_server)
        assert isinstance(slow, WebSocket)
        reading = asyncio.create_task(dribble(slow))
        sending = asyncio.create_task(slow.emit("burst", PARTS, SIZE))
        most, longest = await watch(narrow_server, slow)
        reading.cancel()
        await sending
        slow.reset()
    assert await narrow_server.reason(slow.id) in ("ping timeout", "transport error")
    assert most - before < BOUND
    assert longest < DELAY


async def dribble(session: WebSocket) -> None:
    """Reads for a turn of the loop, ten times in a second."""
    transport = session.connection.transport
    while True:
        transport.pause_reading()
        await asyncio.sleep(0.1)
        with contextlib.suppress(RuntimeError):
            transport.resume_reading()
        await asyncio.sleep(0)


# Row 79


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_flood_of_events_is_handled_and_holds_up_nobody(transport: str, wire: Wire) -> None:
    session, other = await wire.member(transport), await wire.member("websocket")
    before = memory(wire.server)
    flood = asyncio.create_task(session.send(*['42["return_none"]'] * 10_000))
    longest = 0.0
    while not flood.done():
        await asyncio.sleep(BREATH)
        asked = time.monotonic()
        assert await other.call("echo_ack", "served") == ["served"]
        longest = max(longest, time.monotonic() - asked)
    await flood
    assert await session.call("echo_ack", "last") == ["last"], "all before it are handled"
    assert longest < DELAY
    assert memory(wire.server) - before < BOUND


# Row 85


async def gets_ten_megabytes(session: Session) -> None:
    await session.emit("burst", 1, 10_000_000)
    assert await session.event() == ["burst", 0, "x" * 10_000_000]
    assert await session.call("echo_ack", "next") == ["next"]


async def test_event_of_ten_megabytes_arrives_in_a_poll(wire: Wire) -> None:
    await gets_ten_megabytes(await wire.member("polling"))


async def test_event_of_ten_megabytes_arrives_on_a_websocket(uvicorn_wire: Wire) -> None:
    await gets_ten_megabytes(await uvicorn_wire.member("websocket"))


async def test_event_that_daphne_cannot_send_is_told(daphne_wire: Wire) -> None:
    """Its WebSocket library sends no frame of more than a mebibyte: the client is lost, and the log says why."""
    session = await daphne_wire.member("websocket")
    await session.emit("burst", 1, 10_000_000)
    assert await daphne_wire.server.reason(session.id) == "transport close"
    assert await daphne_wire.server.line(lambda line: "exceeding payload limit" in line)


# Rows 83, 84, 85, 86 and 103, with the application in memory


class Consumer(SocketIOConsumer):
    """Emits where nobody is, and fails in ways of its own."""

    namespace = "/test"
    members: ClassVar[list[NamespaceSocket]]
    left: ClassVar[list[str]]

    async def connect(self, socket: NamespaceSocket, auth: Any) -> bool:
        await socket.join("room")
        self.members.append(socket)
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        await socket.emit("late")
        await socket.emit("late", callback=self.left.append)
        await socket.join("late")
        await socket.server.emit("late", room=socket.id, namespace="/test")
        await socket.server.emit("left", socket.id, room="room", namespace="/test")
        self.left.append(socket.id)

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args

    async def event_cancelled(self, socket: NamespaceSocket) -> None:
        task = asyncio.ensure_future(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(task.cancel)
        await task

    async def event_suicide(self, socket: NamespaceSocket) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(60)

    async def event_overdue(self, socket: NamespaceSocket) -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(60)


@pytest.fixture
def app() -> Any:
    Consumer.members, Consumer.left = [], []
    return as_asgi(Consumer)


async def join(app: Any) -> SocketIOClient:
    client = await SocketIOClient(app).open()
    await client.connect("/test")
    return client


@pytest.mark.parametrize("event", ["cancelled", "suicide", "overdue"])
async def test_handler_that_is_cancelled_ends_alone(event: str, app: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = await join(app)
    client.emit("/test", "echo", "before", ack_id=1)
    client.emit("/test", event, ack_id=2)
    client.emit("/test", "echo", "after", ack_id=3)
    await client.received('3/test,1["before"]', '3/test,3["after"]')
    assert len(caplog.records) <= 1
    client.leave()
    await client.websocket.finished()


async def test_emit_that_reaches_nobody_does_nothing(app: Any) -> None:
    server, witness, client = get_socketio_server(), await join(app), await join(app)
    gone = Consumer.members[1]
    client.leave()
    await witness.received(f'2/test,["left","{gone.id}"]')
    rooms = dict(server.adapter._rooms)
    await gone.emit("late")
    await gone.join("late")
    for room in (gone.id, "nobody", "", ["late", "late"]):
        await server.emit("late", room=room, namespace="/test")
    await server.emit("late", namespace="/nobody")
    assert server.adapter._rooms == rooms
    await server.emit("next", namespace="/test")
    await witness.received('2/test,["next"]')
    assert Consumer.left == [gone.id], "and no callback ran"


async def test_broadcast_that_cannot_be_encoded_reaches_nobody(app: Any) -> None:
    clients = [await join(app) for _ in range(3)]
    for value in (object(), {"deep": [object()]}, {1, 2}, float("nan")):
        with pytest.raises(EncodingError):
            await get_socketio_server().emit("x", b"attachment", value, room="room", namespace="/test")
    await get_socketio_server().emit("next", namespace="/test")
    for client in clients:
        await client.received('2/test,["next"]')


CROWD = 1_000


@contextlib.asynccontextmanager
async def crowd(app: Any) -> AsyncIterator[list[SocketIOClient]]:
    clients = [await join(app) for _ in range(CROWD)]
    yield clients
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(*(client.websocket.finished() for client in clients))
        while len(Consumer.left) < CROWD:
            await asyncio.sleep(0)
    assert sorted(Consumer.left) == sorted(socket.id for socket in Consumer.members)
    assert len(sessions) == 0
    assert get_socketio_server().adapter._rooms == {}


async def test_broadcasts_while_a_crowd_leaves(app: Any) -> None:
    """All in one turn of the loop, while others are told of each."""
    async with crowd(app) as clients:
        broadcasts = [asyncio.ensure_future(news(number)) for number in range(3)]
        for client in clients:
            client.leave()
        await asyncio.gather(*broadcasts)


async def test_server_that_closes_a_crowd_in_one_turn(app: Any) -> None:
    async with crowd(app):
        for session in sessions:
            session.close()
        await news(1)


async def news(number: int) -> None:
    await get_socketio_server().emit("news", number, room="room", namespace="/test")


@pytest.mark.parametrize("hours", [-5, 5])
async def test_clock_that_jumps_changes_nothing(hours: int, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers follow the clock that only goes on, and order follows no clock at all."""
    client, jumped = await join(app), time.time() + hours * 3600
    for number in range(3):
        client.emit("/test", "echo", number, ack_id=number)
        monkeypatch.setattr(time, "time", lambda: jumped)
    for number in range(3, 6):
        client.emit("/test", "echo", number, ack_id=number)
    await client.received(*(f"3/test,{number}[{number}]" for number in range(6)))
    later = await join(app)
    await news(1)
    for receiver in (client, later):
        await receiver.received('2/test,["news",1]')
    assert Consumer.left == []
    assert len(sessions) == 2
