"""What of a client outlives it counts as a session, and the hooks that decide about it do not outlive it for long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer, as_asgi
from sio.engineio import get_engineio_server
from tests.asgi import Poller, Request, WebSocket, request
from tests.client import SocketIOClient
from tests.sessions import sessions
from tests.unit.engineio.clients import CAN_RESPOND, HANDSHAKE, leave, status, warnings
from tests.unit.engineio.clients import live as run_live


class Consumer(SocketIOConsumer):
    """Takes as long as its client says, and notes how that ended."""

    ends: ClassVar[Counter[str]]

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await noting(self.ends, "connect", auth.get("seconds", 0))
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        await noting(self.ends, "disconnect", 30)

    async def event_work(self, socket: NamespaceSocket, seconds: float) -> None:
        await noting(self.ends, "event", seconds)


class Stubborn(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            await asyncio.sleep(20)
        return True


#: What runs now.
RUNNING: set[asyncio.Task[Any] | None] = set()


async def noting(ends: Counter[str], name: str, seconds: float) -> None:
    task = asyncio.current_task()
    RUNNING.add(task)
    try:
        await asyncio.sleep(seconds)
        ends[f"{name} done"] += 1
    except asyncio.CancelledError:
        ends[f"{name} cancelled"] += 1
        raise
    finally:
        RUNNING.discard(task)


@pytest.fixture
def ends() -> Iterator[Counter[str]]:
    Consumer.ends = Counter()
    yield Consumer.ends
    del Consumer.ends


def live(test: Callable[[Any], Awaitable[None]], consumer: type[SocketIOConsumer] = Consumer) -> None:
    """Runs a test in virtual time. At its end, no handshake is undecided."""

    async def run() -> None:
        await test(as_asgi(consumer))

    run_live(run)
    assert get_engineio_server().admission.undecided == 0


async def come_and_go(app: Any, transport: str, packet: str) -> int:
    """A client sends something and leaves. Returns 200, or the status of its refusal."""
    if transport == "websocket":
        client = WebSocket(app, **CAN_RESPOND)
        answer = await client.connect()
        if answer["type"] == "websocket.accept":
            await client.receive()
            client.send(packet)
            await asyncio.sleep(0.01)
            client.disconnect()
        await client.finished()
        return int(answer.get("status", 200))
    opened = await request(app, "GET", HANDSHAKE)
    if opened.status == 200:
        poller = Poller(app)
        poller.sid = opened.text.partition('"sid":"')[2].partition('"')[0]
        await poller.post(packet)
        await poller.post("1")
    return opened.status


class TestConnectHook:
    @pytest.mark.parametrize("transport", ["polling", "websocket"])
    @override_settings(SIO_MAX_SESSIONS=5)
    def test_hooks_of_clients_that_left_are_as_many_as_there_are_places(
        self, transport: str, ends: Counter[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """200 clients come, and leave during a hook of 20 s."""

        async def test(app: Any) -> None:
            answers = Counter([await come_and_go(app, transport, '40{"seconds":20}') for _ in range(200)])
            assert answers == {200: 5, 503: 195}
            assert (len(sessions), len(RUNNING)) == (0, 5)
            await asyncio.sleep(10.1)
            assert ends == {"connect cancelled": 5}
            assert len(RUNNING) == 0
            assert await status(app) == 200

        live(test)
        first, *others = warnings(caplog)
        assert first == (
            "Refusing handshakes: SIO_MAX_SESSIONS = 5 is reached "
            "(5 of them are over, but for handlers that run, or clients that do not read)"
        )
        assert {text.partition(":")[0] for text in others} == {f"Cancelled {__name__}.Consumer.connect"}

    @pytest.mark.parametrize("transport", ["polling", "websocket"])
    @override_settings(SIO_CONNECT_HOOK_TIMEOUT_MS=500)
    def test_hook_may_finish_in_time(self, transport: str, ends: Counter[str]) -> None:
        async def test(app: Any) -> None:
            await come_and_go(app, transport, '40{"seconds":0.4}')
            await come_and_go(app, transport, '40{"seconds":0.6}')
            await asyncio.sleep(1)
            assert ends == {"connect done": 1, "connect cancelled": 1}

        live(test)

    def test_hook_of_a_client_that_stays_has_all_the_time(self, ends: Counter[str]) -> None:
        async def test(app: Any) -> None:
            client = await SocketIOClient(app).open()
            client.send("0", "/", {"seconds": 20})
            await asyncio.sleep(20.1)
            assert (await client.receive()).startswith("0{")
            client.leave()
            await asyncio.sleep(31)
            assert ends == {"connect done": 1, "disconnect done": 1}

        live(test)

    @override_settings(SIO_MAX_SESSIONS=1)
    def test_hook_that_does_not_end_when_it_is_cancelled_keeps_its_place(self) -> None:
        async def test(app: Any) -> None:
            await come_and_go(app, "websocket", "40")
            await asyncio.sleep(29)
            assert await status(app) == 503
            await asyncio.sleep(2)
            assert await status(app) == 200

        live(test, Stubborn)

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    def test_client_that_left_during_its_hook_counts_as_unjoined(self, ends: Counter[str]) -> None:
        async def test(app: Any) -> None:
            await come_and_go(app, "polling", '40{"seconds":5}')
            assert await status(app) == 503
            await asyncio.sleep(6)
            assert await status(app) == 200

        live(test)


@override_settings(SIO_MAX_SESSIONS=1)
def test_handlers_and_disconnect_hooks_keep_the_place_and_are_not_cancelled(ends: Counter[str]) -> None:
    async def test(app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect()
        client.emit("/", "work", 60)
        await asyncio.sleep(0.01)
        await leave(client)
        for _ in range(8):
            assert await status(app) == 503
            await asyncio.sleep(10)
        await asyncio.sleep(10.1)
        assert await status(app) == 200
        assert ends == {"connect done": 1, "event done": 1, "disconnect done": 1}

    live(test)


def begin(app: Any, transport: str) -> Request | WebSocket:
    """Asks for a session."""
    if transport == "polling":
        return request(app, "GET", HANDSHAKE)
    websocket = WebSocket(app)
    websocket.connecting = asyncio.ensure_future(websocket.connect())  # type: ignore[attr-defined]
    return websocket


async def give_up(asking: Request | WebSocket) -> None:
    """The client leaves before it is answered."""
    asking.disconnect()
    if isinstance(asking, WebSocket):
        asking.connecting.cancel()  # type: ignore[attr-defined]


class Slow:
    """A SIO_ALLOW_REQUEST that takes its time."""

    def __init__(self, seconds: float, error: Exception | None = None) -> None:
        self.ends: Counter[str] = Counter()
        self._seconds = seconds
        self._error = error

    async def __call__(self, scope: Any) -> bool:
        await noting(self.ends, "question", self._seconds)
        if self._error is not None:
            raise self._error
        return True


@pytest.mark.parametrize("transport", ["polling", "websocket"])
class TestAllowRequest:
    def test_waiting_ones_take_places(self, transport: str) -> None:
        """200 clients ask, and leave at once. Afterwards no session of them is left, and all places are free."""
        slow = Slow(20)

        async def test(app: Any) -> None:
            for _ in range(200):
                asking = begin(app, transport)
                await asyncio.sleep(0.01)
                await give_up(asking)
            assert (len(sessions), len(RUNNING)) == (0, 5)
            await asyncio.sleep(12.1)
            assert slow.ends == {"question cancelled": 5}
            assert [len(sessions), get_engineio_server().admission.undecided] == [0, 0]

        with override_settings(SIO_MAX_SESSIONS=5, SIO_ALLOW_REQUEST=slow):
            live(test)

    def test_may_finish_after_its_client_left(self, transport: str) -> None:
        slow = Slow(5)

        async def test(app: Any) -> None:
            asking = begin(app, transport)
            await asyncio.sleep(0.01)
            await give_up(asking)
            await asyncio.sleep(6)
            assert slow.ends == {"question done": 1}
            assert len(sessions) == 0

        with override_settings(SIO_ALLOW_REQUEST=slow):
            live(test)

    def test_error_after_its_client_left(self, transport: str, caplog: pytest.LogCaptureFixture) -> None:
        async def test(app: Any) -> None:
            asking = begin(app, transport)
            await asyncio.sleep(0.01)
            await give_up(asking)
            await asyncio.sleep(6)

        with override_settings(SIO_ALLOW_REQUEST=Slow(5, LookupError())):
            live(test)
        assert warnings(caplog) == ["SIO_ALLOW_REQUEST raised, so the handshake was refused"]

    def test_has_all_the_time_for_a_client_that_stays(self, transport: str) -> None:
        async def test(app: Any) -> None:
            asking = begin(app, transport)
            await asyncio.sleep(61)
            assert len(sessions) == 1
            await give_up(asking)

        with override_settings(SIO_ALLOW_REQUEST=Slow(60)):
            live(test)

    def test_ends_with_a_request_that_the_server_cancels(self, transport: str) -> None:
        slow = Slow(20)

        async def test(app: Any) -> None:
            asking = begin(app, transport)
            await asyncio.sleep(0.01)
            assert asking.task is not None
            asking.task.cancel()
            await asyncio.wait([asking.task])
            await asyncio.sleep(0.01)
            assert slow.ends == {"question cancelled": 1}
            await give_up(asking)

        with override_settings(SIO_ALLOW_REQUEST=slow):
            live(test)

    def test_counts_as_unjoined(self, transport: str) -> None:
        async def test(app: Any) -> None:
            asking = begin(app, transport)
            await asyncio.sleep(0.01)
            assert await status(app) == 503
            await give_up(asking)

        with override_settings(SIO_MAX_UNJOINED_SESSIONS=1, SIO_ALLOW_REQUEST=Slow(5)):
            live(test)
