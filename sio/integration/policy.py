"""The decisions of an Engine.IO server as Django's settings, users and sessions have them."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from .. import conf
from ..engineio.asgi import Scope
from ..engineio.policy import HeaderList, Headers, Policy
from ..engineio.server import EngineIOServer
from ..engineio.socket import EngineIOSocket
from .django_sessions import protect
from .shutdown import ExitWatch
from .user_checks import UserChecks
from .users import check_owner, identify, remember_owner


class DjangoPolicy(Policy):
    """The policy of a server in a Django project."""

    def bind(self, server: EngineIOServer) -> None:
        """Watches over the sessions of the server."""
        self._user_checks = UserChecks(server)
        self._exit_watch = ExitWatch(server)

    @property
    def asks(self) -> bool:
        """Whether there is SIO_ALLOW_REQUEST."""
        return conf.get_settings().allow_request is not None

    @property
    def ask_patience(self) -> float:
        """SIO_CONNECT_HOOK_TIMEOUT_MS, in seconds."""
        return conf.get_settings().socketio.connect_hook_timeout / 1000

    def check_origin(self, scope: Scope, headers: Headers) -> None:
        conf.get_settings().origins.check(scope, headers)

    def cors_headers(self, headers: Headers) -> HeaderList:
        return conf.get_settings().origins.headers(headers)

    def preflight_headers(self, headers: Headers) -> HeaderList:
        return conf.get_settings().origins.preflight_headers(headers)

    def ask(self, scope: Scope) -> Coroutine[Any, Any, None] | None:
        allow_request = conf.get_settings().allow_request
        return None if allow_request is None else allow_request.check(scope)

    check_owner = staticmethod(check_owner)

    def prepare_wait(self, scope: Scope) -> Coroutine[Any, Any, None] | None:
        return protect(scope) if "session" in scope and scope["type"] == "http" else None

    def session_opens(self, socket: EngineIOSocket) -> None:
        """Remembers whose session it is, and watches over the end of the process and of the user's login."""
        remember_owner(socket, identify(socket.scope))
        self._exit_watch.start()
        if conf.get_settings().user_check_interval is not None:
            self._user_checks.start()
