"""The ASGI application: Socket.IO at `/socket.io/`, and `/control/` for the tests.

The setting APPLICATION says what clients talk to: what the official suites of the two protocols ask for, or everything.
"""

from __future__ import annotations

from django.conf import settings
from django.core.asgi import get_asgi_application as get_django_application
from django.urls import re_path

django_application = get_django_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from sio import as_asgi  # noqa: E402
from sio.engineio import EngineIOWebSocketConsumer, LongPollingConsumer, set_engineio_app  # noqa: E402

from . import consumers, failing, suite  # noqa: E402
from .control import control  # noqa: E402
from .unruly import Unruly  # noqa: E402

if settings.APPLICATION == "engineio":
    set_engineio_app(None)  # messages are echoed
    websocket_routes = [re_path(r"^engine\.io/$", EngineIOWebSocketConsumer.as_asgi())]
    http_routes = [re_path(r"^engine\.io/$", LongPollingConsumer.as_asgi())]
else:
    module = suite if settings.APPLICATION == "suite" else consumers
    more = failing.CONSUMERS if settings.UNRULY else []
    websocket_routes = http_routes = [
        re_path(r"^socket\.io/?$", as_asgi(*module.CONSUMERS, *more)),
        re_path(r"^mounted/?$", consumers.InnerConsumer.as_asgi()),
    ]

#: Served on WebSocket without the middleware that knows users.
bare_routes = [re_path(r"^bare/?$", EngineIOWebSocketConsumer.as_asgi())]
control_routes = [re_path(r"^control/(?P<command>\w+)(?:/(?P<number>\d+))?$", control), re_path("", django_application)]

application = ProtocolTypeRouter(
    {
        "websocket": URLRouter([*bare_routes, re_path("", AuthMiddlewareStack(URLRouter(websocket_routes)))]),
        "http": AuthMiddlewareStack(URLRouter([*http_routes, *control_routes])),
    }
)
if settings.UNRULY:
    application = Unruly(application)
