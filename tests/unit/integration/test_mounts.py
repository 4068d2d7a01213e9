"""sio.W003: middleware that finds users must be around both protocols, or around none."""

from __future__ import annotations

from typing import Any

import pytest
from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.middleware import BaseMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack
from django.core.checks import registry
from django.test import override_settings
from django.urls import path, re_path

from sio import SocketIOConsumer, as_asgi
from sio.integration.mounts import Users, check_mounts, find_mounts


class First(SocketIOConsumer):
    namespace = "/first"


class Second(SocketIOConsumer):
    namespace = "/second"


class OwnMiddleware(BaseMiddleware):
    """May find users, and may not."""


class OwnAuthMiddleware(AuthMiddleware):
    pass


def is_no_class(inner: Any) -> Any:
    """Middleware that nothing can look into."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)

    return application


async def django_app(scope: Any, receive: Any, send: Any) -> None:
    """What else the site serves."""


def plain(inner: Any) -> Any:
    return inner


def own_auth(inner: Any) -> Any:
    return SessionMiddlewareStack(OwnAuthMiddleware(inner))


def routed(mount: Any) -> Any:
    return URLRouter([re_path(r"^socket\.io/?$", mount), re_path("", django_app)])


#: What `check_mounts` looks at. Set by `messages`.
application: Any = None


def messages(http: Any, websocket: Any) -> list[tuple[Any, ...]]:
    """Returns what the check says of a site."""
    return messages_about(ProtocolTypeRouter({"http": http, "websocket": websocket}))


@override_settings(ASGI_APPLICATION=f"{__name__}.application")
def messages_about(site: Any) -> list[tuple[Any, ...]]:
    global application
    application = site
    return [(message.id, message.msg) for message in check_mounts()]


@pytest.mark.parametrize(
    "around", [AuthMiddlewareStack, own_auth, lambda app: AllowedHostsOriginValidator(AuthMiddlewareStack(app))]
)
@pytest.mark.parametrize("bare", [plain, SessionMiddlewareStack, AllowedHostsOriginValidator])
def test_one_protocol_without_users_is_a_warning(around: Any, bare: Any) -> None:
    mount = First.as_asgi()
    message = "ASGI_APPLICATION serves /first behind AuthMiddleware for {!r}, and without it for {!r}."
    assert messages(around(routed(mount)), bare(routed(mount))) == [("sio.W003", message.format("http", "websocket"))]
    assert messages(bare(routed(mount)), around(routed(mount))) == [("sio.W003", message.format("websocket", "http"))]


@pytest.mark.parametrize("around", [plain, AuthMiddlewareStack, own_auth, OwnMiddleware, is_no_class])
def test_both_protocols_alike_are_no_warning(around: Any) -> None:
    assert messages(around(routed(First.as_asgi())), around(routed(First.as_asgi()))) == []
    assert messages(routed(around(First.as_asgi())), around(routed(First.as_asgi()))) == []


@pytest.mark.parametrize(
    "unknown", [OwnMiddleware, is_no_class, lambda app: OwnMiddleware(SessionMiddlewareStack(app))]
)
def test_middleware_that_may_find_users_is_no_warning(unknown: Any) -> None:
    mount = First.as_asgi()
    assert messages(AuthMiddlewareStack(routed(mount)), unknown(routed(mount))) == []
    assert messages(OwnMiddleware(AuthMiddlewareStack(routed(mount))), AuthMiddlewareStack(routed(mount))) == []


def test_middleware_around_everything_counts() -> None:
    router = ProtocolTypeRouter(
        {"http": routed(First.as_asgi()), "websocket": AuthMiddlewareStack(routed(First.as_asgi()))}
    )
    assert len(messages_about(router)) == 1
    assert messages_about(AuthMiddlewareStack(router)) == []


def test_each_mount_is_looked_at() -> None:
    both = as_asgi(First, Second)
    http = URLRouter([path("a", AuthMiddlewareStack(First.as_asgi())), path("b", both)])
    websocket = URLRouter([path("a", First.as_asgi()), path("b", AuthMiddlewareStack(both))])
    assert [message for _, message in messages(http, websocket)] == [
        "ASGI_APPLICATION serves /first behind AuthMiddleware for 'http', and without it for 'websocket'.",
        "ASGI_APPLICATION serves /first, /second behind AuthMiddleware for 'websocket', and without it for 'http'.",
    ]


def test_same_consumers_behind_it_at_one_path_and_not_at_another_are_no_warning() -> None:
    router = URLRouter([path("a", AuthMiddlewareStack(First.as_asgi())), path("b", First.as_asgi())])
    assert messages(router, router) == []


def test_protocol_that_is_not_served_is_no_warning() -> None:
    assert messages_about(ProtocolTypeRouter({"http": AuthMiddlewareStack(routed(First.as_asgi()))})) == []
    assert messages(AuthMiddlewareStack(routed(First.as_asgi())), django_app) == []


@pytest.mark.parametrize(
    "asgi", [None, "", "nothing", "nothing.at_all", f"{__name__}.missing", f"{__name__}.django_app"]
)
def test_site_without_an_application_that_can_be_looked_at_has_no_warning(asgi: str | None) -> None:
    with override_settings(ASGI_APPLICATION=asgi):
        assert check_mounts() == []


def test_mounts_are_found() -> None:
    router = ProtocolTypeRouter({"http": OwnMiddleware(routed(First.as_asgi())), "websocket": First.as_asgi()})
    assert list(find_mounts(router)) == [
        ("http", frozenset({"/first"}), Users.UNKNOWN),
        ("websocket", frozenset({"/first"}), Users.NOT_FOUND),
    ]


def test_check_is_registered() -> None:
    assert check_mounts in registry.registry.get_checks()
