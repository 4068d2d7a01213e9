"""A handler that takes its time, or fails, costs nobody else anything: not even its own client its heartbeat."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.pace import PACE, ms

from .conftest import OURS
from .http import control
from .servers import HASTY, Server, running
from .wire import TRANSPORTS, Polling, Session, WebSocket, Wire

QUEUE = HASTY["SIO_MAX_QUEUED_EVENTS"]
#: How long a handler blocks everything, in seconds, and timers that it makes very late.
BLOCKAGE = 2.0 * PACE
BLOCKED = {**HASTY, "SIO_ENGINEIO_PING_INTERVAL_MS": ms(400), "SIO_ENGINEIO_PING_TIMEOUT_MS": ms(700)}
_gates = (f"gate {number}" for number in itertools.count())


async def hold(server: Server, session: Session) -> str:
    """Has a handler of the session wait. Returns the name of its gate."""
    gate = next(_gates)
    await session.emit("hold", gate)
    await server.report(hook="hold", gate=gate)
    return gate


async def release(wire: Wire, gate: str) -> None:
    """Another client lets the handler go on."""
    other = await wire.member("websocket")
    await other.call("release", gate)


async def wait_for_pings(session: Session, count: int) -> None:
    """Waits while the heartbeat of a session goes on."""
    for _ in range(count):
        assert await session.next_packet() == "2"
        await session.send("3")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_slow_handler_holds_up_no_heartbeat(transport: str, hasty_wire: Wire) -> None:
    session = await hasty_wire.member(transport)
    gate = await hold(hasty_wire.server, session)
    await wait_for_pings(session, 2)
    await release(hasty_wire, gate)
    assert await session.call("echo_ack", "alive") == ["alive"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_slow_handler_holds_up_no_other_socket(transport: str, wire: Wire) -> None:
    session, other = await wire.member(transport), await wire.member(transport)
    await session.join("/custom")
    await hold(wire.server, session)
    assert await other.call("echo_ack", "another client") == ["another client"]
    assert await session.call("echo_ack", "another namespace", namespace="/custom") == ["another namespace"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_slow_handler_holds_up_no_broadcast(transport: str, wire: Wire) -> None:
    session, other = await wire.member(transport), await wire.member("websocket")
    await session.call("join", f"blocked {transport}")
    await hold(wire.server, session)
    assert await other.call("broadcast", {"room": f"blocked {transport}"}, "hello") == [True]
    assert await session.event() == ["hello"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_handler_that_waits_for_its_client_gets_the_answer(transport: str, wire: Wire) -> None:
    session = await wire.member(transport)
    await session.emit("call", 5, "who")
    question = str(await session.receive())
    await session.send(f'43{question[2 : question.index("[")]}["me"]')
    assert await session.event() == ["answered", "me"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_events_are_handled_one_after_the_other(transport: str, wire: Wire) -> None:
    session = await wire.member(transport)
    gate = next(_gates)
    await session.emit("hold", gate, "first", ack_id=1)
    await session.emit("echo_ack", "second", ack_id=2)
    await release(wire, gate)
    assert await session.receive_many(2) == ['431[["first"]]', '432["second"]']


async def test_slow_connect_hook_holds_up_no_other_namespace(wire: Wire) -> None:
    session = await wire.websocket()
    await session.send('40/gated,{"gate":"slow connect"}')
    await session.join()
    assert await session.call("echo_ack", "alive") == ["alive"]
    await session.emit("release", "slow connect")
    assert str(await session.receive()).startswith('40/gated,{"sid":')


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_handler_that_raises_ends_nothing(transport: str, wire: Wire) -> None:
    wire.server.forgive("on purpose", "Traceback", "event_fail raised")
    session = await wire.member(transport)
    await session.join("/custom")
    await session.emit("fail", ack_id=1)
    assert await session.call("echo_ack", "alive") == ["alive"]
    assert await session.call("echo_ack", "here too", namespace="/custom") == ["here too"]
    assert len([line for line in wire.server.lines if "event_fail raised" in line]) > 0


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_connect_hook_that_raises_refuses_and_tells_nothing(transport: str, wire: Wire) -> None:
    wire.server.forgive("on purpose", "Traceback", "connect raised")
    session = await wire.session(transport)
    await session.send("40/raising,")
    assert await session.receive() == '44/raising,{"message":"Internal server error"}'


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_full_queue_pauses_reading_and_loses_nothing(transport: str, hasty_wire: Wire) -> None:
    session, clock = await hasty_wire.member(transport), await hasty_wire.member("websocket")
    gate = await hold(hasty_wire.server, session)
    sender = asyncio.create_task(send_many(session, 5 * QUEUE))
    if transport == "polling":
        assert await session.next_packet() == "2"
    # It took its ping. That no pong is read meanwhile does not count against it.
    await wait_for_pings(clock, 2)
    assert transport == "websocket" or not sender.done()
    await release(hasty_wire, gate)
    assert [await session.event() for _ in range(5 * QUEUE)] == [["echoed", n] for n in range(5 * QUEUE)]
    await sender


async def send_many(session: Session, count: int) -> Any:
    return await session.send(*(f'42["echo",{number}]' for number in range(count)))


async def test_full_queue_is_no_burden_for_others(hasty_wire: Wire) -> None:
    session, other = await hasty_wire.member("websocket"), await hasty_wire.member("websocket")
    gate = await hold(hasty_wire.server, session)
    await send_many(session, 2 * QUEUE)
    await other.emit("echo", "served")
    assert await other.event() == ["echoed", "served"]
    await release(hasty_wire, gate)


async def test_second_post_while_the_first_waits_ends_the_session(hasty_wire: Wire) -> None:
    """Both servers see it: the first is in the hands of the application."""
    session = await hasty_wire.member("polling")
    gate = await hold(hasty_wire.server, session)
    first = await start_post(session, "\x1e".join(['42["echo"]'] * 2 * QUEUE))
    assert (await session.post("3")).status == 400
    assert (await first).status == 200
    await release(hasty_wire, gate)
    assert await hasty_wire.server.reason(session.id) == "transport error"


async def start_post(session: Polling, body: str) -> asyncio.Task[Any]:
    """Sends a payload that the server will not answer at once."""
    connection = await session.start_post({"Content-Length": str(len(body))})
    await connection.write(body.encode())
    await control(session.server, "sessions")
    return asyncio.create_task(connection.response())


async def test_client_that_leaves_with_a_full_queue_is_let_go(hasty_wire: Wire) -> None:
    session = await hasty_wire.member("websocket")
    assert isinstance(session, WebSocket)
    gate = await hold(hasty_wire.server, session)
    await send_many(session, 2 * QUEUE)
    session.reset()
    await release(hasty_wire, gate)
    assert await hasty_wire.server.reason(session.id) == "transport close"


@pytest.mark.parametrize("kind", OURS)
async def test_handler_that_blocks_the_loop_costs_no_client_its_connection(kind: str) -> None:
    """Their pongs come in time, and wait to be read. It is logged once, and not for each of them."""
    async with running(kind, BLOCKED) as server, Wire(server) as wire:
        sessions = await asyncio.gather(*(wire.member(TRANSPORTS[number % 2]) for number in range(20)))
        culprit = await wire.member("websocket")
        assert await asyncio.gather(*(session.next_packet() for session in sessions)) == ["2"] * 20
        await culprit.emit("block", BLOCKAGE, ack_id=0)
        await server.report(hook="block")
        pongs = [asyncio.create_task(session.send("3")) for session in sessions]
        assert await culprit.receive() == "430[]"
        await asyncio.gather(*pongs)
        for session in (*sessions, culprit):
            assert await session.call("echo_ack", "alive") == ["alive"]
        assert not [line for line in server.lines if '"hook": "disconnect"' in line]
        (warning,) = [line for line in server.lines if "stood still" in line]
        assert warning.startswith("WARNING sio.engineio: The event loop stood still for at least ")
