"""One ASGI application: Socket.IO on both transports, and Django for everything else."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The static handler is for servers other than runserver; in production a web server or WhiteNoise does this.
django_app = ASGIStaticFilesHandler(get_asgi_application())

# After get_asgi_application(), as consumers may import models.
from chat.consumers import ChatConsumer, StatusConsumer  # noqa: E402
from lobby.consumers import LobbyConsumer  # noqa: E402

import sio  # noqa: E402

socketio = re_path(r"^socket\.io/?$", sio.as_asgi(ChatConsumer, StatusConsumer, LobbyConsumer))

application = ProtocolTypeRouter(
    {
        "http": URLRouter([socketio, re_path("", django_app)]),
        "websocket": URLRouter([socketio]),
    }
)
