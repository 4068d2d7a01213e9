"""The settings: the only reader of Django's settings in the package.

They are read on first use, and again after `setting_changed`, so that `override_settings` works in tests. A wrong type
or value is an ImproperlyConfigured that names the setting.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import setting_changed
from django.dispatch import receiver

from .engineio.session import EngineIOOptions
from .engineio.state import Transport
from .socketio.options import SocketIOOptions


@dataclass(frozen=True, slots=True)
class SioSettings:
    """Every setting, as the layers take it."""

    engineio: EngineIOOptions
    socketio: SocketIOOptions
    cors_allowed_origins: tuple[str, ...] | str


@functools.cache
def get_settings() -> SioSettings:
    """Returns the settings. Raises ImproperlyConfigured."""
    engineio, socketio = EngineIOOptions(), SocketIOOptions()
    return SioSettings(
        engineio=EngineIOOptions(
            ping_interval=_positive("SIO_ENGINEIO_PING_INTERVAL_MS", engineio.ping_interval),
            ping_timeout=_positive("SIO_ENGINEIO_PING_TIMEOUT_MS", engineio.ping_timeout),
            max_payload=_positive("SIO_ENGINEIO_MAX_PAYLOAD_BYTES", engineio.max_payload),
            upgrade_timeout=_positive("SIO_UPGRADE_TIMEOUT_MS", engineio.upgrade_timeout),
            transports=_read("SIO_TRANSPORTS", engineio.transports, _transports),
            max_buffered_packets=_positive("SIO_MAX_BUFFERED_PACKETS", engineio.max_buffered_packets),
            max_buffered_bytes=_positive("SIO_MAX_BUFFERED_BYTES", engineio.max_buffered_bytes),
        ),
        socketio=SocketIOOptions(
            connect_timeout=_positive("SIO_CONNECT_TIMEOUT_MS", socketio.connect_timeout),
            max_attachments=_positive("SIO_MAX_ATTACHMENTS", socketio.max_attachments),
            max_json_depth=_positive("SIO_MAX_JSON_DEPTH", socketio.max_json_depth),
            max_queued_events=_positive("SIO_MAX_QUEUED_EVENTS", socketio.max_queued_events),
            max_pending_acks=_positive("SIO_MAX_PENDING_ACKS", socketio.max_pending_acks),
            json_default=DjangoJSONEncoder().default,
        ),
        cors_allowed_origins=_read("SIO_CORS_ALLOWED_ORIGINS", (), _origins),
    )


@receiver(setting_changed)
def _forget_settings(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("SIO_"):
        get_settings.cache_clear()


def _read(name: str, default: Any, parse: Callable[[Any], Any]) -> Any:
    value = getattr(settings, name, default)
    try:
        return parse(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be {error}, not {value!r}.") from None


def _positive(name: str, default: int) -> int:
    value: int = _read(name, default, _positive_integer)
    return value


def _positive_integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a positive integer")
    return value


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
    if value == "null":  # what a browser sends for a sandboxed page or a file
        return True
    if not isinstance(value, str):
        return False
    parsed = urlsplit(value)
    return bool(parsed.scheme and parsed.netloc) and value == f"{parsed.scheme}://{parsed.netloc}"
