"""System checks of the sample."""

from typing import Any

from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Warning, register

CLIENT = "socket.io-client/socket.io.min.js"


@register("staticfiles")
def check_client_is_installed(**kwargs: Any) -> list[CheckMessage]:
    """The page needs the official client from the npm package."""
    if finders.find(CLIENT):
        return []
    return [
        Warning(
            "The Socket.IO browser client is not installed.",
            hint="Run `npm install` in the root of the repository, then start the server again.",
            id="chat.W001",
        )
    ]
