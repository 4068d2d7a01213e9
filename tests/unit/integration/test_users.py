"""To whom a session belongs: requests of other users are refused."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from channels.sessions import SessionMiddlewareStack
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import models
from django.test import modify_settings
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject

from sio import BroadcastOperator, NamespaceSocket, SocketIOConsumer, as_asgi, get_socketio_server
from sio.integration import users as users_module
from sio.integration.users import ANONYMOUS, DjangoUsers, describe, identify
from tests.asgi import Poller, WebSocket
from tests.client import SocketIOClient
from tests.unit.integration.consumers import Consumer
from tests.unit.integration.users import ADA, GRACE, NOBODY, As, Somebody


@pytest.fixture
def app() -> Any:
    return as_asgi(Consumer)


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


class TestScopeUser:
    """What `socket.user` is."""

    @pytest.mark.parametrize("user", [ADA, NOBODY, None])
    def test_user_is_the_one_of_the_scope(self, user: Any) -> None:
        assert DjangoUsers().get({"type": "http", "user": user}) is user

    @pytest.mark.parametrize("protocol", ["http", "websocket"])
    def test_error_names_the_protocol_without_middleware(self, protocol: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"AuthMiddlewareStack around .* for '{protocol}'"):
            DjangoUsers().get({"type": protocol})


#: A UUID, and how it may be written.
UUID = uuid.UUID("0123456789abcdef0123456789abcdef")
UUIDS = [UUID, str(UUID), UUID.hex, f"urn:uuid:{UUID}", UUID.int]


@pytest.fixture
def uuid_users(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[models.Model]]:
    """The user model of a project whose users have UUIDs."""
    with isolate_apps("django.contrib.auth"):

        class Person(models.Model):
            is_authenticated = True
            id = models.UUIDField(primary_key=True, default=uuid.uuid4)

            class Meta:
                app_label = "auth"

            def __str__(self) -> str:
                return "somebody"

        monkeypatch.setattr(users_module, "get_user_model", lambda: Person)
        yield Person


class TestKeyOf:
    """Users are objects or primary keys, however these are written."""

    @pytest.mark.parametrize(
        "user", [5, "5", " 5", "05", User(pk=5), Somebody(5), SimpleLazyObject(lambda: User(pk=5))]
    )
    def test_object_and_primary_keys_are_one_user(self, user: Any) -> None:
        assert DjangoUsers().key_of(user) == "5"
        assert DjangoUsers().room_of(user) == "~user:5"

    @pytest.mark.parametrize("user", UUIDS)
    def test_uuids_are_one_user(self, uuid_users: Any, user: Any) -> None:
        assert DjangoUsers().key_of(user) == DjangoUsers().key_of(uuid_users(pk=UUID)) == str(UUID)

    @pytest.mark.parametrize("user", [AnonymousUser(), SimpleLazyObject(AnonymousUser)])
    def test_anonymous_one_is_nobody(self, user: Any) -> None:
        assert DjangoUsers().key_of(user) is None
        assert DjangoUsers().room_of(user) is None

    @pytest.mark.parametrize("user", [User(username="ada"), SimpleLazyObject(lambda: User(username="ada"))])
    def test_one_that_is_not_saved_is_an_error(self, user: Any) -> None:
        with pytest.raises(ValueError, match=r"<User: ada>.* has not been saved, so nobody is it"):
            DjangoUsers().key_of(user)

    @pytest.mark.parametrize("user", [None, Group(pk=5, name="authors"), Group(name="authors")])
    def test_other_objects_are_no_users(self, user: Any) -> None:
        """A primary key of another model would be that of some user."""
        with pytest.raises(ValueError, match=r"^(None|<Group: authors>) is no user$"):
            DjangoUsers().key_of(user)

    @pytest.mark.parametrize("user", ["abc", "", "5.5", [5], {}, object(), float("nan"), float("inf"), UUID.hex])
    def test_error_names_what_is_no_primary_key(self, user: Any) -> None:
        with pytest.raises(ValueError) as error:  # noqa: PT011  (the message is looked at)
            DjangoUsers().key_of(user)
        assert str(error.value) == f"{user!r} is no primary key of a user"

    @pytest.mark.parametrize("user", ["abc", "", [5], b"abc", -1, 1.5])
    @pytest.mark.usefixtures("uuid_users")
    def test_error_names_what_is_no_uuid(self, user: Any) -> None:
        with pytest.raises(ValueError) as error:  # noqa: PT011  (the message is looked at)
            DjangoUsers().key_of(user)
        assert str(error.value) == f"{user!r} is no primary key of a user"

    @modify_settings(INSTALLED_APPS={"remove": "django.contrib.auth"})
    def test_project_without_user_model_has_users_of_its_own(self) -> None:
        users = DjangoUsers()
        assert [users.key_of(user) for user in (5, "5", "abc", Somebody(5))] == ["5", "5", "abc", "5"]
        with pytest.raises(ValueError, match="None is no user"):
            users.key_of(None)


class TestKeyIn:
    """Whose a socket is, is what `identify` says."""

    @pytest.mark.parametrize(
        ("scope", "key"),
        [
            ({}, None),
            ({"user": None}, None),
            ({"user": "a name"}, None),
            ({"user": NOBODY}, None),
            ({"user": Somebody(5)}, "5"),
            ({"user": User(pk=5)}, "5"),
            ({"user": Somebody(UUID)}, str(UUID)),
            ({"user": SimpleLazyObject(lambda: Somebody(5))}, None),
        ],
    )
    def test_key(self, scope: dict[str, Any], key: str | None) -> None:
        assert DjangoUsers().key_in(scope) == key
        assert DjangoUsers().room_in(scope) == (None if key is None else f"~user:{key}")


class Tabs:
    """Clients of Ada on each transport, one of Grace, and one of nobody."""

    def __init__(self) -> None:
        self._app = as_asgi(Consumer)
        self.all = get_socketio_server().of(Consumer)
        self.poller = Poller(As(self._app, ADA))

    async def open(self) -> Tabs:
        await self.poller.open()
        await self.poller.post("40")
        await self.poller.get()
        self.ada, self.grace, self.nobody = [await self.client(user) for user in (ADA, GRACE, NOBODY)]
        return self

    async def client(self, *user: Any) -> SocketIOClient:
        client = await SocketIOClient(SessionMiddlewareStack(As(self._app, *user))).open()
        await client.connect()
        return client

    async def hear(self, operator: BroadcastOperator) -> set[str]:
        """Returns who gets an event: each gets another one, of its own, after it."""
        await operator.emit("news")
        await self.all.emit("end")
        polled = (await self.poller.get()).text
        assert polled in ('42["end"]', '42["news"]\x1e42["end"]')
        heard = {"poller"} if "news" in polled else set()
        for name in ("ada", "grace", "nobody"):
            client = getattr(self, name)
            if (packet := await client.receive()) == '2["news"]':
                heard.add(name)
                packet = await client.receive()
            assert packet == '2["end"]'
        return heard


class TestToUser:
    """The sockets of a user are those that were opened while it was logged in."""

    @pytest.fixture
    async def tabs(self) -> Tabs:
        return await Tabs().open()

    @pytest.mark.parametrize("user", [ADA, 1, "1", User(pk=1)])
    async def test_every_socket_of_the_user_is_reached_over_both_transports(self, tabs: Tabs, user: Any) -> None:
        assert await tabs.hear(tabs.all.to_user(user)) == {"poller", "ada"}
        assert await tabs.hear(tabs.all.except_user(user)) == {"grace", "nobody"}

    async def test_anonymous_sockets_are_nobodys(self, tabs: Tabs) -> None:
        assert await tabs.hear(tabs.all.to_user(NOBODY)) == set()
        assert await tabs.hear(tabs.all.to_user(NOBODY, GRACE)) == {"grace"}
        assert await tabs.hear(tabs.all.except_user(NOBODY)) == {"poller", "ada", "grace", "nobody"}

    async def test_sockets_without_middleware_are_nobodys(self, tabs: Tabs) -> None:
        await tabs.client()
        assert {room for _, room in get_socketio_server().adapter._rooms if room and ":" in room} == {
            "~user:1",
            "~user:2",
        }

    async def test_socket_follows_a_logout_when_it_is_disconnected(self, tabs: Tabs) -> None:
        tabs.ada.emit("/", "logout", ack_id=1)
        await tabs.ada.received("31[true]")
        assert await tabs.hear(tabs.all.to_user(ADA)) == {"poller", "ada"}
        tabs.ada.leave()
        await tabs.ada.websocket.finished()
        tabs.ada = await tabs.client(NOBODY)
        assert await tabs.hear(tabs.all.to_user(ADA)) == {"poller"}

    async def test_user_of_whom_no_socket_is_left_has_no_room(self, tabs: Tabs) -> None:
        tabs.grace.leave()
        await tabs.grace.websocket.finished()
        assert ("/", "~user:2") not in get_socketio_server().adapter._rooms
        assert ("/", "~user:1") in get_socketio_server().adapter._rooms

    async def test_socket_whose_user_logs_in_while_it_connects_is_reached(self) -> None:
        """As `channels.auth.login` does in a connect hook, for a client that sends a token."""

        class Private(SocketIOConsumer):
            async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
                socket.scope["user"] = ADA
                return True

        client = await SocketIOClient(As(as_asgi(Private), NOBODY)).open()
        await client.connect()
        await Private.sockets.to_user(ADA).emit("news")
        await client.received('2["news"]')


@pytest.mark.parametrize(
    ("user", "words"), [(1, "the user 1"), ("ada", "the user 'ada'"), (ANONYMOUS, "nobody who is logged in")]
)
def test_log_describes_a_user(user: Any, words: str) -> None:
    assert describe(user) == words


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
    async def test_request_that_does_not_show_its_user_is_refused(
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

    async def test_log_says_it_once(self, app: Any, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(2):
            client = Poller(As(app, ADA))
            await client.open()
            client.app = As(app, GRACE)
            for _ in range(3):
                assert (await client.post("3")).status == 403
        logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(logged) == 1
        assert "it is sent by the user 2, and the session was opened by the user 1" in logged[0]
