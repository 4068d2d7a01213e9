"""The settings: the only reader of Django's settings in the package.

They are read on first use, and again after `setting_changed`, so that `override_settings` works in tests. Wrong types
and values are an ImproperlyConfigured that names all settings that have one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from .engineio.protocol.options import EngineIOOptions
from .engineio.protocol.state import Transport
from .integration.allow_request import AllowRequest
from .integration.origins import ORIGIN_SETTINGS, OriginPolicy
from .socketio.protocol.options import SocketIOOptions


@dataclass(frozen=True, slots=True)
class SioSettings:
    """Every setting, as the layers take it."""

    engineio: EngineIOOptions
    socketio: SocketIOOptions
    cors_allowed_origins: tuple[str, ...] | str = ()
    #: What the application says to a handshake.
    allow_request: AllowRequest | None = None
    #: How often the users of sessions are looked up again, in milliseconds. None: never.
    user_check_interval: int | None = None
    #: What follows from it, and from Django's CSRF_TRUSTED_ORIGINS.
    origins: OriginPolicy = field(default_factory=OriginPolicy)


@functools.cache
def get_settings() -> SioSettings:
    """Returns the settings. Raises ImproperlyConfigured, with a line for each setting that has a wrong value."""
    values, problems = _read()
    if problems:
        raise ImproperlyConfigured("\n".join(problems))
    groups: dict[str, dict[str, Any]] = {
        "engineio": {},
        "socketio": {"json_default": DjangoJSONEncoder().default},
        "": {},
    }
    for name, value in values.items():
        groups[SETTINGS[name].group][SETTINGS[name].field] = value
    allowed = groups[""].get("cors_allowed_origins", ())
    return SioSettings(
        EngineIOOptions(**groups["engineio"]),
        SocketIOOptions(**groups["socketio"]),
        origins=OriginPolicy(allowed if allowed == "*" else (*allowed, *settings.CSRF_TRUSTED_ORIGINS)),
        **groups[""],
    )


def session_cookie_name() -> str:
    """Returns the name of the cookie with the key of a Django session."""
    return str(settings.SESSION_COOKIE_NAME)


@receiver(setting_changed)
def _forget_settings(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("SIO_") or setting in ORIGIN_SETTINGS:
        get_settings.cache_clear()


def find_problems() -> list[str]:
    """Returns a sentence for each setting that has a wrong value."""
    return _read()[1]


def _read() -> tuple[dict[str, Any], list[str]]:
    """Returns what the project has set, as the layers take it, and what is wrong with the rest."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, setting in SETTINGS.items():
        if hasattr(settings, name):
            value = getattr(settings, name)
            try:
                values[name] = setting.parse(value)
            except ValueError as error:
                problems.append(f"{name} must be {error}, not {value!r}.")
    return values, problems


def _positive_integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a positive integer")
    return value


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return _positive_integer(value)
    except ValueError:
        raise ValueError("a positive integer or None") from None


def _allow_request(value: Any) -> AllowRequest | None:
    if value is None:
        return None
    try:
        function = import_string(value) if isinstance(value, str) else value
    except ImportError as error:
        raise ValueError(f"the dotted path of a function ({error})") from None
    if not callable(function):
        raise ValueError("a function, the dotted path of one, or None")
    return AllowRequest(function)


def _transports(value: Any) -> tuple[str, ...]:
    known = [str(transport) for transport in Transport]
    if not isinstance(value, list | tuple) or not value or not set(map(str, value)) <= set(known):
        raise ValueError(f"a list of one or more of {known}")
    return tuple(str(transport) for transport in value)


def _origins(value: Any) -> tuple[str, ...] | str:
    if value == "*":
        return "*"
    if not isinstance(value, list | tuple) or not all(map(_is_origin, value)):
        raise ValueError(
            '"*" or a list of origins such as "https://example.com" (scheme, host, port, and nothing more)'
        )
    return tuple(value)


def _is_origin(value: Any) -> bool:
    """Whether a value is an origin as clients send it, or `https://*.domain`. It is `null` of a sandboxed page, and in
    applications, its scheme may be any, with a host (`capacitor://localhost`) or without one (`file://`).
    """
    if not isinstance(value, str):
        return False
    origin = value.lower().replace("://*.", "://", 1)
    try:
        parsed = urlsplit(origin)
        needs_host = parsed.scheme in _WEB_SCHEMES or "*" in value
        is_plain = bool(parsed.hostname or not needs_host) and origin == f"{parsed.scheme}://{parsed.netloc}"
    except ValueError:  # an IPv6 address that is none
        return False
    return value == "null" or (is_plain and "*" not in origin)


#: Those of origins that have a host; "": what is no origin.
_WEB_SCHEMES = ("", "http", "https", "ws", "wss")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a setting goes: a field of the options of a layer, or of SioSettings itself. `parse` raises ValueError."""

    group: str
    field: str
    parse: Callable[[Any], Any] = _positive_integer


#: Every setting. The defaults are those of the dataclasses.
SETTINGS = {
    "SIO_ENGINEIO_PING_INTERVAL_MS": Setting("engineio", "ping_interval"),
    "SIO_ENGINEIO_PING_TIMEOUT_MS": Setting("engineio", "ping_timeout"),
    "SIO_ENGINEIO_MAX_PAYLOAD_BYTES": Setting("engineio", "max_payload"),
    "SIO_UPGRADE_TIMEOUT_MS": Setting("engineio", "upgrade_timeout"),
    "SIO_SHUTDOWN_TIMEOUT_MS": Setting("engineio", "shutdown_timeout"),
    "SIO_TRANSPORTS": Setting("engineio", "transports", _transports),
    "SIO_MAX_BUFFERED_PACKETS": Setting("engineio", "max_buffered_packets"),
    "SIO_MAX_BUFFERED_BYTES": Setting("engineio", "max_buffered_bytes"),
    "SIO_CONNECT_TIMEOUT_MS": Setting("socketio", "connect_timeout"),
    "SIO_CONNECT_HOOK_TIMEOUT_MS": Setting("socketio", "connect_hook_timeout"),
    "SIO_MAX_ATTACHMENTS": Setting("socketio", "max_attachments"),
    "SIO_MAX_ATTACHMENTS_BYTES": Setting("socketio", "max_attachments_bytes"),
    "SIO_ATTACHMENTS_TIMEOUT_MS": Setting("socketio", "attachments_timeout"),
    "SIO_MAX_JSON_DEPTH": Setting("socketio", "max_json_depth"),
    "SIO_MAX_QUEUED_EVENTS": Setting("socketio", "max_queued_events"),
    "SIO_MAX_QUEUED_BYTES": Setting("socketio", "max_queued_bytes"),
    "SIO_MAX_SESSION_BYTES": Setting("socketio", "max_session_bytes"),
    "SIO_MAX_AUTH_BYTES": Setting("socketio", "max_auth_bytes"),
    "SIO_MAX_ROOMS": Setting("socketio", "max_rooms"),
    "SIO_MAX_PENDING_ACKS": Setting("socketio", "max_pending_acks"),
    "SIO_CHANNEL_LAYER_TIMEOUT_MS": Setting("socketio", "channel_layer_timeout"),
    "SIO_CHANNEL_LAYER_CHECK_MS": Setting("socketio", "channel_layer_check_interval"),
    "SIO_CORS_ALLOWED_ORIGINS": Setting("", "cors_allowed_origins", _origins),
    "SIO_MAX_SESSIONS": Setting("engineio", "max_sessions", _limit),
    "SIO_MAX_UNJOINED_SESSIONS": Setting("engineio", "max_unestablished_sessions", _limit),
    "SIO_ALLOW_REQUEST": Setting("", "allow_request", _allow_request),
    "SIO_USER_CHECK_INTERVAL_MS": Setting("", "user_check_interval", _limit),
}
