"""The one page of the chat."""

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chat.checks import CLIENT
from chat.inputs import MESSAGE_LENGTH, NICKNAME_LENGTH, ROOM_LENGTH, max_image_bytes


async def chat(request: HttpRequest) -> HttpResponse:
    """Render the page, with the limits that it checks before the server does."""
    return render(
        request,
        "chat/index.html",
        {
            "client": CLIENT,
            "client_is_installed": finders.find(CLIENT) is not None,
            "max_image_bytes": max_image_bytes(),
            "message_length": MESSAGE_LENGTH,
            "nickname_length": NICKNAME_LENGTH,
            "room_length": ROOM_LENGTH,
        },
    )
