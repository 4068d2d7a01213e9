"""Sessions and namespaces that are closed by the client or the server, or for what the client sent."""

from __future__ import annotations

from typing import Any

from sio import get_socketio_server
from sio.engineio.protocol.state import CloseReason
from tests.sessions import sessions
from tests.unit.engineio.clients import begun, leave

from .clients import joined, member
from .table import ending

# Closed by the client


@ending
async def polling_closed_by_the_client(app: Any) -> None:
    client = await member(app)
    waiting = await begun(client.get())
    assert (await client.post("1")).text == "ok"
    assert (await waiting).text == "6"


@ending
async def websocket_closed_by_the_client(app: Any) -> None:
    client = await joined(app)
    client.websocket.send("1")
    await client.websocket.closed()


@ending
async def namespace_left_by_the_client(app: Any) -> None:
    client = await joined(app)
    client.send("1", "/test")
    client.send("0", "/test")
    assert (await client.receive()).startswith("0/test,")
    await leave(client)


# Closed by the server


@ending
async def polling_closed_by_the_server(app: Any) -> None:
    client = await member(app)
    await client.post('42/test,["bye",true]')
    assert "41/test," in (await client.get()).text
    assert (await client.get()).packets[-1] == "1"


@ending
async def websocket_closed_by_the_server(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "bye", True)
    await client.received("1/test,")
    await client.websocket.closed()


@ending
async def namespace_closed_by_the_server(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "bye", False)
    await client.received("1/test,")
    await leave(client)


@ending
async def closed_with_the_server(app: Any) -> None:
    await member(app)
    client = await joined(app)
    await get_socketio_server().close()
    await client.websocket.closed()


@ending
async def shut_down(app: Any) -> None:
    first, client = await member(app), await joined(app)
    waiting = await begun(first.get())
    for socket in sessions:
        socket.end(CloseReason.SERVER_SHUTTING_DOWN)
    del socket
    await client.websocket.closed()
    assert (await waiting).packets[-1] == "1"


# Malformed


@ending
async def polling_that_is_malformed(app: Any) -> None:
    assert (await (await member(app)).post('42/test,["echo"]\x1ex')).status == 200


@ending
async def websocket_that_is_malformed(app: Any) -> None:
    for frame in ("x", "49", '42/test,["echo",NaN]', b"unannounced", '42/nowhere,["echo"]', "4" + "x" * 1_000_000):
        client = await joined(app)
        client.websocket.send(frame)
        await client.websocket.closed()


@ending
async def poll_that_overlaps(app: Any) -> None:
    client = await member(app)
    waiting = await begun(client.get())
    assert (await client.get()).status == 400
    await waiting
