"""Users, middleware that knows them, and logins with a Django session."""

from __future__ import annotations

from typing import Any, ClassVar

from channels.auth import AuthMiddlewareStack
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cache import SessionStore

from tests.client import SocketIOClient


class Somebody:
    """As much of a user as tells one from another."""

    is_authenticated = True

    def __init__(self, pk: int) -> None:
        self.pk = pk


ADA, GRACE, NOBODY = Somebody(1), Somebody(2), AnonymousUser()


class As:
    """The application, with the user that middleware finds for every request."""

    def __init__(self, app: Any, *user: Any) -> None:
        self._app = app
        self._scope = {"user": user[0]} if user else {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, **self._scope}, receive, send)


class Backend:
    """Where users are looked up."""

    users: ClassVar[dict[int, Somebody]] = {}
    lookups = 0
    error: BaseException | None = None

    @classmethod
    def reset(cls) -> None:
        cls.users, cls.lookups, cls.error = {}, 0, None

    def get_user(self, user_id: int) -> Somebody | None:
        Backend.lookups += 1
        if Backend.error is not None:
            raise Backend.error
        return self.users.get(user_id)


BACKEND = f"{__name__}.{Backend.__name__}"


class Login:
    """A login of a user, with a Django session."""

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
        """The user logs out, or the session expires: it is gone."""
        self.session.delete()
