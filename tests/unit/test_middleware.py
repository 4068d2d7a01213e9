"""Middleware that wraps `send`: it may care in which task it runs, and what it raises is no client that left."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from channels.sessions import InstanceSessionWrapper
from daphne.server import Server as Daphne
from django.test import override_settings
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sio.engineio import EngineIOApplication, EngineIOSocket, set_engineio_app
from sio.engineio.registry import registry
from sio.engineio.servers import is_gone, is_plain
from sio.engineio.state import Reason
from tests.asgi import APP, Poller, WebSocket, http_scope, request
from tests.pace import TIMEOUT

Send = Callable[[Any], Awaitable[None]]
FAST_HEARTBEAT = override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=20, SIO_ENGINEIO_PING_TIMEOUT_MS=2_000)


class Recorder(EngineIOApplication):
    """Keeps the last session, and how all ended."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []

    def on_connect(self, socket: EngineIOSocket) -> None:
        self.socket = socket

    def on_disconnect(self, socket: EngineIOSocket, reason: Reason) -> None:
        self.reasons.append(reason)


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
        client.disconnect()
        await client.finished()
    assert recorder.reasons == [Reason.TRANSPORT_CLOSE]


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
        client.disconnect()
        await client.finished()

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
        assert client.task is not None
        await asyncio.wait([client.task], timeout=TIMEOUT)
        assert isinstance(client.task.exception(), TimeoutError)
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]
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
        packets = [_packet("a")]
        first.send_packets(packets)
        recorder.socket.send_packets(packets)
        assert (await changed.receive(), await plain.receive()) == ("4a!", "4a")


def _packet(text: str) -> Any:
    from sio.engineio.packets import EncodedPacket

    return EncodedPacket.message(text)


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
        assert client.task is not None
        await asyncio.wait([client.task], timeout=TIMEOUT)
        # To the server, which closes the WebSocket as it does after any error.
        assert isinstance(client.task.exception(), LookupError)
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]
        assert caplog.messages == ["A WebSocket of ('127.0.0.1', 1234) failed: LookupError('middleware')"]

    @pytest.mark.parametrize("type_", ["websocket.accept", "websocket.close"])
    async def test_while_a_websocket_opens_or_closes(self, type_: str, recorder: Recorder) -> None:
        client = WebSocket(around(Failing(type_)))
        connecting = asyncio.ensure_future(client.connect())
        if type_ == "websocket.close":
            await connecting
            recorder.socket.end(Reason.FORCED_CLOSE)
        async with asyncio.timeout(TIMEOUT):
            while client.task is None:
                await asyncio.sleep(0.001)
        await asyncio.wait([client.task], timeout=TIMEOUT)
        assert isinstance(client.task.exception(), LookupError)
        assert (len(recorder.reasons), len(registry)) == (1, 0)
        connecting.cancel()

    async def test_of_a_websocket_that_probes_leaves_polling_untouched(self, recorder: Recorder) -> None:
        poller = Poller(APP)
        await poller.open()
        client = WebSocket(around(Failing("websocket.send")), poller.sid)
        await client.connect()
        client.send("2probe")
        assert client.task is not None
        await asyncio.wait([client.task], timeout=TIMEOUT)
        assert isinstance(client.task.exception(), LookupError)
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
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]
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
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]


class Disconnected(OSError):
    """As the ASGI specification has it for a server that nobody knows."""


class TestServers:
    @pytest.mark.parametrize(
        "error",
        [
            ClientDisconnected(),
            Disconnected(),
            OSError("gone"),
            ConnectionResetError(104, "Connection reset by peer"),
            BrokenPipeError(),
            RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close' or response …"),
            RuntimeError("unable to perform operation on <TCPTransport closed=True …>; the handler is closed"),
            RuntimeError("ASGI flow error: Connection already upgraded"),
        ],
    )
    def test_client_is_gone(self, error: Exception) -> None:
        assert is_gone(in_current_task, error)

    @pytest.mark.parametrize(
        "error",
        [
            TimeoutError(),
            ConnectionRefusedError(),
            OSError(28, "No space left on device"),
            RuntimeError("Unexpected ASGI message 'http.response.body' sent, after response already completed."),
            RuntimeError("oops"),
            LookupError(),
            asyncio.CancelledError(),
        ],
    )
    def test_middleware_failed(self, error: BaseException) -> None:
        assert not is_gone(in_current_task, error)

    def test_send_of_a_server_is_plain(self) -> None:
        uvicorn: Any = WebSocketsSansIOProtocol.__new__(WebSocketsSansIOProtocol)
        daphne = functools.partial(Daphne.__new__(Daphne).handle_reply, "protocol")
        for send in (uvicorn.send, daphne):
            session = InstanceSessionWrapper({"cookies": {}}, send)
            assert [is_plain(send), is_plain(session.send)] == [True, True]
            assert is_gone(session.send, LookupError("whatever it is"))
            wrapped = functools.partial(with_timeout, send)
            assert [is_plain(wrapped), is_plain(InstanceSessionWrapper({"cookies": {}}, wrapped).send)] == [False] * 2

    def test_function_that_is_compiled_has_the_module_of_its_object(self) -> None:
        kind = type("ASGIWebsocketProtocol", (list,), {"__module__": "granian._granian"})
        assert is_plain(kind().append)
        assert not is_plain([].append)


@pytest.mark.parametrize(("type_", "expected"), [("websocket", True), ("http", False)])
def test_session_middleware_passes_on_what_is_sent_on_a_websocket_alone(type_: str, expected: bool) -> None:
    """On HTTP it saves the session first, and what that raises is no sign of a client that left."""

    async def send(message: Any) -> None:
        pass

    send.__module__ = "uvicorn.protocols"
    wrapper = InstanceSessionWrapper({"type": type_, "cookies": {}}, send)
    assert is_plain(send)
    assert is_plain(wrapper.send) is expected
    assert is_gone(wrapper.send, LookupError()) is expected


class Uvicorn(WebSocket):
    """A WebSocket that is refused: uvicorn takes another turn or two of the loop to close its connection."""

    def __init__(self, turns: int) -> None:
        super().__init__(APP, "no session", extensions={"websocket.http.response": {}})
        self.turns = turns

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.turns -= 1
            raise ClientDisconnected if self.turns < 0 else RuntimeError("Expected 'websocket.http.response.body'")
        await super()._send(message)


Uvicorn._send.__module__ = "uvicorn.protocols.websockets.websockets_sansio_impl"


@pytest.mark.parametrize(("turns", "left"), [(0, -1), (3, -1), (1000, 990)])
async def test_refusal_waits_for_uvicorn_to_close_the_connection(turns: int, left: int) -> None:
    websocket = Uvicorn(turns)
    assert (await websocket.connect())["status"] == 400
    await websocket.finished()
    assert websocket.turns == left


class Bare(WebSocket):
    """A WebSocket of a server, with nothing around the application."""

    async def _send(self, message: dict[str, Any]) -> None:
        await super()._send(message)


Bare._send.__module__ = "hypercorn.protocol.ws_stream"


class TestBareServer:
    """No task is needed for what is sent at once."""

    async def open(self) -> Bare:
        client = Bare(APP)
        await client.open()
        return client

    async def test_message_is_written_by_the_task_that_sends_it(self, recorder: Recorder) -> None:
        client = await self.open()
        before = asyncio.all_tasks()
        recorder.socket.send("a")
        assert asyncio.all_tasks() == before
        assert await client.receive() == "4a"
        client.disconnect()
        await client.finished()

    async def test_rest_of_one_that_waits_has_a_task(self, recorder: Recorder) -> None:
        client = await self.open()
        client.taken.clear()
        recorder.socket.send("a")
        recorder.socket.send("b")
        await asyncio.sleep(0)
        client.taken.set()
        assert [await client.receive(), await client.receive()] == ["4a", "4b"]
        client.disconnect()
        await client.finished()

    @pytest.mark.parametrize("size", [1, 1_000_001])
    @pytest.mark.parametrize("late", [False, True])
    async def test_whatever_it_raises_its_client_is_gone(
        self, late: bool, size: int, recorder: Recorder, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await self.open()
        if late:
            client.taken.clear()
            client.late_error = LookupError("a server")
        else:
            client.send_error = LookupError("a server")
        recorder.socket.send("x" * size)
        client.taken.set()
        await client.finished()
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]
        # But it may have a bound of its own.
        told = [message for message in caplog.messages if "too much for the server" in message]
        assert len(told) == (size > 1_000_000 and not late)
