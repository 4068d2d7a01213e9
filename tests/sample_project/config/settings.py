"""Settings of the sample chat: no database, no accounts, nothing to install beside the package.

Every ``SIO_*`` setting of the package can be given as an environment variable that holds JSON, for example
``SIO_ENGINEIO_PING_INTERVAL_MS=300``. The switches of the sample itself begin with ``SIO_SAMPLE_``:

``SIO_SAMPLE_DEBUG``          Django's ``DEBUG``, ``true`` by default.
``SIO_SAMPLE_ALLOWED_HOSTS``  More host names or addresses, separated by commas. To open the chat from a phone:
                              ``SIO_SAMPLE_ALLOWED_HOSTS=192.168.1.5 python manage.py runserver 0.0.0.0:8000``.
``SIO_SAMPLE_REDIS_URL``      Use Redis as the channel layer, so that several processes serve one chat.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

from config.local_time import local_time_zone

BASE_DIR = Path(__file__).resolve().parents[1]
REPOSITORY = BASE_DIR.parents[1]

# The sample keeps nothing that a secret key protects. A real project never commits its key.
SECRET_KEY = "insecure-sample-key-of-the-django-sio-chat"
DEBUG = json.loads(os.environ.get("SIO_SAMPLE_DEBUG", "true"))
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    socket.gethostname(),
    f"{socket.gethostname()}.local",
    *filter(None, os.environ.get("SIO_SAMPLE_ALLOWED_HOSTS", "").split(",")),
]

INSTALLED_APPS = [
    "chat",  # before daphne: its runserver is Daphne's, with a log that can be read
    "daphne",  # before staticfiles: its runserver serves ASGI
    "channels",
    "sio",
    "django.contrib.staticfiles",
]
MIDDLEWARE = ["config.middleware.content_security_policy"]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES: dict[str, dict[str, str]] = {}
USE_TZ = True
TIME_ZONE = local_time_zone()

CHANNEL_LAYERS: dict[str, Any] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
if redis_url := os.environ.get("SIO_SAMPLE_REDIS_URL"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [redis_url]},
        }
    }

# The official browser client, straight from the npm package: chat/checks.py tells when it is not there.
SOCKET_IO_CLIENT = REPOSITORY / "node_modules" / "socket.io-client" / "dist"
STATIC_URL = "static/"
STATICFILES_DIRS = [("socket.io-client", SOCKET_IO_CLIENT)] if SOCKET_IO_CLIENT.is_dir() else []

for name, value in os.environ.items():
    if name.startswith("SIO_") and not name.startswith("SIO_SAMPLE_"):
        globals()[name] = json.loads(value)
