"""Who ends a connection, and what each side says of it."""

from __future__ import annotations

from .stage import Stage, scenario

#: What clients say: those in JavaScript, and in Python.
SERVER_LEFT = ("io server disconnect", "server disconnect")
CLIENT_LEFT = ("io client disconnect", "client disconnect")
CLOSED = ("forced close", "client disconnect")


@scenario("semantics 58")
async def server_disconnects_a_namespace(stage: Stage) -> None:
    """Disconnect by the server, of one namespace, after what it emitted before"""
    client = await stage.client("/", "/custom")
    await client.emit("burst_bye", 2, False)
    stage.check_events(await client.receive_many("burst", 2), [[0, ""], [1, ""]])
    await stage.check_reason(client, SERVER_LEFT)
    assert await stage.server.reason(client.id) == "server namespace disconnect"
    assert await client.call("echo_ack", "stays", namespace="/custom") == ["stays"]
    assert not stage.server.hooks(client.ids["/custom"], "disconnect")


@scenario("semantics 58")
async def server_closes_the_connection(stage: Stage) -> None:
    """Disconnect by the server, of all namespaces"""
    client = await stage.client("/", "/custom")
    await client.emit("burst_bye", 2, True)
    stage.check_events(await client.receive_many("burst", 2), [[0, ""], [1, ""]])
    for namespace in ("/", "/custom"):
        await stage.check_reason(client, SERVER_LEFT, namespace)
        assert await stage.server.reason(client.ids[namespace]) == "server namespace disconnect"


@scenario("semantics 2, client namespace disconnect")
async def client_disconnects(stage: Stage) -> None:
    """Disconnect by the client, of its namespace"""
    client = await stage.client()
    await client.disconnect()
    if not stage.lacks("own disconnect"):
        await stage.check_reason(client, CLIENT_LEFT)
    assert await stage.server.reason(client.id) in stage.goodbyes()


@scenario("semantics 2, transport close")
async def client_closes_the_connection(stage: Stage) -> None:
    """Connection closed by the client"""
    client = await stage.client("/", "/custom")
    await client.close()
    for namespace in ("/", "/custom"):
        await stage.check_reason(client, CLOSED, namespace)
        assert await stage.server.reason(client.ids[namespace]) == "transport close"
