"""The ASGI application: Socket.IO at `/socket.io/`, and `/control/` for the test."""

from __future__ import annotations

from django.core.asgi import get_asgi_application as get_django_application
from django.urls import re_path

django_application = get_django_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from .consumers import SoakConsumer  # noqa: E402
from .control import control  # noqa: E402

socketio = re_path(r"^socket\.io/?$", SoakConsumer.as_asgi())
control_route = re_path(r"^control/(?P<command>\w+)$", control)

application = ProtocolTypeRouter({"http": URLRouter([socketio, control_route]), "websocket": URLRouter([socketio])})
