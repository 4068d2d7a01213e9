"""Whose session it is: requests of others are refused, and users who may not stay are disconnected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from channels.auth import AuthMiddlewareStack, logout
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import cache
from django.core.exceptions import SynchronousOnlyOperation
from django.test import override_settings
from django.utils.functional import SimpleLazyObject

from sio import NamespaceSocket, SocketIOConsumer, get_asgi_application, users
from sio.engineio.registry import registry
from sio.users import ANONYMOUS, identify
from tests.asgi import Poller, WebSocket
from tests.client import SocketIOClient
from tests.pace import TIMEOUT

#: Time between two looks at all users, in milliseconds.
INTERVAL = 20


class Somebody:
    """As much of a user as tells one from another."""

    is_authenticated = True

    def __init__(self, pk: int) -> None:
        self.pk = pk


class Consumer(SocketIOConsumer):
    """Accepts everybody, and lets them log in and out."""

    reasons: list[str]

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        self.reasons.append(str(reason))

    async def event_echo(self, socket: NamespaceSocket) -> bool:
        return True

    async def event_logout(self, socket: NamespaceSocket) -> bool:
        await logout(socket.scope)
        return True


class As:
    """The application, with whom middleware says that a request is of."""

    def __init__(self, app: Any, *user: Any) -> None:
        self._app = app
        self._scope = {"user": user[0]} if user else {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, **self._scope}, receive, send)


@pytest.fixture
def app() -> Any:
    Consumer.reasons = []
    return get_asgi_application(Consumer)


class TestIdentity:
    """What tells a user from others."""

    @pytest.mark.parametrize(
        ("scope", "identity"),
        [
            ({}, None),
            ({"user": None}, None),
            ({"user": "a name"}, None),
            ({"user": Somebody(1)}, 1),
            ({"user": AnonymousUser()}, ANONYMOUS),
        ],
    )
    def test_identity(self, scope: dict[str, Any], identity: Any) -> None:
        assert identify(scope) == identity

    def test_user_that_is_not_looked_up_yet_stays_so(self) -> None:
        user = SimpleLazyObject(lambda: Somebody(1))
        assert identify({"user": user}) is None
        assert user.pk == 1
        assert identify({"user": user}) == 1


ADA, GRACE, NOBODY = Somebody(1), Somebody(2), AnonymousUser()


def ask_the_database() -> Any:
    raise SynchronousOnlyOperation


class TestOwner:
    """Bad input 99: the sid of one user with the cookies of another."""

    @pytest.mark.parametrize(("owner", "other"), [(ADA, GRACE), (ADA, NOBODY), (NOBODY, ADA)])
    async def test_request_of_another_user_is_refused(self, app: Any, owner: Any, other: Any) -> None:
        client = Poller(As(app, owner))
        await client.open()
        await client.post("40")
        thief = Poller(As(app, other))
        thief.sid = client.sid
        for refused in (await thief.get(), await thief.post("1")):
            assert (refused.status, refused.json()) == (403, {"code": 4, "message": "Forbidden"})
        assert (await WebSocket(As(app, other), client.sid).connect())["type"] == "websocket.close"
        # Nothing was taken from its owner.
        assert (await client.get()).text.startswith('40{"sid":')

    @pytest.mark.parametrize(
        ("owner", "other"),
        [
            ((ADA,), (Somebody(1),)),
            ((NOBODY,), (AnonymousUser(),)),
            ((), (ADA,)),
            ((), ()),
            ((ADA,), (SimpleLazyObject(lambda: Somebody(1)),)),
            ((SimpleLazyObject(lambda: Somebody(1)),), (GRACE,)),
        ],
        ids=["same", "nobody", "with middleware now", "without middleware", "lazy", "never looked up"],
    )
    async def test_request_of_the_same_user_is_served(self, app: Any, owner: Any, other: Any) -> None:
        """Or of anybody, if it was not known who opened the session."""
        client = Poller(As(app, *owner))
        await client.open()
        client.app = As(app, *other)
        assert (await client.post("40")).status == 200
        websocket = WebSocket(client.app, client.sid)
        assert (await websocket.connect())["type"] == "websocket.accept"
        websocket.disconnect()
        await websocket.finished()

    @pytest.mark.parametrize("owner", [ADA, NOBODY], ids=["Ada", "nobody"])
    @pytest.mark.parametrize(
        "other",
        [(), (None,), ("a name",), (SimpleLazyObject(lambda: Somebody(2)),), (SimpleLazyObject(ask_the_database),)],
        ids=["no user", "none", "no model", "another one, lazily", "one that only a database knows"],
    )
    async def test_request_that_does_not_show_whose_it_is_is_refused(
        self, app: Any, owner: Any, other: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With only HTTP behind the middleware, a session could be upgraded with anybody's cookies, or with none."""
        client = Poller(As(app, owner))
        await client.open()
        await client.post("40")
        thief = Poller(As(app, *other))
        thief.sid = client.sid
        assert (await WebSocket(thief.app, client.sid).connect())["type"] == "websocket.close"
        assert "Forbidden" in caplog.text
        for refused in (await thief.get(), await thief.post("1")):
            assert (refused.status, refused.json()) == (403, {"code": 4, "message": "Forbidden"})
        assert (await client.get()).text.startswith('40{"sid":')

    async def test_log_names_the_missing_middleware(self, app: Any, caplog: pytest.LogCaptureFixture) -> None:
        client = Poller(As(app, ADA))
        await client.open()
        await WebSocket(app, client.sid).connect()
        assert (
            "AuthMiddlewareStack, around HTTP and WebSocket?), and the session was opened by the user 1" in caplog.text
        )

    async def test_log_tells_it_once(self, app: Any, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(2):
            client = Poller(As(app, ADA))
            await client.open()
            client.app = As(app, GRACE)
            for _ in range(3):
                assert (await client.post("3")).status == 403
        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(told) == 1
        assert "it is sent by the user 2, and the session was opened by the user 1" in told[0]


class Backend:
    """Where users are looked up."""

    users: ClassVar[dict[int, Somebody]] = {}
    lookups = 0
    error: BaseException | None = None

    def get_user(self, user_id: int) -> Somebody | None:
        Backend.lookups += 1
        if Backend.error is not None:
            raise Backend.error
        return self.users.get(user_id)


BACKEND = f"{__name__}.{Backend.__name__}"


class Login:
    """Somebody who logged in, with a Django session."""

    def __init__(self, user: Somebody) -> None:
        Backend.users[user.pk] = user
        self.session = SessionStore()
        self.session.update({SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: BACKEND})
        self.session.save()
        self.headers = [(b"cookie", f"sessionid={self.session.session_key}".encode())]

    async def client(self, app: Any) -> SocketIOClient:
        """Opens a WebSocket, and joins the main namespace."""
        client = await SocketIOClient(AuthMiddlewareStack(app), self.headers).open()
        await client.connect()
        return client

    def end(self) -> None:
        """They log out, or the session expires: it is gone."""
        self.session.delete()


@pytest.fixture
def checks() -> Iterator[None]:
    """Sessions are in a cache, and looked up again all the time."""
    Backend.users, Backend.lookups, Backend.error = {}, 0, None
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
    client.emit("/", "echo", ack_id=1)
    await client.received("31[true]")


async def is_disconnected(client: SocketIOClient) -> None:
    await client.received("1")
    assert await client.websocket.closed() == 1000


@pytest.mark.usefixtures("checks")
class TestChecks:
    """Bad input 100: who logs out, or is no user any more, is disconnected."""

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

    async def test_user_is_told_on_polling_although_the_requests_are_nobodys_now(self, app: Any) -> None:
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
        assert len(registry) == 0

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

    async def test_who_changes_while_they_are_looked_up_is_left_alone(
        self, app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """By leaving, or by a handler that logs somebody else in."""
        ada, grace = Login(ADA), Login(GRACE)
        gone, changed, stale = [await ada.client(app) for _ in range(3)]
        sockets = list(registry)
        looking_up, looked_up = asyncio.Event(), asyncio.Event()

        async def get_user(scope: Any) -> Any:
            looking_up.set()
            await looked_up.wait()
            return NOBODY

        monkeypatch.setattr(users, "get_user", get_user)
        await asyncio.wait_for(looking_up.wait(), TIMEOUT)
        gone.leave()
        await gone.websocket.finished()
        sockets[1].scope |= {"user": GRACE, "session": grace.session}
        looked_up.set()
        await is_disconnected(stale)
        monkeypatch.undo()
        await is_served(changed)
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
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
        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert told == ["A user cannot be looked up, and is not disconnected"]
        Backend.error = None
        ada.end()
        await is_disconnected(client)

    async def test_user_who_cannot_be_looked_up_keeps_nobody_else(
        self, app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada, grace = Login(ADA), Login(GRACE)
        clients = [await login.client(app) for login in (ada, grace)]
        look_up, is_replaced = users._check, asyncio.Event()

        async def check(key: str, sockets: Any) -> None:
            if sockets[0].scope["user"].pk == ADA.pk:
                is_replaced.set()
                raise LookupError("a broken session")
            await look_up(key, sockets)

        monkeypatch.setattr(users, "_check", check)
        await is_replaced.wait()  # from here on no other look at her is on its way
        for login in (ada, grace):
            login.end()
        await is_disconnected(clients[1])
        await is_served(clients[0])

    async def test_it_ends_with_the_last_session_and_begins_with_the_next(self, app: Any) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            await leave(await Login(ADA).client(app))
            assert loop in users._watched
            await until(lambda: loop not in users._watched)

    async def test_without_the_setting_nobody_is_looked_up(self, app: Any) -> None:
        with override_settings(SIO_USER_CHECK_INTERVAL_MS=None):
            client = await Login(ADA).client(app)
            assert asyncio.get_running_loop() not in users._watched
            await leave(client)


async def leave(client: SocketIOClient) -> None:
    client.leave()
    await client.websocket.finished()
