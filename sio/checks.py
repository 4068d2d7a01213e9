"""The system checks: what `manage.py check` and `runserver` tell before the first client does."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .conf import SETTINGS, get_settings


@register(Tags.compatibility)
def check_settings(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """sio.E001: a setting has a wrong value. sio.W001: a setting has a name that `sio` does not know."""
    messages: list[CheckMessage] = []
    try:
        get_settings()
    except ImproperlyConfigured as error:
        messages.append(Error(str(error), id="sio.E001"))
    for name in dir(settings):
        if name.startswith("SIO_") and name not in SETTINGS:
            similar = difflib.get_close_matches(name, SETTINGS, n=1)
            hint = (
                f"Did you mean {similar[0]}?" if similar else "Settings that begin with SIO_ are those of django-sio."
            )
            messages.append(Warning(f"{name} is no setting of django-sio.", hint=hint, id="sio.W001"))
    return messages
