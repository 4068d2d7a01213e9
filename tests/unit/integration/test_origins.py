"""Which origins may connect, and what the log says of the others.

The tests' settings allow the host `testserver`, and no origin but the site's own.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from sio.conf import get_settings
from sio.exceptions import ErrorCode, HandshakeError
from sio.integration import origins
from sio.integration.origins import OriginPolicy
from tests.unit.integration.requests import Headers, request_headers

#: The scheme of a scope without one: Daphne gives none to a WebSocket.
NO_SCHEME = ""


def is_allowed(headers: Headers, scheme: str = "http", policy: OriginPolicy | None = None, **scope: Any) -> bool:
    """Whether a request may connect, under the settings if no policy is given."""
    policy = policy or get_settings().origins
    scope = {"server": ("testserver", 80), **scope, **({"scheme": scheme} if scheme else {})}
    try:
        policy.check(scope, headers)
    except HandshakeError as error:
        if error.code is ErrorCode.FORBIDDEN:
            return False
        raise
    return True


class TestSameOrigin:
    """Without settings, only pages of the site itself may connect."""

    @pytest.mark.parametrize(
        ("origin", "host", "scheme", "allowed"),
        [
            ("http://testserver", "testserver", "http", True),
            ("https://testserver", "testserver", "https", True),
            ("http://testserver", "testserver", "ws", True),
            ("https://testserver", "testserver", "wss", True),
            ("http://testserver", "testserver", NO_SCHEME, True),
            ("https://testserver", "testserver", NO_SCHEME, True),
            # The scheme counts.
            ("http://testserver", "testserver", "https", False),
            ("https://testserver", "testserver", "http", False),
            ("http://testserver", "testserver", "wss", False),
            ("https://testserver", "testserver", "ws", False),
            # A client may name the scheme of the WebSocket, as Swift's does: it is that of the page.
            ("ws://testserver", "testserver", "ws", True),
            ("ws://testserver:80", "testserver", "ws", True),
            ("WS://testserver:8000", "testserver:8000", "ws", True),
            ("ws://testserver", "testserver", "http", True),
            ("wss://testserver", "testserver", "wss", True),
            ("wss://testserver:443", "testserver", "https", True),
            ("ws://testserver", "testserver", NO_SCHEME, True),
            ("wss://testserver", "testserver", NO_SCHEME, True),
            ("wss://testserver", "testserver", "ws", False),
            ("ws://testserver", "testserver", "wss", False),
            ("ws://localhost", "testserver", "ws", False),
            ("file://", "testserver", "http", False),
            ("ftp://testserver", "testserver", NO_SCHEME, False),
            # The port counts, but for the default one.
            ("http://testserver:8000", "testserver:8000", "http", True),
            ("http://testserver:80", "testserver", "http", True),
            ("http://testserver", "testserver:80", "http", True),
            ("https://testserver:443", "testserver", "wss", True),
            ("https://testserver", "testserver:443", NO_SCHEME, True),
            ("http://testserver:8000", "testserver", "http", False),
            ("http://testserver", "testserver:8000", "http", False),
            ("http://testserver:8001", "testserver:8000", "http", False),
            ("http://testserver:443", "testserver", "http", False),
            # The case does not.
            ("HTTP://TestServer", "testserver", "http", True),
            ("http://testserver", "TESTSERVER", "ws", True),
            # Others.
            ("http://localhost", "testserver", "http", False),
            ("http://a.testserver", "testserver", "http", False),
            ("http://testserver.evil.example", "testserver", "http", False),
            ("http://eviltestserver", "testserver", "http", False),
            ("http://testserver@evil.example", "testserver", "http", False),
            ("http://testserver/", "testserver", "http", False),
            ("testserver", "testserver", "http", False),
            ("null", "testserver", "http", False),
            ("null", "testserver", NO_SCHEME, False),
            ("http://[", "testserver", "http", False),
            ("é", "testserver", "http", False),
        ],
    )
    def test_origin(self, origin: str, host: str, scheme: str, allowed: bool) -> None:
        assert is_allowed(request_headers(origin, host), scheme) is allowed

    @override_settings(ALLOWED_HOSTS=["[::1]", ".example.com"])
    @pytest.mark.parametrize("host", ["[::1]:8000", "example.com", "a.example.com:8000"])
    def test_host_that_django_allows(self, host: str) -> None:
        assert is_allowed(request_headers(f"http://{host}", host))
        assert not is_allowed(request_headers(f"http://{host}1", host))

    @override_settings(ALLOWED_HOSTS=["*"])
    def test_any_host(self) -> None:
        assert is_allowed(request_headers("http://any.example", "any.example"))
        assert not is_allowed(request_headers("http://other.example", "any.example"))


class TestHost:
    """Without an Origin header there is still a Host, which ALLOWED_HOSTS is for."""

    @pytest.mark.parametrize("scheme", ["http", "wss", NO_SCHEME])
    def test_client_without_an_origin_is_no_foreign_page(self, scheme: str) -> None:
        assert is_allowed(request_headers(), scheme)
        assert is_allowed(request_headers(origin=""), scheme)

    @pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver:port", "a b", "", "@"])
    @pytest.mark.parametrize("origin", [None, "http://testserver"])
    def test_forged_host_is_refused(self, origin: str | None, host: str) -> None:
        assert not is_allowed(request_headers(origin, host))

    def test_origin_that_fits_a_forged_host_is_refused(self) -> None:
        assert not is_allowed(request_headers("http://evil.example", "evil.example"))

    def test_request_without_a_host_is_to_the_address_of_the_server(self) -> None:
        headers = request_headers("http://testserver:8000", host=None)
        assert is_allowed(headers, server=("testserver", 8_000))
        assert not is_allowed(headers, server=("testserver", 80))

    @pytest.mark.parametrize("server", [None, ("/run/server.sock", None)])
    def test_server_without_an_address_needs_a_host(self, server: Any) -> None:
        assert is_allowed(request_headers("http://testserver"), server=server)
        assert not is_allowed(request_headers("http://testserver", host=None), server=server)

    def test_header_that_is_not_ascii_is_harmless(self) -> None:
        assert is_allowed({**request_headers(), b"x-name": b"\xff\xfe"})


class TestProxies:
    """Behind a proxy, Django's settings say which headers to believe."""

    @override_settings(USE_X_FORWARDED_HOST=True, ALLOWED_HOSTS=["public.example"])
    def test_forwarded_host_counts_if_django_believes_it(self) -> None:
        assert is_allowed(request_headers("http://public.example", "internal", x_forwarded_host="public.example"))
        assert not is_allowed(request_headers("http://internal", "internal", x_forwarded_host="public.example"))

    def test_forwarded_host_does_not_count_otherwise(self) -> None:
        assert not is_allowed(request_headers("http://localhost", x_forwarded_host="localhost"))

    @override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    @pytest.mark.parametrize("scheme", ["http", "ws", NO_SCHEME])
    def test_forwarded_scheme_counts_if_django_believes_it(self, scheme: str) -> None:
        assert is_allowed(request_headers("https://testserver", x_forwarded_proto="https"), scheme)
        assert not is_allowed(request_headers("http://testserver", x_forwarded_proto="https"), scheme)

    @override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    @pytest.mark.parametrize(
        ("forwarded", "own", "foreign"),
        [
            ("wss", "https://testserver", "http://testserver"),
            ("wss", "wss://testserver", "ws://testserver"),
            ("wss, https", "https://testserver", "http://testserver"),
            (" wss ,http", "https://testserver", "http://testserver"),
            ("ws", "http://testserver", "https://testserver"),
            ("ws", "ws://testserver", "wss://testserver"),
            ("https,ws", "https://testserver", "http://testserver"),
        ],
    )
    def test_scheme_of_the_websocket_counts_as_that_of_its_page(self, forwarded: str, own: str, foreign: str) -> None:
        """Traefik forwards an upgrade with `X-Forwarded-Proto: wss`."""
        assert is_allowed(request_headers(own, x_forwarded_proto=forwarded), "ws")
        assert not is_allowed(request_headers(foreign, x_forwarded_proto=forwarded), "ws")

    @override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "wss"))
    def test_header_that_django_compares_with_something_else_is_left_as_it_is(self) -> None:
        assert is_allowed(request_headers("https://testserver", x_forwarded_proto="wss"), "ws")
        assert not is_allowed(request_headers("https://testserver", x_forwarded_proto="https"), "ws")

    @override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    def test_plain_request_through_the_proxy_is_plain(self) -> None:
        assert is_allowed(request_headers("http://testserver", x_forwarded_proto="http"), "https")
        assert not is_allowed(request_headers("https://testserver", x_forwarded_proto="http"), "https")

    def test_forwarded_scheme_does_not_count_otherwise(self) -> None:
        assert not is_allowed(request_headers("https://testserver", x_forwarded_proto="https"))


class TestSubdomains:
    """`https://*.example.com` covers them, in both settings."""

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://a.wild.example", True),
            ("https://a.b.wild.example", True),
            ("https://A.WILD.example", True),
            ("https://wild.example", True),  # as Django does
            ("http://a.wild.example", False),
            ("https://a.wild.example:8443", False),
            ("https://evilwild.example", False),
            ("https://a.wild.example.evil.example", False),
            ("https://evil.example/.wild.example", False),
            ("https://evil.example#.wild.example", False),
            ("http://a.port.example:8000", True),
            ("http://a.port.example", False),
            ("http://a.port.example:8001", False),
            ("null", False),
            ("https://[", False),
            ("https://", False),
            ("https", False),
        ],
    )
    def test_origin(self, origin: str, allowed: bool) -> None:
        policy = OriginPolicy(("https://*.Wild.example", "http://*.port.example:8000"))
        for scheme in ("http", "https", "wss", NO_SCHEME):
            assert is_allowed(request_headers(origin), scheme, policy) is allowed


class TestSettings:
    """What of the settings counts."""

    @override_settings(CSRF_TRUSTED_ORIGINS=["https://front.example", "https://*.wild.example"])
    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://front.example", True),
            ("https://a.wild.example", True),
            ("http://testserver", True),
            ("https://a.front.example", False),
            ("https://other.example", False),
        ],
    )
    def test_origin_that_django_trusts_is_allowed(self, origin: str, allowed: bool) -> None:
        assert is_allowed(request_headers(origin)) is allowed

    @override_settings(
        CSRF_TRUSTED_ORIGINS=["https://trusted.example"], SIO_CORS_ALLOWED_ORIGINS=["https://listed.example"]
    )
    def test_both_settings_count(self) -> None:
        assert is_allowed(request_headers("https://trusted.example"))
        assert is_allowed(request_headers("https://listed.example"))
        assert not is_allowed(request_headers("https://other.example"))

    @override_settings(CSRF_TRUSTED_ORIGINS=["https://trusted.example"], SIO_CORS_ALLOWED_ORIGINS="*")
    def test_star_is_more_than_what_django_trusts(self) -> None:
        assert is_allowed(request_headers("https://other.example"))


class TestAllowedOrigins:
    """SIO_CORS_ALLOWED_ORIGINS."""

    POLICY = OriginPolicy(("https://front.example", "http://localhost:3000", "https://Default.example:443"))

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://front.example", True),
            ("https://front.example:443", True),
            ("https://Front.Example", True),
            ("http://localhost:3000", True),
            ("https://default.example", True),
            ("http://testserver", True),
            ("http://front.example", False),
            ("http://localhost", False),
            ("http://localhost:3001", False),
            ("https://a.front.example", False),
            ("null", False),
        ],
    )
    def test_listed_origin_and_the_own_one_are_allowed(self, origin: str, allowed: bool) -> None:
        assert is_allowed(request_headers(origin), policy=self.POLICY) is allowed

    @pytest.mark.parametrize(
        ("listed", "origin", "allowed"),
        [
            ("wss://front.example", "https://front.example", True),
            ("wss://front.example:443", "wss://front.example", True),
            ("https://front.example", "wss://front.example", True),
            ("http://front.example", "ws://front.example:80", True),
            ("wss://front.example", "ws://front.example", False),
            ("wss://*.front.example", "https://a.front.example", True),
            ("https://*.front.example", "wss://a.front.example", True),
            ("https://*.front.example:443", "https://a.front.example", True),
            ("https://*.front.example", "https://a.front.example:443", True),
            ("https://*.front.example", "ws://a.front.example", False),
            ("file://", "file://", True),
            ("file://", "file:///etc", False),
            ("file://", "null", False),
            ("capacitor://localhost", "capacitor://localhost", True),
            ("ionic://localhost", "ionic://localhost", True),
            ("ionic://localhost", "capacitor://localhost", False),
            ("app://.", "app://.", True),
        ],
    )
    def test_scheme(self, listed: str, origin: str, allowed: bool) -> None:
        assert is_allowed(request_headers(origin), policy=OriginPolicy((listed,))) is allowed

    def test_sandboxed_page_is_allowed_if_null_is_listed(self) -> None:
        assert is_allowed(request_headers("null"), policy=OriginPolicy(("null",)))

    @pytest.mark.parametrize("origin", ["https://any.example", "null", "http://[", "junk", None])
    def test_any_origin_is_allowed_by_a_star(self, origin: str | None) -> None:
        assert is_allowed(request_headers(origin), policy=OriginPolicy("*"))


class TestMemory:
    """What was allowed is looked up the next time. A client that makes up origins cannot fill the memory."""

    POLICY = "https://*.wild.example"

    def test_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(origins, "_MAX_REMEMBERED", 3)
        policy = OriginPolicy((self.POLICY,))
        for number in range(10):
            assert is_allowed(request_headers(f"https://{number}.wild.example"), policy=policy)
            assert 0 < len(policy._passed) <= 3

    def test_long_origin_is_allowed_and_forgotten(self) -> None:
        policy = OriginPolicy((self.POLICY,))
        assert is_allowed(request_headers(f"https://{'a.' * 1_000}wild.example"), policy=policy)
        assert not policy._passed

    def test_refused_origin_is_not_remembered(self) -> None:
        policy = OriginPolicy((self.POLICY,))
        for _ in range(2):
            assert not is_allowed(request_headers("https://evil.example"), policy=policy)
        assert not policy._passed


class TestRefusal:
    """The log names the setting to change."""

    def message(self, headers: Headers) -> str:
        with pytest.raises(HandshakeError) as caught:
            get_settings().origins.check({"scheme": "http", "server": ("testserver", 80)}, headers)
        return caught.value.context

    def test_foreign_origin(self) -> None:
        message = self.message(request_headers("https://evil.example"))
        assert message.startswith("origin 'https://evil.example' is not http://testserver; ")
        for setting in ("SIO_CORS_ALLOWED_ORIGINS", "SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST"):
            assert setting in message

    @override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    @pytest.mark.parametrize(("headers", "said"), [({}, "is missing"), ({"x_forwarded_proto": "http"}, "is 'http'")])
    def test_what_is_set_is_not_advised(self, headers: dict[str, str], said: str) -> None:
        message = self.message(request_headers("https://testserver", **headers))
        assert message == (
            "origin 'https://testserver' is not http://testserver; add it to SIO_CORS_ALLOWED_ORIGINS, or set "
            f"USE_X_FORWARDED_HOST if the server is behind a proxy; the proxy's header x-forwarded-proto {said}"
        )

    @override_settings(USE_X_FORWARDED_HOST=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    def test_nothing_is_advised_about_proxies_where_all_is_set(self) -> None:
        message = self.message(request_headers("https://a.example", x_forwarded_host="testserver"))
        assert message == (
            "origin 'https://a.example' is not http://testserver; add it to SIO_CORS_ALLOWED_ORIGINS; the proxy's "
            "header x-forwarded-proto is missing; the proxy's header x-forwarded-host is 'testserver'"
        )

    def test_long_origin_is_cut(self) -> None:
        assert len(self.message(request_headers("https://" + "x" * 10_000))) < 500

    def test_forged_host(self) -> None:
        assert "ALLOWED_HOSTS" in self.message(request_headers(host="evil.example"))
