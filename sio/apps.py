"""The Django app."""

from __future__ import annotations

from functools import partial

from django.apps import AppConfig


class SioConfig(AppConfig):
    """`INSTALLED_APPS += ["channels", "sio"]`."""

    name = "sio"
    verbose_name = "Socket.IO"

    def ready(self) -> None:
        """Tells how the server of this process is made: with Django's settings, the channel layer and the databases."""
        from . import checks, mounts  # noqa: F401 - registers them
        from .conf import get_settings
        from .database import make_upkeep
        from .socketio.channel_layer import ChannelLayerAdapter
        from .socketio.options import SocketIOOptions
        from .socketio.server import SocketIOServer, set_server_factory
        from .users import get_scope_user

        def options() -> SocketIOOptions:
            return get_settings().socketio

        def make_server() -> SocketIOServer:
            return SocketIOServer(options, partial(ChannelLayerAdapter, options), make_upkeep(), get_scope_user)

        set_server_factory(make_server)
