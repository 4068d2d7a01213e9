"""The shutdown of a server: its sessions end, their hooks have time, and handshakes are refused meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from sio.engineio import EngineIOApplication, EngineIOOptions, EngineIOServer, Policy
from tests.asgi import Poller, WebSocket, request

from .applications import SlowApplication, asgi
from .clients import CAN_RESPOND, HANDSHAKE, begun, failed, refusal, status, turns


class Server(EngineIOServer):
    """A server whose hooks have so many milliseconds, and its ASGI application."""

    def __init__(self, app: EngineIOApplication, timeout: int = 2_000, policy: Policy | None = None) -> None:
        options = replace(EngineIOOptions(), shutdown_timeout=timeout)
        super().__init__(lambda: options, app, policy)
        self.asgi = asgi(self)


@pytest.fixture
async def slow() -> SlowApplication:
    return SlowApplication()


async def test_poll_is_answered_that_its_session_is_gone(slow: SlowApplication) -> None:
    server = Server(slow)
    poller = Poller(server.asgi)
    await poller.open()
    poll = await begun(poller.get())
    slow.may_end.set()
    await server.shutdown.run()
    assert ((await poll).status, (await poll).json()["code"]) == (400, 1)


async def test_websocket_is_closed_with_service_restart(slow: SlowApplication) -> None:
    server = Server(slow)
    websocket = WebSocket(server.asgi)
    await websocket.open()
    slow.may_end.set()
    await server.shutdown.run()
    assert await websocket.closed() == 1012


async def test_handshakes_are_refused_until_the_process_has_surely_gone(slow: SlowApplication) -> None:
    server = Server(slow, timeout=50)
    await server.shutdown.run()
    refused = await request(server.asgi, "GET", HANDSHAKE)
    assert (refused.status, refused.body, refused.headers["retry-after"]) == (503, b"", "1")
    assert (await refusal(WebSocket(server.asgi, **CAN_RESPOND)))[:2] == (
        503,
        {b"retry-after": b"1", b"connection": b"close"},
    )
    await asyncio.sleep(0.049)
    assert server.shutdown.is_under_way
    await asyncio.sleep(0.002)
    assert not server.shutdown.is_under_way
    assert await status(server.asgi) == 200


async def test_handshake_that_was_being_decided_opens_no_session(slow: SlowApplication) -> None:
    asked, may_open = asyncio.Event(), asyncio.Event()

    class Asking(Policy):
        asks = True

        def ask(self, scope: Any) -> Coroutine[Any, Any, None]:
            return self._ask()

        async def _ask(self) -> None:
            asked.set()
            await may_open.wait()

    server = Server(slow, policy=Asking())
    handshake = request(server.asgi, "GET", HANDSHAKE)
    await asked.wait()
    ending = asyncio.create_task(server.shutdown.run())
    await turns()
    may_open.set()
    assert (await handshake).status == 503
    await ending
    assert slow.sockets == []


async def test_hooks_of_sessions_that_ended_before_are_waited_for(slow: SlowApplication) -> None:
    server = Server(slow)
    poller = Poller(server.asgi)
    await poller.open()
    await poller.post("1")
    ending = asyncio.create_task(server.shutdown.run())
    await turns()
    assert not ending.done()
    slow.may_end.set()
    await ending
    assert slow.ended == ["transport close"]


async def test_application_is_shut_down_after_the_hooks(slow: SlowApplication) -> None:
    server = Server(slow)
    await Poller(server.asgi).open()
    ending = asyncio.create_task(server.shutdown.run())
    await turns()
    assert (len(server.registry), slow.is_shut_down) == (0, False)
    slow.may_end.set()
    await ending
    assert (slow.ended, slow.is_shut_down) == (["server shutting down"], True)


async def test_late_hooks_are_cancelled_and_counted(slow: SlowApplication, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(slow, timeout=10)
    for _ in range(3):
        await Poller(server.asgi).open()
    await server.shutdown.run()
    assert (slow.ended, server.unfinished) == ([], set())
    assert caplog.messages == ["Cancelled 3 hooks and handlers that took longer than SIO_SHUTDOWN_TIMEOUT_MS"]


async def test_hooks_that_do_not_even_end_when_they_are_cancelled_are_left(
    slow: SlowApplication, caplog: pytest.LogCaptureFixture
) -> None:
    may_end = asyncio.Event()

    async def stubborn() -> None:
        while not may_end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await may_end.wait()

    server = Server(slow, timeout=10)
    await Poller(server.asgi).open()
    task = slow.socket.tasks.create(stubborn())
    await server.shutdown.run()
    assert caplog.messages[1:] == ["Left 1 hooks and handlers that do not end behind"]
    may_end.set()
    await task


async def test_cancelled_websocket_waits_for_its_hooks_no_longer_than_all_others(slow: SlowApplication) -> None:
    server = Server(slow, timeout=10)
    websocket = WebSocket(server.asgi)
    await websocket.open()
    assert websocket.task is not None
    websocket.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await failed(websocket)
    assert slow.ended == []


class Failing(EngineIOApplication):
    """Cannot be shut down."""

    async def on_shutdown(self) -> None:
        raise RuntimeError("on purpose")


class Hanging(EngineIOApplication):
    """Takes for ever to shut down."""

    async def on_shutdown(self) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize("application", [Failing, Hanging])
async def test_application_that_does_not_shut_down_is_logged(
    application: type[EngineIOApplication], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(application())
    await server.shutdown.run()
    assert asyncio.get_running_loop().time() < 1
    assert caplog.messages == ["The application did not shut down"]
