"""The one page, for clients that run in a browser, and a view that emits."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from sio import emitter


def page(request: HttpRequest) -> HttpResponse:
    # Without this icon, the browser would ask for one that is not there.
    return HttpResponse('<!doctype html><html lang="en"><title>Page</title><link rel="icon" href="data:,">')


def emit(request: HttpRequest, room: str, count: int) -> HttpResponse:
    """A view that is not async: it runs in a thread of the server."""
    for number in range(count):
        emitter.to(room).emit("news", number)
    return HttpResponse("sent")


urlpatterns = [path("page", page), path("emit/<room>/<int:count>", emit)]
