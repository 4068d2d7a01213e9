"""How the end of the process is noticed, and what is not touched."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from sio import shutdown
from sio.engineio import EngineIOApplication, EngineIOSocket, set_engineio_app
from sio.engineio.registry import registry
from sio.engineio.tasks import unfinished
from tests.asgi import APP, Poller, WebSocket, request
from tests.pace import TIMEOUT

HANDSHAKE = "EIO=4&transport=polling"


class Slow(EngineIOApplication):
    """Has hooks that end when the test says so."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.ended: list[str] = []
        self.shut_down = False

    def on_disconnect(self, socket: EngineIOSocket, reason: str) -> None:
        socket.tasks.create(self._hook(reason))

    async def _hook(self, reason: str) -> None:
        await self.may_end.wait()
        self.ended.append(str(reason))

    async def on_shutdown(self) -> None:
        self.shut_down = True


@pytest.fixture
async def slow() -> Slow:
    app = Slow()
    set_engineio_app(app)
    return app


class Server:
    """The handlers of a server, for the signals that end it."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.stopped = asyncio.Event()

    def handle(self, number: int, frame: object) -> None:
        self.signals.append(number)
        self.stopped.set()


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Leaves the handlers of the process, and the module, as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    shutdown._resume()


@pytest.fixture
async def server() -> Server:
    server = Server()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle)
    return server


async def stopped(server: Server) -> None:
    async with asyncio.timeout(TIMEOUT):
        await server.stopped.wait()


async def turn() -> None:
    """Lets everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_signal_reaches_the_server_after_the_hooks(self, server: Server, slow: Slow, number: int) -> None:
        await Poller(APP).open()
        signal.raise_signal(number)
        await turn()
        assert (len(registry), server.signals) == (0, [])
        slow.may_end.set()
        await stopped(server)
        assert (slow.ended, server.signals, slow.shut_down) == (["server shutting down"], [number], True)

    @pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
    async def test_second_interrupt_is_not_held_back(
        self, server: Server, slow: Slow, first: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        await Poller(APP).open()
        signal.raise_signal(first)
        await turn()
        signal.raise_signal(signal.SIGINT)
        assert server.signals == [signal.SIGINT]
        assert caplog.messages == ["A second SIGINT cuts 1 hooks and handlers short"]
        slow.may_end.set()
        while not slow.shut_down:
            await asyncio.sleep(0.001)
        await asyncio.gather(*(task for task in asyncio.all_tasks() if "end_sessions" in repr(task)))
        assert server.signals == [signal.SIGINT]

    @pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
    async def test_signal_that_a_supervisor_repeats_is_the_same_wish(
        self, server: Server, slow: Slow, first: int
    ) -> None:
        await Poller(APP).open()
        signal.raise_signal(first)
        for _ in range(2):
            await turn()
            signal.raise_signal(signal.SIGTERM)
        assert server.signals == []
        slow.may_end.set()
        await stopped(server)
        signal.raise_signal(signal.SIGTERM)  # and after it was handed on: Daphne would complain
        assert (slow.ended, server.signals) == (["server shutting down"], [first])

    async def test_handlers_are_not_touched_before_the_first_session(self, server: Server) -> None:
        await request(APP, "GET", HANDSHAKE.replace("4", "3"))
        assert signal.getsignal(signal.SIGTERM) == server.handle

    async def test_process_that_does_not_handle_sigterm_is_left_alone(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        await Poller(APP).open()
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == (signal.SIG_DFL, before)

    async def test_ignored_signal_stays_ignored(self, server: Server) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        await Poller(APP).open()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) != server.handle

    async def test_keyboard_interrupt_comes_after_the_sessions(self, server: Server) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        held = shutdown._HeldSignals(asyncio.get_running_loop())
        held._held = signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            held._hand_on(asyncio.create_task(turn()))

    def test_signal_after_the_end_of_the_loop_goes_straight_to_the_server(self) -> None:
        async def serve() -> Server:
            server = Server()
            signal.signal(signal.SIGTERM, server.handle)
            await Poller(APP).open()
            return server

        with asyncio.Runner() as runner:
            server = runner.run(serve())
            signal.raise_signal(signal.SIGTERM)
            assert server.signals == [signal.SIGTERM]

    def test_servers_one_after_the_other_share_a_handler(self) -> None:
        handlers = []

        async def serve() -> None:
            await Poller(APP).open()
            handlers.append(signal.getsignal(signal.SIGTERM))
            await shutdown.end_sessions()

        signal.signal(signal.SIGTERM, Server().handle)
        for _ in range(3):
            with asyncio.Runner() as runner:
                runner.run(serve())
            # The loop ended before it could say that its shutdown is over.
            assert not shutdown.is_under_way()
        assert len(set(handlers)) == 1


class TestEnd:
    async def test_poll_is_told_that_its_session_is_gone(self, slow: Slow) -> None:
        poller = Poller(APP)
        await poller.open()
        poll = poller.get()
        await turn()
        slow.may_end.set()
        await shutdown.end_sessions()
        assert ((await poll).status, (await poll).json()["code"]) == (400, 1)

    async def test_websocket_is_closed_with_service_restart(self, slow: Slow) -> None:
        websocket = WebSocket(APP)
        await websocket.open()
        slow.may_end.set()
        await shutdown.end_sessions()
        assert await websocket.closed() == 1012

    async def test_handshakes_are_refused_until_the_server_has_surely_gone(self, slow: Slow) -> None:
        with override_settings(SIO_SHUTDOWN_TIMEOUT_MS=50):
            await shutdown.end_sessions()
            refused = await request(APP, "GET", HANDSHAKE)
            assert (refused.status, refused.body, refused.headers["retry-after"]) == (503, b"", "1")
            refused_websocket = await WebSocket(APP, extensions={"websocket.http.response": {}}).connect()
            assert (refused_websocket["status"], refused_websocket["headers"][0]) == (503, (b"retry-after", b"1"))
            async with asyncio.timeout(TIMEOUT):
                while shutdown.is_under_way():
                    await asyncio.sleep(0.001)
        assert (await request(APP, "GET", HANDSHAKE)).status == 200

    async def test_handshake_that_was_under_way_opens_no_session(self, slow: Slow) -> None:
        asked, may_open = asyncio.Event(), asyncio.Event()

        async def allow_request(scope: Any) -> bool:
            asked.set()
            await may_open.wait()
            return True

        with override_settings(SIO_ALLOW_REQUEST=allow_request):
            handshake = request(APP, "GET", HANDSHAKE)
            await asked.wait()
            ending = asyncio.create_task(shutdown.end_sessions())
            await turn()
            may_open.set()
            assert (await handshake).status == 503
            await ending

    async def test_hooks_of_sessions_that_ended_before_are_waited_for(self, slow: Slow) -> None:
        poller = Poller(APP)
        await poller.open()
        await poller.post("1")
        ending = asyncio.create_task(shutdown.end_sessions())
        await turn()
        slow.may_end.set()
        await ending
        assert slow.ended == ["transport close"]

    async def test_late_hooks_are_cancelled_and_counted(self, slow: Slow, caplog: Any) -> None:
        for _ in range(3):
            await Poller(APP).open()
        with override_settings(SIO_SHUTDOWN_TIMEOUT_MS=10):
            await shutdown.end_sessions()
        assert (slow.ended, unfinished) == ([], set())
        assert [record.getMessage() for record in caplog.records] == [
            "Cancelled 3 hooks and handlers that took longer than SIO_SHUTDOWN_TIMEOUT_MS"
        ]

    async def test_hooks_that_do_not_even_end_when_they_are_cancelled_are_left(self, slow: Slow, caplog: Any) -> None:
        may_end = asyncio.Event()

        async def stubborn() -> None:
            while not may_end.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await may_end.wait()

        poller = Poller(APP)
        await poller.open()
        (socket,) = registry
        task = socket.tasks.create(stubborn())
        with override_settings(SIO_SHUTDOWN_TIMEOUT_MS=10):
            await shutdown.end_sessions()
        assert caplog.messages[1:] == ["Left 1 hooks and handlers that do not end behind"]
        may_end.set()
        await task

    async def test_cancelled_websocket_waits_for_its_hooks_no_longer_than_all_others(self, slow: Slow) -> None:
        with override_settings(SIO_SHUTDOWN_TIMEOUT_MS=10):
            websocket = WebSocket(APP)
            await websocket.open()
            assert websocket.task is not None
            websocket.task.cancel()
            await asyncio.wait([websocket.task], timeout=TIMEOUT)
        assert (websocket.task.cancelled(), slow.ended) == (True, [])

    async def test_application_that_fails_is_logged(self, caplog: Any) -> None:
        class Failing(EngineIOApplication):
            async def on_shutdown(self) -> None:
                raise RuntimeError("on purpose")

        set_engineio_app(Failing())
        await shutdown.end_sessions()
        assert [record.getMessage() for record in caplog.records] == ["The application did not shut down"]


def test_main_thread_waits_for_the_sessions_of_another_one() -> None:
    """The server is in a thread, as under the autoreloader: nothing can be done about signals there."""
    opened, stop = threading.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        await Poller(APP).open()
        opened.set()
        await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert opened.wait(TIMEOUT)
    assert len(registry) == 1
    shutdown._hold_exit()
    assert len(registry) == 0
    stop.set()
    thread.join()
    loop.close()
