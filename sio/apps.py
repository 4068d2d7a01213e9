"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class SioConfig(AppConfig):
    """`INSTALLED_APPS += ["channels", "sio"]`."""

    name = "sio"
    verbose_name = "Socket.IO"

    def ready(self) -> None:
        """Registers the system checks, and says how the server of this process is made."""
        from . import checks  # noqa: F401 - registers them
        from .engineio.process import process
        from .integration import mounts  # noqa: F401 - registers its check
        from .integration.server import make_server

        process.make = make_server
