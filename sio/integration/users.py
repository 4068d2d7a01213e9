"""Whose session it is: requests of other users are refused.

A user is what `channels.auth.AuthMiddlewareStack`, or middleware like it, left in the scope of each request. Nothing
here applies to an application without such middleware.
"""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.functional import LazyObject, empty

from ..engineio.asgi import Scope
from ..engineio.socket import EngineIOSocket
from ..exceptions import ErrorCode, HandshakeError
from ..socketio.users import Users

#: The identity of everybody who is not logged in.
ANONYMOUS: Final = object()

#: Where the scope of a session's handshake keeps whose session it is, and whether the log knows of requests by others.
_OWNER, _IS_LOGGED = "sio.owner", "sio.other_user_is_logged"


class DjangoUsers(Users):
    """The users of a Django project, by their primary key: 5 and "5" are one user."""

    def get(self, scope: Scope) -> Any:
        """Raises ImproperlyConfigured if no middleware has looked for a user."""
        try:
            return scope["user"]
        except KeyError:
            raise ImproperlyConfigured(
                f"socket.user needs channels.auth.AuthMiddlewareStack around the application that is routed for "
                f"{scope['type']!r}, or other middleware that puts a user into the scope."
            ) from None

    def key_in(self, scope: Scope) -> str | None:
        identity = identify(scope)
        return None if identity is None or identity is ANONYMOUS else str(identity)

    def key_of(self, user: Any) -> str | None:
        """Returns the primary key of a user, which may be given in its place; None for an anonymous one. Raises
        ValueError for what is no user, and for one that has not been saved.
        """
        is_authenticated = getattr(user, "is_authenticated", None)
        if is_authenticated is None:
            return self._to_key(user)
        if not is_authenticated:
            return None
        if user.pk is None:
            raise ValueError(f"{user!r} has not been saved, so nobody is it")
        return str(user.pk)

    def _to_key(self, pk: Any) -> str:
        # An object of another model has a primary key as well: it would be that of some other user.
        if pk is None or hasattr(pk, "pk"):
            raise ValueError(f"{pk!r} is no user")
        if not apps.is_installed("django.contrib.auth"):
            return str(pk)
        try:
            return str(get_user_model()._meta.pk.to_python(pk))
        except (ValidationError, TypeError, OverflowError):
            raise ValueError(f"{pk!r} is no primary key of a user") from None


def identify(scope: Scope) -> Any:
    """Returns what makes a user another one than others: the primary key, or ANONYMOUS; None if nobody knows."""
    user = scope.get("user")
    if isinstance(user, LazyObject):
        # One that was not looked up yet stays so: this is no place to wait for a database.
        user = None if user._wrapped is empty else user._wrapped
    is_authenticated = getattr(user, "is_authenticated", None)
    if is_authenticated is None:
        return None
    return getattr(user, "pk", None) if is_authenticated else ANONYMOUS


def remember_owner(socket: EngineIOSocket, user: Any) -> None:
    """From now on, the session belongs to a user, as `identify` returns it."""
    socket.scope[_OWNER] = user


def check_owner(socket: EngineIOSocket, scope: Scope) -> None:
    """Raises HandshakeError (FORBIDDEN) for a request by another user than the one who opened the session, and for one
    that does not show whose it is.

    The session goes on for its owner. A user who logged in or out meanwhile is another one too: the client reconnects,
    and is then that other user. What a handler does to the scope of the session, such as `channels.auth.login`, does
    not count: the cookies of the client stay what they are.
    """
    owner = socket.scope[_OWNER]
    if owner is None:
        return  # there was no middleware that knows users
    user = identify(scope)
    if user is None:
        user = identify({"user": _looked_up(scope.get("user"))})
    if user == owner:
        return
    is_logged = socket.scope.get(_IS_LOGGED, False)
    socket.scope[_IS_LOGGED] = True
    raise HandshakeError(
        ErrorCode.FORBIDDEN,
        f"it is sent by {describe(user)}, and the session was opened by {describe(owner)}",
        is_notable=not is_logged,
    )


def _looked_up(user: Any) -> Any:
    """Returns a user whom middleware left to be looked up on first use, if that needs no database."""
    try:
        bool(getattr(user, "is_authenticated", None))
    except Exception:  # SynchronousOnlyOperation
        return None
    return user


def describe(user: Any) -> str:
    """Returns words for a user, for the log."""
    if user is None:
        return (
            "nobody whom the server knows (is there the same middleware, such as AuthMiddlewareStack, around HTTP and "
            "WebSocket?)"
        )
    return "nobody who is logged in" if user is ANONYMOUS else f"the user {user!r}"
