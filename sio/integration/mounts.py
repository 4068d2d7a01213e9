"""The system check of what stands around `sio` in the site's ASGI application, for HTTP and for WebSocket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Any, TypeAlias

from channels.auth import AuthMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter, get_default_application
from channels.security.websocket import OriginValidator
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register

from ..socketio.namespaces import NAMESPACES_KEY

Namespaces: TypeAlias = frozenset[str]


class Users(Enum):
    """Whether the middleware around an application finds the user of a request."""

    FOUND = auto()
    NOT_FOUND = auto()
    UNKNOWN = auto()
    """There is middleware that this check does not know."""


#: Middleware that finds no user.
_OTHER_MIDDLEWARE = (CookieMiddleware, SessionMiddleware, OriginValidator)


@register(Tags.security)
def check_mounts(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """sio.W003: the requests of one protocol have a user, and those of the other, for the same consumers, have none."""
    try:
        application = get_default_application()
    except Exception:
        return []  # there is none; or it cannot be imported, which the server says better
    found: defaultdict[Namespaces, dict[str, set[Users]]] = defaultdict(lambda: {"http": set(), "websocket": set()})
    for protocol, namespaces, users in find_mounts(application):
        found[namespaces][protocol].add(users)
    return [
        _warning(namespaces, has_users, has_none)
        for namespaces, of_protocols in found.items()
        for has_users, has_none in (("http", "websocket"), ("websocket", "http"))
        if of_protocols[has_users] == {Users.FOUND} and Users.NOT_FOUND in of_protocols[has_none]
    ]


def _warning(namespaces: Namespaces, has_users: str, has_none: str) -> CheckMessage:
    names = ", ".join(sorted(namespaces))
    return Warning(
        f"ASGI_APPLICATION serves {names} behind AuthMiddleware for {has_users!r}, and without it for {has_none!r}.",
        hint="Wrap both routers in channels.auth.AuthMiddlewareStack. A session belongs to the user who opened it, and "
        "a request that shows no user is refused: a client cannot upgrade to WebSocket then.",
        id="sio.W003",
    )


def find_mounts(application: Any) -> Iterator[tuple[str, Namespaces, Users]]:
    """Yields the applications of `sio` in an ASGI application: the protocol, what they serve, and whether the
    middleware around them finds users.

    It sees through the routers and the middleware of Channels, and through what else keeps as `inner` what it wraps.
    """
    for router, users in _find(application, ProtocolTypeRouter, Users.NOT_FOUND):
        for protocol in ("http", "websocket"):
            for mount, around in _find(router.application_mapping.get(protocol), NAMESPACES_KEY, users):
                yield protocol, getattr(mount, NAMESPACES_KEY), around


def _find(application: Any, wanted: type | str, users: Users) -> Iterator[tuple[Any, Users]]:
    """Yields the applications of a class, or with an attribute, and what the middleware around them does."""
    if isinstance(application, wanted) if isinstance(wanted, type) else hasattr(application, wanted):
        yield application, users
    elif isinstance(application, URLRouter):
        for route in application.routes:
            yield from _find(getattr(route, "callback", None), wanted, users)
    elif application is not None:
        inner = getattr(application, "application" if isinstance(application, OriginValidator) else "inner", None)
        yield from _find(inner, wanted, _behind(application, users))


def _behind(middleware: Any, users: Users) -> Users:
    if isinstance(middleware, AuthMiddleware):
        return Users.FOUND
    return users if isinstance(middleware, _OTHER_MIDDLEWARE) or users is Users.FOUND else Users.UNKNOWN
