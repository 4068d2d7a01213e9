"""The Django settings of `sio` and of the raw Channels consumer."""

from __future__ import annotations

from .options import PING_INTERVAL_MS, REDIS_URL

SECRET_KEY = "only for the benchmarks, and long enough for Django"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
USE_TZ = True
INSTALLED_APPS = ["channels", "sio"]
SIO_ENGINEIO_PING_INTERVAL_MS = PING_INTERVAL_MS
# The default, but where pings are put off, nothing else is to depend on the time either.
SIO_CONNECT_TIMEOUT_MS = max(45_000, PING_INTERVAL_MS)

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
IN_REDIS = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
CHANNEL_LAYERS = {"default": IN_REDIS if REDIS_URL else IN_MEMORY}
