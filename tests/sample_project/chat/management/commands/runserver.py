"""Daphne's ``runserver``, for somebody who wants to read what it says."""

import socket
from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from django.core.management import CommandError


class Command(DaphneCommand):
    """Ends when its port is not to be had, where Daphne waits under the autoreloader, and logs no polls."""

    def run(self, **options: Any) -> None:
        """Look for the port first, and then run the server."""
        family = socket.AF_INET6 if self.use_ipv6 else socket.AF_INET
        try:
            socket.create_server((self.addr, int(self.port)), family=family).close()
        except OSError as error:
            advice = "End what uses the port, or choose another one: make run PORT=8001"
            raise CommandError(f"Cannot listen: {error.strerror}. {advice}") from None
        super().run(**options)

    def log_action(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        """Log requests, but for the polls that went well: each client sends one after the other."""
        is_poll = protocol == "http" and details.get("path", "").startswith("/socket.io/")
        if not is_poll or details.get("status", 0) >= 400:
            super().log_action(protocol, action, details)
