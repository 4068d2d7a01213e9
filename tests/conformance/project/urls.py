"""The one page, for clients that run in a browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(request: HttpRequest) -> HttpResponse:
    # Without this icon, the browser would ask for one that is not there.
    return HttpResponse('<!doctype html><html lang="en"><title>Page</title><link rel="icon" href="data:,">')


urlpatterns = [path("page", page)]
