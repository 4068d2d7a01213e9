"""Which origins may connect, and the CORS headers that their browsers need.

One rule for both transports, on every request: it is what stands in for Django's CSRF protection, since a page of
another site can open a WebSocket with its visitor's cookies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from ..engineio.asgi import Scope
from ..exceptions import ErrorCode, HandshakeError

Headers = Mapping[bytes, bytes]
#: A request's allowed methods and how long a browser may remember a preflight, in seconds.
_ALLOWED_METHODS = b"GET,POST"
_PREFLIGHT_MAX_AGE = b"600"
#: Settings of Django that an OriginPolicy depends on.
ORIGIN_SETTINGS = frozenset(
    {
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "DEBUG",
        "SECURE_PROXY_SSL_HEADER",
        "USE_X_FORWARDED_HOST",
        "USE_X_FORWARDED_PORT",
    }
)
#: What `HttpRequest.get_host` looks at.
_HOST_KEYS = ("HTTP_HOST", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
#: A WebSocket has the origin of the page that opens it. Some clients and proxies name its own scheme nevertheless.
_FOLDED_SCHEMES = {"ws": "http", "wss": "https"}

#: Requests that passed are remembered, so many, if the headers about their origin are no longer than this in bytes.
_MAX_REMEMBERED, _MAX_KEY_LENGTH = 1_000, 500


class _Request(HttpRequest):
    """As much of a Django request as says where it was sent to, made from the ASGI scope of either transport."""

    def __init__(self, scope: Scope, headers: Headers) -> None:
        super().__init__()
        server = scope.get("server") or ("unknown", 0)
        self.META = {"SERVER_NAME": server[0], "SERVER_PORT": str(server[1] or 0)}
        for key, name in _host_headers().items():
            value = headers.get(name)
            if value is not None:
                self.META[key] = value.decode("latin-1")
        self._fold_forwarded_scheme()
        scheme: str = scope.get("scheme") or ""
        self._asgi_scheme = _FOLDED_SCHEMES.get(scheme, scheme)

    def _fold_forwarded_scheme(self) -> None:
        """Traefik writes `wss` for a WebSocket into the header in which Django looks for `https`."""
        key, *secure = settings.SECURE_PROXY_SSL_HEADER or ("",)
        if key in self.META and secure == ["https"]:
            first, *others = self.META[key].split(",")
            self.META[key] = ",".join([_FOLDED_SCHEMES.get(first.strip(), first), *others])

    def _get_scheme(self) -> str:
        return self._asgi_scheme

    def origins(self) -> set[str]:
        """Returns the origins that this request is the same origin as. Raises DisallowedHost."""
        # Daphne gives a WebSocket scope no scheme: both are then the same origin, unless a proxy's header says which.
        schemes = [self.scheme] if self.scheme else ["http", "https"]
        host = self.get_host()
        return {_normalized(f"{scheme}://{host}") for scheme in schemes}


def _host_headers() -> dict[str, bytes]:
    """Returns the headers that say where a request was sent to, by Django's keys for them."""
    # By their real names: a header `x_forwarded_host` is none that a proxy has seen to.
    keys = (*_HOST_KEYS, *(settings.SECURE_PROXY_SSL_HEADER or ())[:1])
    return {key: key.removeprefix("HTTP_").replace("_", "-").lower().encode() for key in keys}


def _normalized(origin: str) -> str:
    scheme, separator, host = origin.lower().partition("://")
    scheme = _FOLDED_SCHEMES.get(scheme, scheme)
    return scheme + separator + host.removesuffix(_DEFAULT_PORTS.get(scheme, ""))


def _advice_about_proxies(headers: Headers) -> str:
    """Returns what to set behind a proxy, and what its headers say where that is set."""
    believed = {
        "SECURE_PROXY_SSL_HEADER": (settings.SECURE_PROXY_SSL_HEADER or ("",))[0],
        "USE_X_FORWARDED_HOST": "HTTP_X_FORWARDED_HOST" if settings.USE_X_FORWARDED_HOST else "",
    }
    missing = [setting for setting, key in believed.items() if not key]
    advice = f", or set {' or '.join(missing)} if the server is behind a proxy" if missing else ""
    for name in [_host_headers()[key] for key in believed.values() if key]:
        value = headers.get(name)
        said = "is missing" if value is None else f"is {value[:100].decode('latin-1')!r}"
        advice += f"; the proxy's header {name.decode()} {said}"
    return advice


class OriginPolicy:
    """The answer to "may this origin connect?" under the settings.

    `allowed` is `"*"`, or origins such as `https://example.com` and `https://*.example.com`, which covers the domain
    and its subdomains. Without an Origin header the client is no browser, or a page of this very site: only the Host
    header is then held against ALLOWED_HOSTS, as Django does.
    """

    def __init__(self, allowed: tuple[str, ...] | str = ()) -> None:
        self._any = allowed == "*"
        origins = {_normalized(origin) for origin in allowed}
        self._origins = {origin for origin in origins if "://*." not in origin}
        #: The headers that say what the origin of a request is.
        self._names = (b"origin", *_host_headers().values())
        #: What they said in requests that passed.
        self._passed: set[tuple[Any, ...]] = set()
        #: Scheme, and domain with a leading dot, as `is_same_domain` takes it.
        self._subdomains = [tuple(origin.split("://*", 1)) for origin in origins - self._origins]

    def check(self, scope: Scope, headers: Headers) -> None:
        """Raises HandshakeError (FORBIDDEN) that says which setting to change."""
        if self._any:
            return
        values = [headers.get(name) for name in self._names]
        key = (scope.get("scheme"), *(scope.get("server") or ()), *values)
        # A polling client asks with each of its requests, and most clients of a site ask the same.
        if key in self._passed:
            return
        self._check(scope, headers)
        if sum(len(value) for value in values if value is not None) <= _MAX_KEY_LENGTH:
            if len(self._passed) >= _MAX_REMEMBERED:
                self._passed.clear()
            self._passed.add(key)

    def _check(self, scope: Scope, headers: Headers) -> None:
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and self._is_listed(origin):
            return
        try:
            same_origins = _Request(scope, headers).origins()
        except DisallowedHost as error:
            raise HandshakeError(ErrorCode.FORBIDDEN, str(error)) from None
        if origin and _normalized(origin) not in same_origins:
            raise HandshakeError(
                ErrorCode.FORBIDDEN,
                f"origin {origin[:200]!r} is not {' or '.join(sorted(same_origins))}; add it to "
                f"SIO_CORS_ALLOWED_ORIGINS{_advice_about_proxies(headers)}",
            )

    def _is_listed(self, origin: str) -> bool:
        origin = _normalized(origin)
        if origin in self._origins:
            return True
        try:
            parsed = urlsplit(origin)
        except ValueError:
            return False
        return any(
            parsed.scheme == scheme and is_same_domain(parsed.netloc, domain) for scheme, domain in self._subdomains
        )

    def headers(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """Returns the CORS headers of any response to this request."""
        origin = headers.get(b"origin")
        if not origin:
            return []
        if self._any:
            # No credentials: with any origin allowed, a polling client must not carry cookies.
            return [(b"access-control-allow-origin", b"*")]
        if not self._is_listed(origin.decode("latin-1")):
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"Origin"),
        ]

    def preflight_headers(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """Returns the headers of the answer to a preflight; none if this is no preflight of an allowed origin."""
        cors = self.headers(headers)
        if not cors or b"access-control-request-method" not in headers:
            return []
        requested = headers.get(b"access-control-request-headers")
        return [
            *[(name, value) for name, value in cors if name != b"vary"],
            (b"vary", b"Origin, Access-Control-Request-Headers"),
            (b"access-control-allow-methods", _ALLOWED_METHODS),
            *([(b"access-control-allow-headers", requested)] if requested else []),
            (b"access-control-max-age", _PREFLIGHT_MAX_AGE),
        ]
