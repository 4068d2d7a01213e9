"""Handshakes and namespaces that are refused."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.asgi import WebSocket, request
from tests.client import SocketIOClient
from tests.unit.engineio.clients import HANDSHAKE, leave, status

from .clients import poller, websocket
from .table import ending


@ending
async def wrong_requests(app: Any) -> None:
    assert (await request(app, "GET", "EIO=3&transport=polling")).status == 400
    assert (await request(app, "GET", "EIO=4&transport=polling&sid=nobody")).status == 400
    assert (await WebSocket(app, "nobody").connect())["type"] == "websocket.close"


@ending
async def polling_refused_by_the_hook(app: Any) -> None:
    for auth in ('{"deny":1}', '{"refuse":1}', '{"raise":1}'):
        assert (await (await poller(app, auth)).get()).text.startswith("44/test,")


@ending
async def websocket_refused_by_the_hook(app: Any) -> None:
    for auth in ({"deny": 1}, {"refuse": 1}, {"raise": 1}):
        client = await websocket(app, auth)
        assert (await client.receive()).startswith("4/test,")
        await leave(client)


@ending
async def unknown_namespace(app: Any) -> None:
    client = await SocketIOClient(app).open()
    client.send("0", "/unknown")
    assert (await client.receive()).startswith("4/unknown,")
    await leave(client)


@ending
async def websocket_that_cannot_be_accepted(app: Any) -> None:
    candidate = WebSocket(app)
    candidate.send_error = OSError()
    connecting = asyncio.ensure_future(candidate.connect())
    await asyncio.sleep(0.01)
    await candidate.finished()
    connecting.cancel()
    candidate.send_error = None


# By the application, before there is a session


def allow_request(scope: Any) -> Any:
    """SIO_ALLOW_REQUEST: does what a header says."""
    wish = dict(scope["headers"]).get(b"x-wish")
    if wish == b"error":
        raise LookupError(scope)
    return _refuse(scope) if wish == b"later" else wish is None


async def _refuse(scope: Any) -> bool:
    await asyncio.sleep(1)
    return False


@ending
async def handshake_that_the_application_refuses(app: Any) -> None:
    for wish in (b"no", b"later", b"error"):
        headers = [(b"x-wish", wish)]
        assert await status(app, headers) == 403
        assert (await WebSocket(app, headers=headers).connect())["type"] == "websocket.close"


@ending
async def handshake_of_a_client_that_leaves(app: Any) -> None:
    headers = [(b"x-wish", b"later")]
    asking = request(app, "GET", HANDSHAKE, headers=headers)
    candidate = WebSocket(app, headers=headers)
    connecting = asyncio.ensure_future(candidate.connect())
    await asyncio.sleep(0.01)
    asking.disconnect()
    candidate.disconnect()
    await asyncio.gather(asking.task, candidate.finished(), connecting)
