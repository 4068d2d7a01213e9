"""What clients do, for an ASGI server to cancel one of their requests meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sio import get_socketio_server
from tests.asgi import Poller, Request, WebSocket
from tests.client import SocketIOClient
from tests.unit.engineio.clients import begun, leave, open_post


class Visit:
    """One client of the application. `app` serves all its requests but the one that comes to `cancelling`."""

    def __init__(self, app: Any, cancelling: Any) -> None:
        self.app = app
        self.cancelling = cancelling
        #: Set once it has a session on polling.
        self.poller: Poller | None = None
        #: Its poll that waits, or did.
        self.waiting: Request | None = None
        #: Its WebSocket that probes, or did.
        self.websocket: WebSocket | None = None

    async def open(self) -> Poller:
        """Opens a session on polling."""
        self.poller = Poller(self.app)
        await self.poller.open()
        return self.poller

    async def join(self) -> Poller:
        """Opens one, and joins the namespace."""
        poller = await self.open()
        await poller.post("40/test,")
        assert (await poller.get()).text.startswith('40/test,{"sid"')
        return poller

    async def poll(self) -> Request:
        """Joins, and waits with a poll."""
        self.waiting = await begun((await self.join()).get())
        return self.waiting

    def cancelled(self) -> Poller:
        """The same client, for the request that is cancelled."""
        assert self.poller is not None
        poller = Poller(self.cancelling)
        poller.sid = self.poller.sid
        return poller

    async def probe(self, app: Any) -> WebSocket:
        """Has a WebSocket probe for the session."""
        assert self.poller is not None
        # Known before it has probed: its request may be cancelled meanwhile.
        self.websocket = websocket = WebSocket(app, self.poller.sid)
        await websocket.connect()
        websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        return websocket


class StuckWebSocket(WebSocket):
    """A WebSocket whose client stops reading after the open packet and the first one that follows."""

    async def _send(self, message: dict[str, Any]) -> None:
        await super()._send(message)
        if self._outgoing.qsize() > 1 and message["type"] == "websocket.send":
            await asyncio.get_running_loop().create_future()


async def emit() -> None:
    await get_socketio_server().emit("news", namespace="/test")


Scenario = Callable[[Visit], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


# Connect


@scenario
async def connect_by_polling(visit: Visit) -> None:
    await Poller(visit.cancelling).open()


@scenario
async def connect_by_websocket(visit: Visit) -> None:
    client = await SocketIOClient(visit.cancelling).open()
    await client.connect("/test")
    client.emit("/test", "echo", "hello", ack_id=1)
    await client.received('3/test,1["hello"]')
    await leave(client.websocket)


@scenario
async def client_that_leaves_while_the_hook_decides(visit: Visit) -> None:
    client = await SocketIOClient(visit.cancelling).open()
    client.send("0", "/test")
    await asyncio.sleep(0.005)
    await leave(client.websocket)


# Poll


@scenario
async def poll_that_waits(visit: Visit) -> None:
    await visit.join()
    waiting = await begun(visit.cancelled().get())
    await emit()
    assert (await waiting).text == '42/test,["news"]'


@scenario
async def poll_that_is_answered_at_once(visit: Visit) -> None:
    await visit.join()
    await emit()
    assert (await visit.cancelled().get()).text == '42/test,["news"]'


@scenario
async def poll_of_a_client_that_leaves(visit: Visit) -> None:
    await visit.join()
    waiting = await begun(visit.cancelled().get())
    waiting.disconnect()
    await waiting


@scenario
async def poll_that_overlaps(visit: Visit) -> None:
    first = await visit.poll()
    assert (await visit.cancelled().get()).status == 400
    await first


# POST


@scenario
async def post_that_joins(visit: Visit) -> None:
    await visit.open()
    assert (await visit.cancelled().post("40/test,")).text == "ok"


@scenario
async def post_in_pieces(visit: Visit) -> None:
    await visit.join()
    post = open_post(visit.cancelled())
    post.send_body(b'42/test,["ec', more_body=True)
    await begun(post)
    post.send_body(b'ho"]\x1e42/test,1["echo",1]')
    assert (await post).text == "ok"


@scenario
async def post_that_fills_the_queue(visit: Visit) -> None:
    """It waits until its events are handled."""
    await visit.join()
    assert (await visit.cancelled().post("\x1e".join(['42/test,["echo"]'] * 20))).text == "ok"


@scenario
async def post_of_a_client_that_leaves(visit: Visit) -> None:
    await visit.join()
    post = visit.cancelled().post("\x1e".join(['42/test,["echo"]'] * 20))
    await begun(post)
    post.disconnect()
    await post


@scenario
async def post_of_what_is_malformed(visit: Visit) -> None:
    await visit.join()
    await visit.cancelled().post('42/test,["echo"]\x1ex')


# Upgrade


@scenario
async def upgrade(visit: Visit) -> None:
    waiting = await visit.poll()
    websocket = await visit.probe(visit.cancelling)
    assert (await waiting).text == "6"
    websocket.send("5")
    websocket.send('42/test,1["echo","hello"]')
    assert await websocket.receive() == '43/test,1["hello"]'
    await leave(websocket)


@scenario
async def upgrade_that_fails(visit: Visit) -> None:
    await visit.join()
    await leave(await visit.probe(visit.cancelling))


@scenario
async def upgrade_that_takes_too_long(visit: Visit) -> None:
    await visit.join()
    websocket = await visit.probe(visit.cancelling)
    await asyncio.sleep(11)
    await websocket.finished()


@scenario
async def upgrade_while_the_server_closes(visit: Visit) -> None:
    poller = await visit.join()
    websocket = await visit.probe(visit.cancelling)
    await poller.post('42/test,["bye"]')
    await asyncio.sleep(0.01)
    websocket.send("5")
    assert await websocket.receive() == "41/test,"
    await websocket.closed()


@scenario
async def poll_during_an_upgrade(visit: Visit) -> None:
    await visit.join()
    waiting = await begun(visit.cancelled().get())
    websocket = await visit.probe(visit.app)
    assert (await waiting).text == "6"
    websocket.send("5")
    await leave(websocket)


@scenario
async def poll_that_an_upgrade_ends(visit: Visit) -> None:
    await visit.join()
    waiting = await begun(visit.cancelled().get())
    websocket = await visit.probe(visit.app)
    websocket.send("5")
    assert (await waiting).text == "1"
    await leave(websocket)


# Close


@scenario
async def close_of_the_client(visit: Visit) -> None:
    waiting = await visit.poll()
    assert (await visit.cancelled().post("1")).text == "ok"
    assert (await waiting).text == "6"


@scenario
async def poll_when_the_client_closes(visit: Visit) -> None:
    poller = await visit.join()
    waiting = await begun(visit.cancelled().get())
    await poller.post("1")
    assert (await waiting).text == "6"


@scenario
async def poll_when_the_server_closes(visit: Visit) -> None:
    poller = await visit.join()
    waiting = await begun(visit.cancelled().get())
    await poller.post('42/test,["bye"]')
    assert (await waiting).text == "41/test,"


@scenario
async def poll_that_takes_the_close(visit: Visit) -> None:
    poller = await visit.join()
    await poller.post('42/test,["bye"]')
    assert (await poller.get()).text == "41/test,"
    assert (await visit.cancelled().get()).packets[-1] == "1"


@scenario
async def websocket_that_the_server_closes(visit: Visit) -> None:
    client = await SocketIOClient(visit.cancelling).open()
    await client.connect("/test")
    client.emit("/test", "bye")
    await client.received("1/test,")
    await client.websocket.closed()


@scenario
async def websocket_that_falls_silent(visit: Visit) -> None:
    client = await SocketIOClient(visit.cancelling).open()
    await client.connect("/test")
    await asyncio.sleep(46)
    await client.websocket.finished()


@scenario
async def websocket_that_is_stuck(visit: Visit) -> None:
    client = SocketIOClient(visit.cancelling)
    client.websocket = StuckWebSocket(visit.cancelling)
    await client.open()
    await client.connect("/test")
    await emit()
    await emit()
    await asyncio.sleep(46)
    await client.websocket.finished()
