"""How the end of the process is noticed, and what is not touched."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator

import pytest

from sio.engineio import EngineIOOptions, EngineIOServer, get_engineio_server, set_engineio_app
from sio.integration.shutdown import ExitWatch
from tests import virtual_time
from tests.asgi import APP, Poller, request
from tests.pace import TIMEOUT
from tests.sessions import sessions
from tests.unit.engineio.applications import Recorder, SlowApplication, open_session
from tests.unit.engineio.clients import turns

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Handlers:
    """The signal handlers of an ASGI server."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.called = asyncio.Event()
        for number in SIGNALS:
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: object) -> None:
        self.signals.append(number)
        self.called.set()

    async def stopped(self) -> None:
        """Waits for a signal to reach the server."""
        async with asyncio.timeout(TIMEOUT):
            await self.called.wait()


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Leaves the handlers of the process as they were."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
async def handlers() -> Handlers:
    return Handlers()


@pytest.fixture
async def slow() -> SlowApplication:
    app = SlowApplication()
    set_engineio_app(app)
    return app


class TestSignal:
    @pytest.mark.parametrize("number", SIGNALS)
    async def test_reaches_the_server_after_the_hooks(
        self, handlers: Handlers, slow: SlowApplication, number: int
    ) -> None:
        await Poller(APP).open()
        signal.raise_signal(number)
        await turns()
        assert (len(sessions), handlers.signals) == (0, [])
        slow.may_end.set()
        await handlers.stopped()
        assert (slow.ended, handlers.signals, slow.is_shut_down) == (["server shutting down"], [number], True)

    @pytest.mark.parametrize("first", SIGNALS)
    async def test_second_interrupt_is_not_held_back(
        self, handlers: Handlers, slow: SlowApplication, first: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        await Poller(APP).open()
        signal.raise_signal(first)
        await turns()
        signal.raise_signal(signal.SIGINT)
        assert handlers.signals == [signal.SIGINT]
        assert caplog.messages == ["A second SIGINT cuts 1 hooks and handlers short"]
        slow.may_end.set()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        assert slow.is_shut_down
        assert handlers.signals == [signal.SIGINT]

    @pytest.mark.parametrize("first", SIGNALS)
    async def test_repeated_by_a_supervisor_is_the_same_wish(
        self, handlers: Handlers, slow: SlowApplication, first: int
    ) -> None:
        await Poller(APP).open()
        signal.raise_signal(first)
        for _ in range(2):
            await turns()
            signal.raise_signal(signal.SIGTERM)
        assert handlers.signals == []
        slow.may_end.set()
        await handlers.stopped()
        signal.raise_signal(signal.SIGTERM)  # and after it was handed on: Daphne would complain
        assert (slow.ended, handlers.signals) == (["server shutting down"], [first])

    def test_keyboard_interrupt_comes_after_the_sessions(self) -> None:
        """Python's own handler raises: it does so where asyncio lets it through, which ends the loop."""
        app = Recorder()

        async def serve() -> None:
            signal.signal(signal.SIGTERM, lambda number, frame: None)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            set_engineio_app(app)
            await Poller(APP).open()
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()

        with pytest.raises(KeyboardInterrupt):
            virtual_time.run(serve(), [])
        assert app.reasons == ["server shutting down"]

    def test_after_the_end_of_the_loop_goes_straight_to_the_server(self) -> None:
        async def serve() -> Handlers:
            handlers = Handlers()
            await Poller(APP).open()
            return handlers

        with asyncio.Runner() as runner:
            handlers = runner.run(serve())
            signal.raise_signal(signal.SIGTERM)
            assert handlers.signals == [signal.SIGTERM]

    async def test_waits_for_the_sessions_of_all_servers(self, handlers: Handlers) -> None:
        apps = [SlowApplication(), SlowApplication()]
        for app in apps:
            server = EngineIOServer(app=app)
            open_session(server)
            ExitWatch(server).start()
        signal.raise_signal(signal.SIGTERM)
        await turns()
        assert [app.reasons for app in apps] == [["server shutting down"]] * 2
        apps[0].may_end.set()
        await asyncio.sleep(1)
        assert (apps[0].is_shut_down, handlers.signals) == (True, [])
        apps[1].may_end.set()
        await handlers.stopped()
        assert (apps[1].ended, handlers.signals) == (["server shutting down"], [signal.SIGTERM])

    async def test_reaches_the_server_though_one_of_several_fails(
        self, handlers: Handlers, caplog: pytest.LogCaptureFixture
    ) -> None:
        def options() -> EngineIOOptions:
            if is_broken:
                raise LookupError("a setting")
            return EngineIOOptions()

        is_broken, apps = False, [Recorder(), Recorder()]
        for server in (EngineIOServer(options, apps[0]), EngineIOServer(app=apps[1])):
            open_session(server)
            ExitWatch(server).start()
        is_broken = True
        signal.raise_signal(signal.SIGTERM)
        await handlers.stopped()
        assert [app.reasons for app in apps] == [["server shutting down"]] * 2
        assert caplog.messages == ["A server could not end its sessions"]


class TestHandlers:
    """Which handlers of signals are replaced, and when."""

    async def test_are_not_touched_before_the_first_session(self, handlers: Handlers) -> None:
        assert (await request(APP, "GET", "EIO=3&transport=polling")).status == 400
        assert signal.getsignal(signal.SIGTERM) == handlers.handle

    async def test_of_a_process_that_does_not_handle_sigterm_are_left_alone(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        await Poller(APP).open()
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == (signal.SIG_DFL, before)

    async def test_ignored_signal_stays_ignored(self, handlers: Handlers) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        await Poller(APP).open()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) != handlers.handle

    def test_are_shared_by_servers_that_run_one_after_the_other(self) -> None:
        found = []

        async def serve() -> None:
            await Poller(APP).open()
            found.append(signal.getsignal(signal.SIGTERM))
            await get_engineio_server().shutdown.run()

        signal.signal(signal.SIGTERM, lambda number, frame: None)
        for _ in range(3):
            virtual_time.run(serve(), [])
            # The loop ended before it could say that its shutdown is over.
            assert not get_engineio_server().shutdown.is_under_way
        assert len(set(found)) == 1


def test_main_thread_waits_for_the_sessions_of_another_one() -> None:
    """The server is in a thread, as under the autoreloader: nothing can be done about signals there."""
    opened, stop = threading.Event(), threading.Event()
    loop = asyncio.new_event_loop()
    app = Recorder()
    server = EngineIOServer(app=app)
    watch = ExitWatch(server)

    async def serve() -> None:
        open_session(server)
        watch.start()
        opened.set()
        await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert opened.wait(TIMEOUT)
    assert len(server.registry) == 1
    watch.hold_exit()
    assert (len(server.registry), app.reasons) == (0, ["server shutting down"])
    stop.set()
    thread.join()
    loop.close()


async def test_signal_is_not_lost_while_a_server_is_shut_down_by_its_application(handlers: Handlers) -> None:
    """The process is to end all the same, with the sessions of its other servers."""
    app = Recorder()
    one, other = EngineIOServer(), EngineIOServer(app=app)
    for server in (one, other):
        open_session(server)
        ExitWatch(server).start()
    await one.shutdown.run()
    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(5)
    assert (app.reasons, handlers.signals) == (["server shutting down"], [signal.SIGTERM])
