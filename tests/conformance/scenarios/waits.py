"""What takes time to show. All clients wait together."""

from __future__ import annotations

import asyncio

from tests.conformance.servers import HASTY
from tests.pace import ms

from .stage import Stage, scenario

#: Of the pings. Their timeout leaves a busy machine time, and still comes before five intervals are over.
PATIENT = {**HASTY, "SIO_ENGINEIO_PING_TIMEOUT_MS": ms(900)}
INTERVAL = PATIENT["SIO_ENGINEIO_PING_INTERVAL_MS"] / 1000

#: What clients say of a server that went: those in JavaScript, and in Python.
GONE = {"polling": ("transport error", "transport error"), "websocket": ("transport close", "transport error")}


@scenario("semantics 20", settings=PATIENT, waits=True)
async def idle_client_stays(stage: Stage) -> None:
    """A client that says nothing for five intervals of the heartbeat"""
    client = await stage.client("/", "/custom")
    await asyncio.sleep(5 * INTERVAL)
    assert await client.call("echo_ack", "alive") == ["alive"]
    assert await client.call("echo_ack", b"alive", namespace="/custom") == [b"alive"]
    assert not stage.server.hooks(client.id, "disconnect")


@scenario("socket.io-client, reconnection", waits=True, restarts=True)
async def client_comes_back(stage: Stage) -> None:
    """Reconnection after the server was restarted"""
    assert stage.restart is not None
    client = await stage.client("/", "/custom", reconnect=True)
    ids = set(client.ids.values())
    await stage.restart()
    for namespace in ("/", "/custom"):
        await stage.check_reason(client, GONE[stage.last_transport], namespace)
        await client.back(namespace)
    assert not ids & set(client.ids.values())
    await client.ends_on(stage.last_transport)
    assert await client.call("echo_ack", "back", b"\x01") == ["back", b"\x01"]
    assert await client.call("echo_ack", "back", namespace="/custom") == ["back"]
