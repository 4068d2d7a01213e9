"""The CORS headers of responses, and the answers to preflights."""

from __future__ import annotations

import pytest
from django.test import override_settings

from sio.conf import get_settings
from sio.integration.origins import OriginPolicy
from tests.unit.integration.requests import request_headers


class TestCORSHeaders:
    """What a browser needs to let a page of another origin read the response."""

    LISTED = OriginPolicy(("https://front.example",))

    def headers(self, policy: OriginPolicy, origin: str | None) -> dict[bytes, bytes]:
        return dict(policy.headers(request_headers(origin)))

    def test_listed_origin_is_named_and_may_send_cookies(self) -> None:
        assert self.headers(self.LISTED, "https://front.example") == {
            b"access-control-allow-origin": b"https://front.example",
            b"access-control-allow-credentials": b"true",
            b"vary": b"Origin",
        }

    @override_settings(CSRF_TRUSTED_ORIGINS=["https://*.front.example"])
    def test_trusted_origin_is_listed_too(self) -> None:
        headers = self.headers(get_settings().origins, "https://a.front.example")
        assert headers[b"access-control-allow-origin"] == b"https://a.front.example"

    def test_star_gives_no_credentials(self) -> None:
        assert self.headers(OriginPolicy("*"), "https://any.example") == {b"access-control-allow-origin": b"*"}

    @pytest.mark.parametrize("origin", [None, "", "http://testserver", "https://evil.example", "null"])
    def test_other_origins_get_none(self, origin: str | None) -> None:
        assert self.headers(self.LISTED, origin) == {}

    def test_client_without_an_origin_needs_none(self) -> None:
        assert self.headers(OriginPolicy("*"), None) == {}


class TestPreflight:
    """What a browser asks before it sends a request that is not simple."""

    LISTED = OriginPolicy(("https://front.example",))

    def preflight(self, policy: OriginPolicy, origin: str | None, **others: str) -> dict[bytes, bytes]:
        headers = policy.preflight_headers(request_headers(origin, **others))
        assert len(headers) == len(dict(headers))
        return dict(headers)

    def test_listed_origin_may_send_what_it_asks_for(self) -> None:
        asked = {"access_control_request_method": "POST", "access_control_request_headers": "x-token,content-type"}
        assert self.preflight(self.LISTED, "https://front.example", **asked) == {
            b"access-control-allow-origin": b"https://front.example",
            b"access-control-allow-credentials": b"true",
            b"access-control-allow-methods": b"GET,POST",
            b"access-control-allow-headers": b"x-token,content-type",
            b"access-control-max-age": b"600",
            b"vary": b"Origin, Access-Control-Request-Headers",
        }

    @pytest.mark.parametrize("policy", [LISTED, OriginPolicy("*")])
    def test_headers_that_are_not_asked_for_are_not_allowed(self, policy: OriginPolicy) -> None:
        headers = self.preflight(policy, "https://front.example", access_control_request_method="GET")
        assert b"access-control-allow-headers" not in headers
        assert b"access-control-allow-methods" in headers

    def test_star_is_for_any_origin(self) -> None:
        headers = self.preflight(OriginPolicy("*"), "https://any.example", access_control_request_method="POST")
        assert headers[b"access-control-allow-origin"] == b"*"
        assert b"access-control-allow-credentials" not in headers

    @pytest.mark.parametrize("origin", [None, "https://evil.example", "http://testserver"])
    def test_other_origins_get_no_answer(self, origin: str | None) -> None:
        assert self.preflight(self.LISTED, origin, access_control_request_method="POST") == {}

    def test_request_that_asks_for_no_method_is_no_preflight(self) -> None:
        assert self.preflight(self.LISTED, "https://front.example") == {}
