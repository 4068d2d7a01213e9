"""How much of one client is handled before others get their turn, and for how long it is not read then."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from sio.engineio import EngineIOApplication, EngineIOSocket, set_engineio_app
from sio.engineio.turns import MAX_PAUSE, TURN_BYTES, TURN_PACKETS, TURN_TIME, LongPackets, Turn
from tests.asgi import APP, Poller, WebSocket
from tests.pace import TIMEOUT

pytestmark = pytest.mark.real_time

#: What a packet takes that takes long, in seconds.
LONG = 3 * TURN_TIME


class TestTurn:
    """The account of one client is kept by packets and bytes, and by time."""

    def test_turn_ends_after_so_many_packets(self) -> None:
        turn = Turn(LongPackets())
        pauses = [turn.spend(0, 1.0, 1.0) for _ in range(2 * TURN_PACKETS)]
        assert pauses == 2 * [*[None] * (TURN_PACKETS - 1), 0.0]

    def test_turn_ends_after_so_many_bytes(self) -> None:
        turn = Turn(LongPackets())
        assert turn.spend(TURN_BYTES // 2, 1.0, 1.0) is None
        assert turn.spend(TURN_BYTES // 2, 1.0, 1.0) == 0.0
        assert turn.spend(TURN_BYTES, 1.0, 1.0) == 0.0
        assert turn.spend(0, 1.0, 1.0) is None

    def test_client_that_took_longer_is_not_read_for_as_long(self) -> None:
        assert Turn(LongPackets()).spend(1, 5.0, 5.0 + 0.1) == pytest.approx(0.1)

    def test_time_adds_up(self) -> None:
        turn, now, step = Turn(LongPackets()), 5.0, 0.4 * TURN_TIME
        assert turn.spend(1, now, now + step) is None
        assert turn.spend(1, now + step, now + 2 * step) is None
        assert turn.spend(1, now + 2 * step, now + 3 * step) == pytest.approx(3 * step)

    def test_time_that_others_had_counts(self) -> None:
        turn, step = Turn(LongPackets()), 0.9 * TURN_TIME
        for number in range(TURN_PACKETS // 2):
            now = 5.0 + number * 2 * step
            assert turn.spend(1, now, now + step) is None

    def test_pause_has_a_bound(self) -> None:
        assert Turn(LongPackets()).spend(1, 5.0, 500.0) == MAX_PAUSE


class TestLongPackets:
    """Long packets of all clients are handled one at a time."""

    async def test_long_packet_leaves_others_as_much_time_as_it_took(self) -> None:
        packets = LongPackets()
        now = time.perf_counter()
        packets.took(now - LONG, now)
        await packets.wait(0)
        assert time.perf_counter() >= now + LONG

    async def test_first_long_packet_waits_for_nothing(self) -> None:
        with pytest.raises(StopIteration):
            LongPackets().wait(0).send(None)

    async def test_client_that_took_long_comes_last(self) -> None:
        """A client that floods waits behind all others. Several do in the order of their last long packets."""
        now, order = [0.0], list[float]()
        packets = LongPackets(lambda: now[0])

        async def handle(long_at: float) -> None:
            await packets.wait(long_at)
            order.append(long_at)

        packets.took(0.0, TURN_TIME)
        clients = [asyncio.create_task(handle(long_at)) for long_at in (9.0, 8.0, 0.0, 7.0, 0.0)]
        await asyncio.sleep(0)  # all of them wait before the time has come
        now[0] = 2 * TURN_TIME
        await asyncio.gather(*clients)
        assert order == [0.0, 0.0, 7.0, 8.0, 9.0]

    async def test_client_that_leaves_keeps_nobody_waiting(self) -> None:
        packets = LongPackets()
        now = time.perf_counter()
        packets.took(now - LONG, now)
        leaving, staying = (asyncio.create_task(packets.wait(0)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        async with asyncio.timeout(TIMEOUT):
            await staying
            await packets.wait(0)

    def test_another_loop_begins_anew(self) -> None:
        packets = LongPackets()

        async def wait(seconds: float) -> None:
            now = time.perf_counter()
            packets.took(now - seconds, now)
            async with asyncio.timeout(seconds / 2):
                await packets.wait(0)

        with pytest.raises(TimeoutError):
            asyncio.run(wait(1.0))  # it ends while somebody waits
        asyncio.run(asyncio.wait_for(packets.wait(0), TIMEOUT))


class Recorder(EngineIOApplication):
    """Keeps in which turn of the loop each message came, and from when to when it was handled."""

    def __init__(self, takes: float = 0.0) -> None:
        self.takes = takes
        self.turn = 0
        self.packets: Counter[int] = Counter()
        self.bytes: Counter[int] = Counter()
        self.times: list[tuple[float, float]] = []
        self.is_over = asyncio.Event()

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        began = time.perf_counter()
        if data == "over":
            self.is_over.set()
            return
        time.sleep(self.takes)
        self.packets[self.turn] += 1
        self.bytes[self.turn] += len(data)
        self.times.append((began, time.perf_counter()))

    def on_disconnect(self, socket: EngineIOSocket, reason: Any) -> None:
        self.is_over.set()

    async def count_turns(self) -> None:
        while not self.is_over.is_set():
            self.turn += 1
            await asyncio.sleep(0)


@contextmanager
def recording(takes: float = 0.0) -> Iterator[Recorder]:
    app = Recorder(takes)
    set_engineio_app(app)
    try:
        yield app
    finally:
        set_engineio_app(None)


async def send(transport: str, *packets: str) -> None:
    """A client sends packets in one piece, as a server has them that parsed a whole segment."""
    if transport == "websocket":
        client = WebSocket(APP)
        await client.open()
        for packet in packets:
            client.send(packet)
    else:
        poller = Poller(APP)
        await poller.open()
        assert (await poller.post("\x1e".join(packets))).status == 200


TRANSPORTS = ("polling", "websocket")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("packet", ["4x", "6", "4" + "x" * 5_000])
async def test_turn_of_the_loop_has_only_so_much_of_one_client(transport: str, packet: str) -> None:
    """Control packets count too, which the application does not see: the last one comes turns after the first."""
    count = 1_000 if len(packet) < 10 else 150
    with recording() as app:
        counting = asyncio.create_task(app.count_turns())
        started = app.turn
        await send(transport, *[packet] * count, "4over")
        await app.is_over.wait()
        await counting
    assert app.turn - started >= count / TURN_PACKETS - 1
    assert max(app.packets.values(), default=0) <= TURN_PACKETS
    assert max(app.bytes.values(), default=0) <= TURN_BYTES + len(packet)


async def test_turn_of_the_loop_has_only_so_many_probes() -> None:
    poller = Poller(APP)
    await poller.open()
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    turns = 0
    for _ in range(1_000):
        websocket.send("2probe")
    websocket.send("5")
    while websocket._incoming.qsize():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 1_000 / TURN_PACKETS - 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_whose_packets_take_long_is_not_read_for_as_long(transport: str) -> None:
    with recording(LONG) as app:
        await send(transport, "4a", "4b", "4c", "4over")
        await app.is_over.wait()
    assert len(app.times) == 3
    assert_pauses(app.times)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_large_packets_of_several_clients_come_one_after_the_other(transport: str) -> None:
    large = "4" + "x" * (TURN_BYTES + 1)
    with recording(LONG) as app:
        await asyncio.gather(*(send(transport, large) for _ in range(4)))
        while len(app.times) < 4:
            await asyncio.sleep(TURN_TIME)
    assert_pauses(app.times)


def assert_pauses(times: list[tuple[float, float]]) -> None:
    """After each packet, others had as much time as it took."""
    for (began, ended), (next_began, _) in pairwise(times):
        assert next_began - ended >= 0.9 * min(ended - began, MAX_PAUSE)


async def test_session_that_ends_is_over_in_a_pause() -> None:
    with recording(LONG) as app:
        websocket = WebSocket(APP)
        await websocket.open()
        for packet in ("4a", "41", "1", "4b"):
            websocket.send(packet)
        await app.is_over.wait()
        await websocket.finished()
    assert len(app.times) == 2
