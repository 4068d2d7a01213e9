"""Much at a time, and in order: bursts, large messages, and what is sent while the connection is upgraded."""

from __future__ import annotations

from .client import Client
from .stage import Stage, scenario

#: Under the limit of a message, which is a million bytes.
SIZE = 900_000
#: How many packets python-engineio takes in the answer to a poll.
SMALL_BURST = 16


@scenario("engine.io-protocol v4, maxPayload")
async def messages_may_be_large(stage: Stage) -> None:
    """Messages of almost the largest size, both ways"""
    client = await stage.client()
    text, binary = "é" + "x" * SIZE, b"\x07" * (SIZE * 7 // 10)  # base64 makes a third more, on polling
    assert await client.call("echo_ack", text) == [text]
    assert await client.call("echo_ack", binary) == [binary]
    await client.emit("echo", binary, text[:1000])
    assert await client.receive("echoed") == [binary, text[:1000]]


async def _burst(stage: Stage, client: Client, count: int, size: int) -> None:
    await client.emit("burst", count, size)
    stage.check_events(await client.receive_many("burst", count), [[number, "x" * size] for number in range(count)])


@scenario("semantics 13")
async def bursts_arrive_whole(stage: Stage) -> None:
    """Bursts by the server: many events, and large ones"""
    client = await stage.client()
    await _burst(stage, client, SMALL_BURST if stage.lacks("many packets per poll") else 1000, 10)
    await _burst(stage, client, 5, 400_000)


async def _before_its_upgrade(stage: Stage) -> Client:
    """A client that has not begun to upgrade. By itself it would begin before anybody can emit."""
    client = stage.new(upgrade=not stage.is_javascript and stage.transport == "upgrade")
    await client.connect()
    return client


async def _check_transports(stage: Stage, client: Client) -> None:
    """What came, came on polling and then on WebSocket, if the client upgraded in the meantime."""
    is_mixed = stage.transport == "upgrade" and not stage.lacks("talk during the upgrade")
    assert client.transports == (["polling", "websocket"] if is_mixed else [stage.last_transport])


@scenario("semantics 26")
async def server_emits_during_the_upgrade(stage: Stage) -> None:
    """Events by the server before, during and after the upgrade: all, and in order"""
    client = await _before_its_upgrade(stage)
    other = stage.new("websocket")
    await other.connect()
    count, seen = 150, []
    is_slow = stage.lacks("many packets per poll")

    async def send(first: int, last: int) -> None:
        # Acknowledged, so that the server is never far behind.
        for number in range(first, last):
            await other.call("broadcast", {"room": client.id}, "number", number)
            if is_slow or number == 0:
                seen.append(await client.receive("number"))

    await send(0, 1)
    if stage.transport == "upgrade" and not stage.lacks("talk during the upgrade"):
        await client.begin_upgrade()
    await send(1, count - 10)
    await client.ends_on(stage.last_transport)
    await send(count - 10, count)
    seen += await client.receive_many("number", count - len(seen))
    stage.check_events(seen, [[number] for number in range(count)])
    await _check_transports(stage, client)


@scenario("semantics 26")
async def client_emits_during_the_upgrade(stage: Stage) -> None:
    """Events by the client before, during and after the upgrade: all, and in order"""
    client = await _before_its_upgrade(stage)
    quarter = 4 if stage.lacks("many packets per poll") else 250
    events = [["echo", number] for number in range(4 * quarter)]
    await client.emit_all(events[:quarter])
    seen = [await client.receive("echoed")]
    if stage.transport == "upgrade" and not stage.lacks("talk during the upgrade"):
        await client.begin_upgrade()
        await client.emit_all(events[quarter : 2 * quarter])
        # The client holds back what it is given while it waits for the end of its last poll.
        await client.upgrading()
    else:
        await client.emit_all(events[quarter : 2 * quarter])
    await client.emit_all(events[2 * quarter : 3 * quarter])
    await client.ends_on(stage.last_transport)
    await client.emit_all(events[3 * quarter :])
    seen += await client.receive_many("echoed", 4 * quarter - 1)
    stage.check_events(seen, [[number] for number in range(4 * quarter)])
    await _check_transports(stage, client)
