"""Writing to a WebSocket: the sender writes what it takes at once, and a task the rest."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from sio.engineio import CloseReason
from sio.engineio.protocol.packets import EncodedPacket
from sio.engineio.writer import Writer
from tests.asgi import APP, WebSocket
from tests.unit.engineio.applications import Recorder
from tests.unit.engineio.clients import leave, turns


class TestWriting:
    async def test_send_that_fails_after_it_waited_is_a_client_that_left(
        self, websocket: WebSocket, recorder: Recorder
    ) -> None:
        websocket.taken.clear()
        websocket.late_error = OSError()
        recorder.socket.send("a")
        websocket.taken.set()
        await websocket.finished()
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]

    @pytest.mark.parametrize("error", [OSError(), asyncio.CancelledError()])
    async def test_send_that_fails_at_once_is_a_client_that_left(
        self, websocket: WebSocket, recorder: Recorder, error: BaseException
    ) -> None:
        websocket.send_error = error
        recorder.socket.send("a")
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]

    async def test_send_runs_in_the_context_of_its_connection(self, recorder: Recorder) -> None:
        span: contextvars.ContextVar[str] = contextvars.ContextVar("span", default="none")
        found: set[str] = set()
        left_behind: list[str] = []
        gate = asyncio.Event()

        async def traced(scope: Any, receive: Any, send: Any) -> None:
            async def traced_send(message: Any) -> None:
                found.add(span.get())
                token = span.set("sending")
                if message["type"] == "websocket.send":
                    await gate.wait()
                await send(message)
                span.reset(token)

            span.set("connection")
            await APP(scope, receive, traced_send)

        client = WebSocket(traced)
        await client.connect()
        gate.set()
        await client.receive()
        gate.clear()
        recorder.socket.send("a")
        left_behind.append(span.get())
        gate.set()
        assert await client.receive() == "4a"
        left_behind.append(span.get())
        assert (found, left_behind) == ({"connection"}, ["none", "none"])
        assert recorder.reasons == []


class Listener:
    """Notes what a writer tells its owner."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_writable(self) -> None:
        self.calls.append("writable")

    def on_write_failed(self, error: BaseException | None) -> None:
        self.calls.append(error)


class Sink:
    """The `send` of an ASGI server, or of middleware, that the test stops and lets fail."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.taken = asyncio.Event()
        self.taken.set()
        self.error: BaseException | None = None

    async def send(self, message: Any) -> None:
        if not self.taken.is_set():
            await self.taken.wait()
        if self.error is not None:
            raise self.error
        self.messages.append(message)


class ServerSink(Sink):
    """The `send` of an ASGI server."""

    async def send(self, message: Any) -> None:
        await super().send(message)


ServerSink.send.__module__ = "uvicorn.protocols"


@pytest.mark.parametrize("kind", [Sink, ServerSink], ids=["middleware", "server"])
class TestWriter:
    """The writer alone, on a server's own `send` and on one of middleware."""

    async def test_packet_that_is_taken_at_once_blocks_nothing(self, kind: type[Sink]) -> None:
        sink, listener = kind(), Listener()
        writer = Writer(sink.send, listener, 100)
        writer.write(EncodedPacket.message("a"))
        assert sink.messages == [{"type": "websocket.send", "text": "4a"}]
        assert (writer.is_blocked, listener.calls) == (False, [])

    async def test_packet_that_is_taken_later_blocks_until_then(self, kind: type[Sink]) -> None:
        sink, listener = kind(), Listener()
        writer = Writer(sink.send, listener, 100)
        sink.taken.clear()
        writer.write(EncodedPacket.message("a"))
        await turns()
        assert (writer.is_blocked, sink.messages, listener.calls) == (True, [], [])
        sink.taken.set()
        await turns()
        assert (writer.is_blocked, len(sink.messages), listener.calls) == (False, 1, ["writable"])

    @pytest.mark.parametrize("late", [False, True])
    @pytest.mark.parametrize("error", [OSError("gone"), asyncio.CancelledError(), LookupError()], ids=repr)
    async def test_failure_is_an_error_only_of_middleware(
        self, kind: type[Sink], error: BaseException, late: bool
    ) -> None:
        sink, listener = kind(), Listener()
        writer = Writer(sink.send, listener, 100)
        sink.error = error
        if late:
            sink.taken.clear()
        writer.write(EncodedPacket.message("a"))
        sink.taken.set()
        await turns()
        is_of_middleware = kind is Sink and isinstance(error, LookupError)
        assert listener.calls == [error if is_of_middleware else None]

    async def test_cancelled_packet_is_given_up(self, kind: type[Sink]) -> None:
        sink, listener = kind(), Listener()
        writer = Writer(sink.send, listener, 100)
        writer.cancel()  # nothing waits
        sink.taken.clear()
        writer.write(EncodedPacket.message("a"))
        writer.cancel()
        await turns()
        assert (sink.messages, listener.calls) == ([], [None])

    @pytest.mark.parametrize(("size", "lines"), [(99, 0), (100, 1)])
    async def test_refused_packet_that_is_too_large_is_logged(
        self, kind: type[Sink], size: int, lines: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        sink = kind()
        sink.error = OSError("gone")
        Writer(sink.send, Listener(), 100).write(EncodedPacket.message("x" * size))
        expected = [f"A packet of {size + 1} bytes was too much for the server: OSError('gone')"] * lines
        assert caplog.messages == expected

    async def test_frame_is_shared_with_a_server_only(self, kind: type[Sink]) -> None:
        """Middleware may change its own."""
        packet, sink = EncodedPacket.message("a"), kind()
        Writer(sink.send, Listener(), 100).write(packet)
        assert sink.messages == [packet.frame]
        assert (sink.messages[0] is packet.frame) is (kind is ServerSink)


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
        await leave(client)

    async def test_rest_of_one_that_waits_has_a_task(self, recorder: Recorder) -> None:
        client = await self.open()
        client.taken.clear()
        recorder.socket.send("a")
        recorder.socket.send("b")
        await asyncio.sleep(0)
        client.taken.set()
        assert [await client.receive(), await client.receive()] == ["4a", "4b"]
        await leave(client)

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
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]
        # But it may have a bound of its own.
        lines = [message for message in caplog.messages if "too much for the server" in message]
        assert len(lines) == (size > 1_000_000 and not late)
