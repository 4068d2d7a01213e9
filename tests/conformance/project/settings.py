"""Settings of a server under test. The environment variable SIO_CONFORMANCE_SETTINGS overrides them, in JSON."""

from __future__ import annotations

import json
import os

SECRET_KEY = "only for the conformance tests, and long enough"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
USE_TZ = True
INSTALLED_APPS = [
    "channels",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "sio",
]
#: What `asgi.py` serves: "everything", "engineio" or "suite".
APPLICATION = "everything"
#: Whether requests may ask for an ASGI server with bad habits: `unruly.py`.
UNRULY = False
AUTHENTICATION_BACKENDS = ["tests.conformance.project.users.Backend"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
ASGI_APPLICATION = "tests.conformance.project.asgi.application"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

globals().update(json.loads(os.environ.get("SIO_CONFORMANCE_SETTINGS", "{}")))
