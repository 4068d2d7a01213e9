"""To whom a session belongs: requests of other users are refused."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.utils.functional import SimpleLazyObject

from sio import as_asgi
from sio.integration.users import ANONYMOUS, describe, get_scope_user, identify
from tests.asgi import Poller, WebSocket
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
        assert get_scope_user({"type": "http", "user": user}) is user

    @pytest.mark.parametrize("protocol", ["http", "websocket"])
    def test_error_names_the_protocol_without_middleware(self, protocol: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"AuthMiddlewareStack around .* for '{protocol}'"):
            get_scope_user({"type": protocol})


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
