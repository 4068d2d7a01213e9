"""The ASGI application: Socket.IO at `/socket.io/`, and `/control/` for the tests."""

from __future__ import annotations

from django.core.asgi import get_asgi_application as get_django_application
from django.urls import re_path

django_application = get_django_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from sio import get_asgi_application  # noqa: E402

from .consumers import CONSUMERS  # noqa: E402
from .control import control  # noqa: E402

socketio = re_path(r"^socket\.io/?$", get_asgi_application(*CONSUMERS))

application = ProtocolTypeRouter(
    {
        "websocket": AuthMiddlewareStack(URLRouter([socketio])),
        "http": AuthMiddlewareStack(
            URLRouter([socketio, re_path(r"^control/(?P<command>\w+)$", control), re_path("", django_application)])
        ),
    }
)
