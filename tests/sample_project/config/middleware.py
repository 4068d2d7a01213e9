"""A Content-Security-Policy that keeps every request of the page on this server."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import async_only_middleware

POLICY = (
    "default-src 'self'; img-src 'self' blob:; connect-src 'self' ws://{host} wss://{host}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)


@async_only_middleware
def content_security_policy(
    get_response: Callable[[HttpRequest], Awaitable[HttpResponse]],
) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    """Send the policy with every page."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        response = await get_response(request)
        # Named for browsers in which 'self' does not cover the WebSocket schemes.
        response.headers["Content-Security-Policy"] = POLICY.format(host=request.get_host())
        return response

    return middleware
