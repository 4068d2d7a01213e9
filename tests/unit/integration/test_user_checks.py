"""Users who may not stay are disconnected: here, their sessions are in a cache, and looked up all the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import cache
from django.test import override_settings

from sio import as_asgi
from sio.engineio import get_engineio_server
from sio.integration import user_checks
from sio.integration.policy import DjangoPolicy
from tests.asgi import Poller, WebSocket
from tests.client import SocketIOClient
from tests.pace import TIMEOUT
from tests.sessions import sessions
from tests.unit.integration.consumers import Consumer
from tests.unit.integration.users import ADA, BACKEND, GRACE, NOBODY, As, Backend, Login

#: Time between two looks at all users, in milliseconds.
INTERVAL = 20


@pytest.fixture
def app() -> Any:
    Consumer.reasons.clear()
    return as_asgi(Consumer)


@pytest.fixture(autouse=True)
def checks() -> Iterator[None]:
    """Sessions are in a cache, and looked up again all the time."""
    Backend.reset()
    settings = {
        "SIO_USER_CHECK_INTERVAL_MS": INTERVAL,
        "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
        "AUTHENTICATION_BACKENDS": [BACKEND],
    }
    with override_settings(**settings):
        yield
    cache.clear()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(INTERVAL / 5_000)


async def looked_up_again() -> None:
    """Waits until the users were looked up, from the first to the last."""
    before = Backend.lookups
    await until(lambda: Backend.lookups >= before + 10)


async def is_served(client: SocketIOClient) -> None:
    client.emit("/", "echo", True, ack_id=1)
    await client.received("31[true]")


async def is_disconnected(client: SocketIOClient) -> None:
    await client.received("1")
    assert await client.websocket.closed() == 1000


def is_looking() -> bool:
    """Whether the users of this loop are looked up again and again."""
    policy = get_engineio_server().policy
    assert isinstance(policy, DjangoPolicy)
    return asyncio.get_running_loop() in policy._user_checks._loops


class TestDisconnect:
    """Bad input 100: a user who logs out, or is no user any more, is disconnected."""

    async def test_user_who_logs_out_is_disconnected(self, app: Any) -> None:
        ada, grace = Login(ADA), Login(GRACE)
        leaving, staying = await ada.client(app), await grace.client(app)
        await looked_up_again()
        ada.end()
        await is_disconnected(leaving)
        assert Consumer.reasons == ["server namespace disconnect"]
        await is_served(staying)
        await leave(staying)

    async def test_user_who_is_deactivated_is_disconnected(self, app: Any) -> None:
        client = await Login(ADA).client(app)
        del Backend.users[ADA.pk]
        await is_disconnected(client)

    async def test_poll_fetches_the_disconnect_although_the_requests_are_nobodys_now(self, app: Any) -> None:
        login = Login(ADA)
        client = Poller(AuthMiddlewareStack(app), login.headers)
        await client.open()
        await client.post("40")
        await client.get()
        poll = client.get()
        await looked_up_again()
        login.end()
        assert (await poll).packets == ["41"]
        assert (await client.get()).packets == ["6", "1"]
        assert len(sessions) == 0

    async def test_upgrade_past_the_middleware_is_refused(self, app: Any) -> None:
        """Only HTTP is behind it: the cookies of another, or none, tell the server nothing."""
        ada, grace = Login(ADA), Login(GRACE)
        client = Poller(AuthMiddlewareStack(app), ada.headers)
        await client.open()
        for headers in (grace.headers, [], ada.headers):
            assert (await WebSocket(app, client.sid, headers).connect())["type"] == "websocket.close"
        for headers in (grace.headers, []):
            websocket = WebSocket(client.app, client.sid, headers)
            assert (await websocket.connect())["type"] == "websocket.close"
        assert (await client.post("40")).status == 200
        websocket = WebSocket(client.app, client.sid, ada.headers)
        assert (await websocket.connect())["type"] == "websocket.accept"
        websocket.disconnect()
        await websocket.finished()

    async def test_all_sessions_of_a_login_are_disconnected(self, app: Any) -> None:
        ada = Login(ADA)
        clients = [await ada.client(app) for _ in range(3)]
        ada.end()
        for client in clients:
            await is_disconnected(client)

    async def test_handler_that_logs_a_client_out_keeps_it(self, app: Any) -> None:
        """It knows what it does. The other tabs go."""
        ada = Login(ADA)
        client, other = await ada.client(app), await ada.client(app)
        client.emit("/", "logout", ack_id=1)
        await client.received("31[true]")
        await is_disconnected(other)
        await is_served(client)
        await leave(client)

    async def test_user_who_is_not_of_the_session_stays(self, app: Any) -> None:
        """Other middleware knows them, by a token for example."""
        by_token = As(app, ADA)
        ada = Login(ADA)
        anonymous = Login(ADA)
        del anonymous.session[SESSION_KEY]
        anonymous.session.save()
        staying = [
            await SocketIOClient(AuthMiddlewareStack(by_token), anonymous.headers).open(),
            await SocketIOClient(AuthMiddlewareStack(app), anonymous.headers).open(),
            await SocketIOClient(AuthMiddlewareStack(app)).open(),
            await SocketIOClient(by_token).open(),
        ]
        leaving = await ada.client(app)  # looked up last
        ada.end()
        await is_disconnected(leaving)
        for client in staying:
            await client.connect()
            await is_served(client)
            await leave(client)

    async def test_user_who_changes_during_the_look_is_left_alone(
        self, app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """By leaving, or by a handler that logs somebody else in."""
        ada, grace = Login(ADA), Login(GRACE)
        gone, changed, stale = [await ada.client(app) for _ in range(3)]
        sockets = list(sessions)
        looking_up, looked_up = asyncio.Event(), asyncio.Event()

        async def get_user(scope: Any) -> Any:
            looking_up.set()
            await looked_up.wait()
            return NOBODY

        monkeypatch.setattr(user_checks, "get_user", get_user)
        await asyncio.wait_for(looking_up.wait(), TIMEOUT)
        gone.leave()
        await gone.websocket.finished()
        sockets[1].scope |= {"user": GRACE, "session": grace.session}
        looked_up.set()
        await is_disconnected(stale)
        monkeypatch.undo()
        await is_served(changed)
        assert warnings(caplog) == []
        await leave(changed)

    @pytest.mark.parametrize("error", [OSError("no database"), SystemExit("no database")], ids=["error", "exit"])
    async def test_error_disconnects_nobody_and_is_logged_once(
        self, app: Any, error: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        ada = Login(ADA)
        client = await ada.client(app)
        Backend.error = error
        await looked_up_again()
        await is_served(client)
        assert warnings(caplog) == ["A user cannot be looked up, and is not disconnected"]
        Backend.error = None
        ada.end()
        await is_disconnected(client)

    async def test_user_who_cannot_be_looked_up_keeps_nobody_else(self, app: Any) -> None:
        looked_up = asyncio.Event()
        loop = asyncio.get_running_loop()

        class BrokenSession(SessionStore):
            def has_key(self, key: str) -> bool:
                loop.call_soon_threadsafe(looked_up.set)
                raise LookupError("a broken session")

        ada, grace = Login(ADA), Login(GRACE)
        clients = [await login.client(app) for login in (ada, grace)]
        of_ada, _ = sessions
        of_ada.scope["session"] = BrokenSession(ada.session.session_key)
        await looked_up.wait()  # from here on no other look at her is on its way
        for login in (ada, grace):
            login.end()
        await is_disconnected(clients[1])
        await is_served(clients[0])
        await leave(clients[0])

    async def test_one_login_is_looked_up_once_for_all_its_sessions(self, app: Any) -> None:
        ada = Login(ADA)
        clients = [await ada.client(app) for _ in range(10)]
        await asyncio.sleep(INTERVAL / 1_000)
        before = Backend.lookups
        await asyncio.sleep(INTERVAL / 1_000 * 10)
        assert 9 <= Backend.lookups - before <= 11
        for client in clients:
            await leave(client)

    @pytest.mark.parametrize(("level", "count"), [(logging.INFO, 1), (logging.WARNING, 0)])
    async def test_logout_is_logged_with_the_number_of_sessions(
        self, app: Any, level: int, count: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(level, "sio.engineio")
        ada = Login(ADA)
        clients = [await ada.client(app) for _ in range(3)]
        ada.end()
        for client in clients:
            await is_disconnected(client)
        assert caplog.messages.count("Disconnecting 3 sessions: the user 1 is logged out") == count


class TestInterval:
    """SIO_USER_CHECK_INTERVAL_MS."""

    async def test_looks_end_with_the_last_session_and_begin_with_the_next(self, app: Any) -> None:
        for _ in range(2):
            client = await Login(ADA).client(app)
            assert is_looking()
            await looked_up_again()
            await leave(client)
            await until(lambda: not is_looking())

    @pytest.mark.parametrize("interval", [1_000, 10_000])
    async def test_is_the_time_between_two_looks(self, app: Any, interval: int) -> None:
        with override_settings(SIO_USER_CHECK_INTERVAL_MS=interval):
            client = await Login(ADA).client(app)
            before = Backend.lookups
            await asyncio.sleep(interval / 1_000 * 3.5)
            assert Backend.lookups - before == 3
            await leave(client)

    async def test_looks_end_when_the_setting_does(self, app: Any) -> None:
        client = await Login(ADA).client(app)
        with override_settings(SIO_USER_CHECK_INTERVAL_MS=None):
            await until(lambda: not is_looking())
        await leave(client)

    @override_settings(SIO_USER_CHECK_INTERVAL_MS=None)
    async def test_without_it_nobody_is_looked_up(self, app: Any) -> None:
        client = await Login(ADA).client(app)
        before = Backend.lookups
        await asyncio.sleep(3_600)
        assert (is_looking(), Backend.lookups) == (False, before)
        await leave(client)


async def leave(client: SocketIOClient) -> None:
    client.leave()
    await client.websocket.finished()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
