"""Middleware that wraps `send`: it may care in which task it runs, and what it raises is no client that left."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from django.test import override_settings

from sio.engineio import CloseReason, set_engineio_app
from sio.engineio.protocol.packets import EncodedPacket
from tests.asgi import APP, Poller, WebSocket, http_scope, request
from tests.pace import TIMEOUT
from tests.sessions import sessions
from tests.unit.engineio.applications import Recorder
from tests.unit.engineio.clients import failed, leave

Send = Callable[[Any], Awaitable[None]]
FAST_HEARTBEAT = override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=20, SIO_ENGINEIO_PING_TIMEOUT_MS=2_000)


@pytest.fixture
async def recorder() -> Recorder:
    app = Recorder()
    set_engineio_app(app)
    return app


def around(wrap: Callable[[Send, Any], Awaitable[None]]) -> Any:
    """The application, with middleware around `send`."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await APP(scope, receive, functools.partial(wrap, send))

    return application


async def with_timeout(send: Send, message: Any) -> None:
    async with asyncio.timeout(60):
        await asyncio.sleep(0)
        await send(message)


async def with_expired_timeout(send: Send, message: Any) -> None:
    """It is cancelled by its own time-out, which is nobody else's business."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    await send(message)


async def with_task_group(send: Send, message: Any) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send(message))  # type: ignore[arg-type]


async def with_scope(send: Send, message: Any) -> None:
    with anyio.fail_after(60):
        await anyio.lowlevel.checkpoint()
        await send(message)


async def with_expired_scope(send: Send, message: Any) -> None:
    with anyio.move_on_after(0):
        await anyio.sleep(60)
    await send(message)


async def with_nursery(send: Send, message: Any) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, message)


async def without_wait(send: Send, message: Any) -> None:
    async with asyncio.timeout(60):
        with anyio.CancelScope():
            await send(message)


async def in_current_task(send: Send, message: Any) -> None:
    task = asyncio.current_task()
    assert task is not None
    assert asyncio.current_task() in asyncio.all_tasks()
    await send(message)


MIDDLEWARE = [
    with_timeout,
    with_expired_timeout,
    with_task_group,
    with_scope,
    with_expired_scope,
    with_nursery,
    without_wait,
    in_current_task,
]


@pytest.fixture(params=MIDDLEWARE, ids=lambda wrap: wrap.__name__)
async def websocket(request: pytest.FixtureRequest, recorder: Recorder) -> AsyncIterator[WebSocket]:
    """A client behind middleware, whose server pings often."""
    with FAST_HEARTBEAT:
        client = WebSocket(around(request.param))
        await client.open()
        yield client
        await leave(client)
    assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]


async def messages(websocket: WebSocket, count: int) -> list[str]:
    """Receives messages, and answers pings."""
    received: list[str] = []
    while len(received) < count:
        frame = await websocket.receive()
        if frame == "2":
            websocket.send("3")
        else:
            received.append(frame)
    return received


class TestScopes:
    async def test_ping_of_a_timer_is_sent(self, websocket: WebSocket) -> None:
        for _ in range(3):
            assert await websocket.receive() == "2"
            websocket.send("3")

    async def test_messages_keep_their_order(self, websocket: WebSocket, recorder: Recorder) -> None:
        for number in range(50):
            recorder.socket.send(str(number))
            if number % 10 == 0:
                await asyncio.sleep(0)
        assert await messages(websocket, 50) == [f"4{number}" for number in range(50)]

    async def test_task_that_sends_may_end_or_be_cancelled(self, websocket: WebSocket, recorder: Recorder) -> None:
        websocket.taken.clear()

        async def emit() -> None:
            recorder.socket.send("a")
            await asyncio.Event().wait()

        emitter = asyncio.ensure_future(emit())
        await asyncio.sleep(0)
        emitter.cancel()
        await asyncio.wait([emitter])
        websocket.taken.set()
        assert await messages(websocket, 1) == ["4a"]

    async def test_task_that_sends_is_not_that_of_the_middleware(self, recorder: Recorder) -> None:
        tasks: list[Any] = []

        async def note(send: Send, message: Any) -> None:
            tasks.append(asyncio.current_task())
            await send(message)

        client = WebSocket(around(note))
        await client.open()
        tasks.clear()
        recorder.socket.send("a")
        asyncio.get_running_loop().call_soon(recorder.socket.send, "b")
        assert await messages(client, 2) == ["4a", "4b"]
        assert all(isinstance(task, asyncio.Task) for task in tasks)
        assert asyncio.current_task() not in tasks
        await leave(client)

    async def test_timeout_of_middleware_cancels_nobody_else(
        self, recorder: Recorder, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def hasty(send: Send, message: Any) -> None:
            async with asyncio.timeout(0.01):
                await send(message)

        client = WebSocket(around(hasty))
        await client.open()
        client.taken.clear()
        recorder.socket.send("a")
        assert isinstance(await failed(client), TimeoutError)
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
        assert caplog.messages == ["A WebSocket of ('127.0.0.1', 1234) failed: TimeoutError()"]

    async def test_message_may_be_changed_for_one_of_its_receivers(self, recorder: Recorder) -> None:
        async def stamp(send: Send, message: Any) -> None:
            if "text" in message:
                message["text"] += "!"
            await send(message)

        changed, plain = WebSocket(around(stamp)), WebSocket(APP)
        await changed.connect()
        await changed.receive()
        first = recorder.socket
        await plain.open()
        packets = [EncodedPacket.message("a")]
        first.send_packets(packets)
        recorder.socket.send_packets(packets)
        assert (await changed.receive(), await plain.receive()) == ("4a!", "4a")


class Failing:
    """Middleware that raises instead of sending messages of a type, as soon as the test says so."""

    def __init__(self, *types: str, late: bool = False) -> None:
        self.types = types
        self.late = late
        self.is_on = True

    async def __call__(self, send: Send, message: Any) -> None:
        if self.late:
            await asyncio.sleep(0)
        if self.is_on and message["type"] in self.types:
            raise LookupError("middleware")
        await send(message)


class TestErrors:
    @pytest.mark.parametrize("late", [False, True])
    async def test_on_a_websocket(self, late: bool, recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
        failing = Failing("websocket.send", late=late)
        failing.is_on = False
        client = WebSocket(around(failing))
        await client.open()
        failing.is_on = True
        recorder.socket.send("a")
        # To the server, which closes the WebSocket as it does after any error.
        assert isinstance(await failed(client), LookupError)
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
        assert caplog.messages == ["A WebSocket of ('127.0.0.1', 1234) failed: LookupError('middleware')"]

    @pytest.mark.parametrize("type_", ["websocket.accept", "websocket.close"])
    async def test_while_a_websocket_opens_or_closes(self, type_: str, recorder: Recorder) -> None:
        client = WebSocket(around(Failing(type_)))
        connecting = asyncio.ensure_future(client.connect())
        if type_ == "websocket.close":
            await connecting
            recorder.socket.end(CloseReason.FORCED_CLOSE)
        async with asyncio.timeout(TIMEOUT):
            while client.task is None:
                await asyncio.sleep(0.001)
        assert isinstance(await failed(client), LookupError)
        assert (len(recorder.reasons), len(sessions)) == (1, 0)
        connecting.cancel()

    async def test_of_a_websocket_that_probes_leaves_polling_untouched(self, recorder: Recorder) -> None:
        poller = Poller(APP)
        await poller.open()
        client = WebSocket(around(Failing("websocket.send")), poller.sid)
        await client.connect()
        client.send("2probe")
        assert isinstance(await failed(client), LookupError)
        assert recorder.reasons == []
        await poller.post("4x")
        assert recorder.socket.is_open

    @pytest.mark.parametrize("type_", ["http.response.start", "http.response.body"])
    @pytest.mark.parametrize("action", ["open", "get", "post"])
    async def test_on_polling(
        self, action: str, type_: str, recorder: Recorder, caplog: pytest.LogCaptureFixture
    ) -> None:
        failing = Failing(type_)
        failing.is_on = False
        poller = Poller(around(failing))
        if action != "open":
            await poller.open()
            recorder.socket.send("a")
        failing.is_on = True
        # To the server, which answers with 500: no request waits for ever.
        with pytest.raises(LookupError):
            await {"open": poller.open, "get": poller.get, "post": lambda: poller.post("4x")}[action]()
        # What was in the answer is lost, and the client learns that its session is.
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
        method = "POST" if action == "post" else "GET"
        assert caplog.messages == [f"A {method} request of ('127.0.0.1', 1234) failed: LookupError('middleware')"]

    async def test_of_a_refusal_reaches_the_server(self, recorder: Recorder) -> None:
        app = around(Failing("http.response.start"))
        with pytest.raises(LookupError):
            await request(app, "GET", "EIO=3&transport=polling")
        assert recorder.reasons == []

    async def test_of_receive_ends_the_session(self, recorder: Recorder) -> None:
        poller = Poller(APP)
        await poller.open()

        async def fail() -> Any:
            raise LookupError("middleware")

        with pytest.raises(LookupError):
            await APP(http_scope("POST", f"EIO=4&transport=polling&sid={poller.sid}"), fail, fail)
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
