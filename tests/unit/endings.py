"""The ways in which a session can end, for tests of what is left of it then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer, get_socketio_server
from sio.engineio.registry import registry
from sio.engineio.state import Reason
from tests.asgi import Poller, Request, WebSocket, request
from tests.client import SocketIOClient

#: Longer than all timeouts of a session, one after the other, in seconds of virtual time.
A_WHILE = 300

Note = Callable[[Any], None]
Ending = Callable[[Any], Awaitable[None]]
ENDINGS: dict[str, Ending] = {}


class Data(dict[str, Any]):
    """What an application keeps. Unlike a dict, it can be the target of a weak reference."""


class Consumer(SocketIOConsumer):
    """Does what `auth` and the events of its clients say. `note` is told of all that should be gone afterwards."""

    namespace = "/test"
    note: Note

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.socket = socket  # as many applications do
        socket.data = Data()
        self._note_all(socket)
        await socket.join("room")
        if "hang" in auth:
            await asyncio.sleep(auth["hang"])
        if "raise" in auth:
            raise LookupError(socket)
        if "refuse" in auth:
            raise ConnectionRefused("no", {"why": "no"}) from LookupError(socket)
        await socket.emit("welcome", callback=self.take_ack)
        return "deny" not in auth

    def _note_all(self, socket: NamespaceSocket) -> None:
        client = socket._client
        for thing in (self, socket, socket.data, socket._worker, client, client._parser, client.eio):
            type(self).note(thing)
        type(self).note(client.eio.session)
        type(self).note(asyncio.current_task())

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        type(self).note(asyncio.current_task())
        await asyncio.sleep(0.01)

    async def take_ack(self, *args: Any) -> None:
        type(self).note(asyncio.current_task())

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        type(self).note(asyncio.current_task())
        return args

    async def event_work(self, socket: NamespaceSocket, seconds: float) -> None:
        type(self).note(asyncio.current_task())
        await asyncio.sleep(seconds)
        await socket.emit("done")

    async def event_ask(self, socket: NamespaceSocket, ack: Any = None) -> None:
        await ack(await socket.call("question", timeout=20))

    async def event_raise(self, socket: NamespaceSocket) -> None:
        raise LookupError(socket)

    async def event_give_up(self, socket: NamespaceSocket) -> None:
        _cancel_this_task()
        await asyncio.sleep(1)

    async def event_fill(self, socket: NamespaceSocket) -> None:
        for _ in range(20):
            await socket.emit("burst", "x" * 1_000_000)

    async def event_bye(self, socket: NamespaceSocket, close: bool) -> None:
        await socket.disconnect(close=close)


def _cancel_this_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


def ending(function: Ending) -> Ending:
    ENDINGS[function.__name__] = function
    return function


async def poller(app: Any, auth: str = "") -> Poller:
    """A client on polling that asked for the namespace."""
    client = Poller(app)
    await client.open()
    assert (await client.post("40/test," + auth)).status == 200
    return client


async def member(app: Any) -> Poller:
    """A client on polling that has joined."""
    client = await poller(app)
    assert (await client.get()).text.startswith("40/test,")
    return client


async def websocket(app: Any, auth: Any = None) -> SocketIOClient:
    """A client on WebSocket that asked for the namespace."""
    client = await SocketIOClient(app).open()
    client.send("0", "/test", auth)
    return client


async def joined(app: Any) -> SocketIOClient:
    """A client on WebSocket that has joined."""
    client = await websocket(app)
    assert (await client.receive()).startswith("0/test,")
    assert (await client.receive()).startswith("2/test,")
    return client


async def upgraded(app: Any) -> SocketIOClient:
    """A client that has joined, and moved from polling to WebSocket."""
    client = SocketIOClient(app)
    client.websocket = await probing(app, await member(app))
    client.websocket.send("5")
    return client


async def probing(app: Any, client: Poller) -> WebSocket:
    candidate = WebSocket(app, client.sid)
    await candidate.connect()
    candidate.send("2probe")
    assert await candidate.receive() == "3probe"
    return candidate


async def leave(client: SocketIOClient | WebSocket) -> None:
    candidate = client.websocket if isinstance(client, SocketIOClient) else client
    candidate.disconnect()
    await candidate.finished()


async def begun(waiting: Request) -> Request:
    """The request has come as far as it comes by itself."""
    await asyncio.sleep(0.01)
    return waiting


# Refused


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
    for socket in registry:
        socket.end(Reason.SERVER_SHUTTING_DOWN)
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


# Upgraded


@ending
async def upgrade(app: Any) -> None:
    client = await upgraded(app)
    client.emit("/test", "echo", "hello", ack_id=1)
    await client.received('3/test,1["hello"]')
    await leave(client)


@ending
async def upgrade_while_a_poll_waits(app: Any) -> None:
    client = await member(app)
    waiting = await begun(client.get())
    candidate = await probing(app, client)
    assert (await waiting).text == "6"
    waiting = await begun(client.get())
    candidate.send("5")
    await waiting
    await leave(candidate)


@ending
async def upgrade_that_fails(app: Any) -> None:
    client = await member(app)
    await leave(await probing(app, client))
    await client.post("1")


@ending
async def upgrade_that_takes_too_long(app: Any) -> None:
    client = await member(app)
    candidate = await probing(app, client)
    await asyncio.sleep(11)
    await candidate.finished()


@ending
async def upgrade_of_what_ends_meanwhile(app: Any) -> None:
    client = await member(app)
    candidate = await probing(app, client)
    await client.post("1")
    await candidate.finished()


# Cut


@ending
async def poll_that_is_cut(app: Any) -> None:
    waiting = await begun((await member(app)).get())
    waiting.disconnect()
    await waiting


@ending
async def post_that_is_cut(app: Any) -> None:
    client = await member(app)
    post = request(app, "POST", f"EIO=4&transport=polling&sid={client.sid}", None)
    post.send_body(b'42/test,["ec', more_body=True)
    await begun(post)
    post.disconnect()
    await post


@ending
async def post_whose_session_ends(app: Any) -> None:
    client = await member(app)
    post = request(app, "POST", f"EIO=4&transport=polling&sid={client.sid}", None)
    await begun(post)
    waiting = await begun(client.get())
    waiting.disconnect()
    await waiting
    post.disconnect()
    await post


@ending
async def websocket_that_is_cut(app: Any) -> None:
    await leave(await joined(app))


@ending
async def websocket_that_is_cut_while_it_writes(app: Any) -> None:
    client = await joined(app)
    client.websocket.taken.clear()
    client.emit("/test", "fill")
    await asyncio.sleep(0.01)
    await leave(client)


@ending
async def websocket_whose_send_fails(app: Any) -> None:
    client = await joined(app)
    client.websocket.send_error = OSError()
    client.emit("/test", "echo", ack_id=1)
    await client.websocket.finished()
    client.websocket.send_error = None


@ending
async def websocket_whose_send_fails_late(app: Any) -> None:
    client = await joined(app)
    client.websocket.taken.clear()
    client.emit("/test", "echo", ack_id=1)
    await asyncio.sleep(0.01)
    client.websocket.late_error = OSError()
    client.websocket.taken.set()
    await client.websocket.finished()
    client.websocket.late_error = None


@ending
async def slow_consumer(app: Any) -> None:
    client = await joined(app)
    client.websocket.taken.clear()
    await asyncio.sleep(0.01)
    for _ in range(40):
        await get_socketio_server().emit("news", "x" * 1_000_000, namespace="/test")
    await asyncio.sleep(2)
    client.websocket.disconnect()
    await client.websocket.finished()


@ending
async def request_that_the_server_cancels(app: Any) -> None:
    waiting = await begun((await member(app)).get())
    client = await joined(app)
    for task in (waiting.task, client.websocket.task):
        assert task is not None
        task.cancel()
        await asyncio.wait([task])
    # Their exceptions have the frames that they came through.
    client.websocket.task = None
    del waiting.task


# Timed out


@ending
async def polling_that_joins_nothing(app: Any) -> None:
    await Poller(app).open()


@ending
async def websocket_that_joins_nothing(app: Any) -> None:
    client = await SocketIOClient(app).open()
    await asyncio.sleep(0.01)
    del client


@ending
async def polling_that_falls_silent(app: Any) -> None:
    await begun((await member(app)).get())


@ending
async def websocket_that_falls_silent(app: Any) -> None:
    client = await joined(app)
    await asyncio.sleep(A_WHILE)
    await client.websocket.finished()


@ending
async def attachments_that_do_not_come(app: Any) -> None:
    client = await joined(app)
    client.websocket.send('451-/test,["echo",{"_placeholder":true,"num":0}]')
    await asyncio.sleep(0.01)
    await leave(client)


# With something that still runs


@ending
async def handler_that_runs_on(app: Any) -> None:
    for client in (await joined(app), await upgraded(app)):
        client.emit("/test", "work", 60, ack_id=1)
        client.emit("/test", "echo", {"waits": "in the queue"})
        await asyncio.sleep(0.01)
        await leave(client)


@ending
async def polling_handler_that_runs_on(app: Any) -> None:
    client = await member(app)
    await client.post('42/test,1["work",60]\x1e42/test,["echo",{}]')
    await client.post("1")


@ending
async def handler_that_asks(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "ask", ack_id=1)
    assert (await client.receive()).startswith("2/test,")
    await leave(client)


@ending
async def handler_that_asks_in_vain(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "ask", ack_id=1)
    await asyncio.sleep(21)
    await leave(client)


@ending
async def handler_that_is_answered(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "ask", ack_id=1)
    ack_id = (await client.receive()).removeprefix("2/test,").partition("[")[0]
    client.send("3", "/test", [1], ack_id)
    await client.received("3/test,1[1]")
    await leave(client)


@ending
async def handler_that_raises(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "raise", ack_id=1)
    client.emit("/test", "give_up", ack_id=2)
    client.emit("/test", "echo", ack_id=3)
    await client.received("3/test,3[]")
    await leave(client)


@ending
async def connect_hook_that_runs_on(app: Any) -> None:
    client = await websocket(app, {"hang": 3})
    await asyncio.sleep(0.01)
    await leave(client)
    await (await poller(app, '{"hang":3}')).post("1")


@ending
async def connect_hook_that_never_ends(app: Any) -> None:
    client = await websocket(app, {"hang": 1_000_000})
    await asyncio.sleep(0.01)
    await leave(client)


@ending
async def full_queue(app: Any) -> None:
    client = await joined(app)
    client.emit("/test", "work", 1)
    for number in range(30):
        client.emit("/test", "echo", number)
    await asyncio.sleep(0.01)
    await leave(client)


@ending
async def full_queue_of_a_post(app: Any) -> None:
    client = await member(app)
    events = "\x1e".join(['42/test,["work",5]', *['42/test,["echo"]'] * 30])
    post = await begun(client.post(events))
    post.disconnect()
    await post


# Before there is a session


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
        assert (await request(app, "GET", "EIO=4&transport=polling", headers=headers)).status == 403
        assert (await WebSocket(app, headers=headers).connect())["type"] == "websocket.close"


@ending
async def handshake_of_a_client_that_leaves(app: Any) -> None:
    headers = [(b"x-wish", b"later")]
    asking = request(app, "GET", "EIO=4&transport=polling", headers=headers)
    candidate = WebSocket(app, headers=headers)
    connecting = asyncio.ensure_future(candidate.connect())
    await asyncio.sleep(0.01)
    asking.disconnect()
    candidate.disconnect()
    await asyncio.gather(asking.task, candidate.finished(), connecting)
