"""Whatever an application raises, the process goes on, others get their turn, and disconnect hooks run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer
from sio.engineio import get_engineio_server
from tests.asgi import WebSocket, request
from tests.client import SocketIOClient
from tests.pace import TIMEOUT

HANDSHAKE = "EIO=4&transport=polling"


class Abandoned(BaseException):
    """An error as some libraries have one: it is no Exception, so that nobody catches it."""


FAULTS = [SystemExit, asyncio.CancelledError, Abandoned]


class Consumer(SocketIOConsumer):
    """Fails where the test says."""

    place: ClassVar[str] = ""
    fault: ClassVar[Callable[[], BaseException]]
    ended: ClassVar[asyncio.Queue[str]]

    def __init__(self) -> None:
        if Consumer.place == "__init__":
            raise Consumer.fault()

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        if Consumer.place == "connect":
            raise Consumer.fault()
        if Consumer.place == "task":
            await self.event_cancel_itself(socket)
            await asyncio.sleep(0)
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        await asyncio.sleep(0)
        self.ended.put_nowait(str(reason))
        if Consumer.place == "disconnect":
            raise Consumer.fault()

    async def event_echo(self, socket: NamespaceSocket, value: int) -> int:
        return value

    async def event_fail(self, socket: NamespaceSocket) -> None:
        raise Consumer.fault()

    async def event_ask(self, socket: NamespaceSocket) -> None:
        async def fail(*args: Any) -> None:
            raise Consumer.fault()

        await socket.emit("question", callback=fail)

    async def event_cancel_itself(self, socket: NamespaceSocket) -> None:
        """Cancels the task that it runs in, and does not wait any more: the next handler in that task would be hit."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    async def event_wait(self, socket: NamespaceSocket) -> None:
        self.ended.put_nowait("waits")
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def consumer() -> None:
    Consumer.place, Consumer.ended = "", asyncio.Queue()


async def ended() -> str:
    return await asyncio.wait_for(Consumer.ended.get(), TIMEOUT)


async def member() -> SocketIOClient:
    client = await SocketIOClient(Consumer.as_asgi()).open()
    await client.connect()
    return client


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> str:
    Consumer.fault = request.param
    return str(request.param.__name__)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any]]:
    return [
        (record.getMessage(), record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None)
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ]


class TestHandlers:
    """Handlers and hooks that fail."""

    async def test_event_that_fails_stops_no_other(self, fault: str, caplog: pytest.LogCaptureFixture) -> None:
        client = await member()
        client.emit("/", "fail", ack_id=1)
        client.emit("/", "echo", 2, ack_id=2)
        await client.received("32[2]")
        assert logged(caplog) == [(f"{__name__}.Consumer.event_fail raised", fault)]
        client.leave()
        assert await ended() == "transport close"

    @pytest.mark.parametrize("place", ["connect", "__init__"])
    async def test_client_is_refused(self, fault: str, place: str) -> None:
        client = await SocketIOClient(Consumer.as_asgi()).open()
        Consumer.place = place
        client.send("0")
        assert await client.receive() == '4{"message":"Internal server error"}'
        Consumer.place = ""
        await client.connect()

    async def test_disconnect_hook_that_fails_is_logged(self, fault: str, caplog: pytest.LogCaptureFixture) -> None:
        client = await member()
        Consumer.place = "disconnect"
        client.leave()
        await ended()
        await asyncio.sleep(0)
        assert logged(caplog) == [(f"{__name__}.Consumer.disconnect raised", fault)]

    async def test_callback_that_fails_is_logged(self, fault: str, caplog: pytest.LogCaptureFixture) -> None:
        client = await member()
        client.emit("/", "ask")
        question = await client.receive()
        client.send("3", ack_id=question[1 : question.index("[")], data=[])
        client.emit("/", "echo", 2, ack_id=2)
        await client.received("32[2]")
        assert [error for _, error in logged(caplog)] == [fault]


class TestCancelledHandler:
    """Handlers whose task is cancelled."""

    async def test_client_of_a_cancelled_connect_hook_is_refused(self) -> None:
        client = await SocketIOClient(Consumer.as_asgi()).open()
        Consumer.place = "task"
        client.send("0")
        assert await client.receive() == '4{"message":"Internal server error"}'

    async def test_next_handler_is_not_hit(self) -> None:
        client = await member()
        client.emit("/", "cancel_itself", ack_id=1)
        client.emit("/", "echo", 2, ack_id=2)
        await client.received("31[]", "32[2]")

    @pytest.mark.parametrize("event", ["cancel_itself", "wait"])
    async def test_disconnect_hook_runs_when_its_client_is_gone(self, event: str) -> None:
        client = await member()
        client.emit("/", event)
        if event == "wait":
            assert await ended() == "waits"
        client.leave()
        await client.websocket.finished()
        for task in list(get_engineio_server().unfinished):
            task.cancel()
        assert await ended() == "transport close"

    @override_settings(SIO_SHUTDOWN_TIMEOUT_MS=10)
    async def test_disconnect_hook_runs_after_a_handler_that_a_shutdown_cuts(self) -> None:
        client = await member()
        client.emit("/", "wait")
        assert await ended() == "waits"
        await get_engineio_server().shutdown.run()
        assert await ended() == "server shutting down"


class TestAllowRequest:
    """SIO_ALLOW_REQUEST that fails."""

    @pytest.mark.parametrize("is_async", [True, False])
    async def test_request_is_answered(self, fault: str, is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
        def fail(scope: Any) -> bool:
            raise Consumer.fault()

        async def fail_later(scope: Any) -> bool:
            await asyncio.sleep(0)
            raise Consumer.fault()

        with override_settings(SIO_ALLOW_REQUEST=fail_later if is_async else fail):
            refused = await request(Consumer.as_asgi(), "GET", HANDSHAKE)
            assert (refused.status, refused.json()["code"]) == (403, 4)
            assert (await WebSocket(Consumer.as_asgi()).connect())["type"] == "websocket.close"
        assert logged(caplog) == [
            ("SIO_ALLOW_REQUEST raised, so the handshake was refused", fault)
        ]  # the second one is its repeat

    async def test_server_may_cancel_it(self) -> None:
        asked = asyncio.Event()

        async def wait(scope: Any) -> bool:
            asked.set()
            await asyncio.Event().wait()
            return True

        with override_settings(SIO_ALLOW_REQUEST=wait):
            handshake = request(Consumer.as_asgi(), "GET", HANDSHAKE)
            await asked.wait()
            handshake.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await handshake
