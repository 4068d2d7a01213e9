"""The system checks: what `manage.py check` and `runserver` say before the first client can."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.management import get_commands, load_command_class

from .conf import SETTINGS, find_problems

#: What the servers of Node and Python call a setting, where the words are others than ours.
_FOREIGN_NAMES = {
    "MAX_HTTP_BUFFER_SIZE": "SIO_ENGINEIO_MAX_PAYLOAD_BYTES",
    "CORS": "SIO_CORS_ALLOWED_ORIGINS",
    "CORS_ORIGIN": "SIO_CORS_ALLOWED_ORIGINS",
}
#: Words that say nothing of what a setting is for.
_FILLERS = {"SIO", "ENGINEIO", "SOCKETIO", "EIO", "MS", "SECONDS"}
#: How alike two names must be, from 0 to 1, for one to be taken for the other.
_SIMILAR = 0.6


@register(Tags.compatibility)
def check_settings(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """sio.E001: a setting has a wrong value. sio.W001: a setting has a name that `sio` does not know."""
    messages: list[CheckMessage] = [Error(problem, id="sio.E001") for problem in find_problems()]
    for name in dir(settings):
        if name.startswith("SIO_") and name not in SETTINGS:
            similar = suggest(name)
            hint = f"Did you mean {similar}?" if similar else "Settings that begin with SIO_ are those of django-sio."
            messages.append(Warning(f"{name} is no setting of django-sio.", hint=hint, id="sio.W001"))
    return messages


def suggest(name: str) -> str | None:
    """Returns the setting that was probably meant by a name."""
    words = _words(name)
    if words in _FOREIGN_NAMES:
        return _FOREIGN_NAMES[words]
    # The words that matter first: all of `SIO_PING_TIMEOUT` is in a setting, but more letters of it are in another.
    alike = {setting: (_likeness(words, _words(setting)), _likeness(name, setting)) for setting in SETTINGS}
    best = max(SETTINGS, key=alike.__getitem__)
    return best if alike[best][0] >= _SIMILAR else None


def _words(name: str) -> str:
    return "_".join(word for word in name.split("_") if word not in _FILLERS)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


@register(Tags.compatibility)
def check_runserver(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """sio.W002: `runserver` was started, and does not serve ASGI: every client would be answered 404."""
    if sys.argv[1:2] != ["runserver"]:
        return []
    from django.core.servers.basehttp import WSGIServer  # not needed by any other process

    command = load_command_class(get_commands()["runserver"], "runserver")
    if not issubclass(getattr(command, "server_cls", object), WSGIServer):
        return []
    return [
        Warning(
            "runserver serves WSGI, so no Socket.IO client can connect.",
            hint="Put 'daphne' first in INSTALLED_APPS, or start another ASGI server.",
            id="sio.W002",
        )
    ]
