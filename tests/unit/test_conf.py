"""The settings: their defaults, when they are read, and what is wrong with a wrong one."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from sio.conf import SETTINGS, SioSettings, find_problems, get_settings

#: Every setting that is a number: its default.
NUMBERS = {
    "SIO_ENGINEIO_PING_INTERVAL_MS": 25_000,
    "SIO_ENGINEIO_PING_TIMEOUT_MS": 20_000,
    "SIO_ENGINEIO_MAX_PAYLOAD_BYTES": 1_000_000,
    "SIO_UPGRADE_TIMEOUT_MS": 10_000,
    "SIO_SHUTDOWN_TIMEOUT_MS": 2_000,
    "SIO_MAX_BUFFERED_PACKETS": 10_000,
    "SIO_MAX_BUFFERED_BYTES": 16_000_000,
    "SIO_CONNECT_TIMEOUT_MS": 45_000,
    "SIO_CONNECT_HOOK_TIMEOUT_MS": 10_000,
    "SIO_MAX_ATTACHMENTS": 10,
    "SIO_MAX_ATTACHMENTS_BYTES": 10_000_000,
    "SIO_ATTACHMENTS_TIMEOUT_MS": 45_000,
    "SIO_MAX_JSON_DEPTH": 100,
    "SIO_MAX_QUEUED_EVENTS": 1_000,
    "SIO_MAX_QUEUED_BYTES": 4_000_000,
    "SIO_MAX_SESSION_BYTES": 16_000_000,
    "SIO_MAX_AUTH_BYTES": 16_384,
    "SIO_MAX_ROOMS": 1_000,
    "SIO_MAX_PENDING_ACKS": 1_000,
    "SIO_CHANNEL_LAYER_TIMEOUT_MS": 1_000,
    "SIO_CHANNEL_LAYER_CHECK_MS": 2_000,
}

#: Every setting that is a number, or None, which is its default.
LIMITS = ("SIO_MAX_SESSIONS", "SIO_MAX_UNJOINED_SESSIONS", "SIO_USER_CHECK_INTERVAL_MS")


def value_of(name: str) -> Any:
    """Returns a setting as the layers get it."""
    settings, setting = get_settings(), SETTINGS[name]
    return getattr(getattr(settings, setting.group) if setting.group else settings, setting.field)


def assert_refused(name: str, value: Any, expectation: str) -> None:
    with override_settings(**{name: value}), pytest.raises(ImproperlyConfigured) as caught:
        get_settings()
    assert str(caught.value) == f"{name} must be {expectation}, not {value!r}."


class TestDefaults:
    """A project needs none of the settings."""

    @pytest.mark.parametrize(("name", "default"), NUMBERS.items())
    def test_number(self, name: str, default: int) -> None:
        assert value_of(name) == default

    @pytest.mark.parametrize("name", [*LIMITS, "SIO_ALLOW_REQUEST"])
    def test_nothing(self, name: str) -> None:
        assert value_of(name) is None

    def test_both_transports_are_on(self) -> None:
        assert get_settings().engineio.transports == ("polling", "websocket")

    def test_no_foreign_origin_is_allowed(self) -> None:
        assert get_settings().cors_allowed_origins == ()

    def test_every_setting_is_tested_here(self) -> None:
        others = {"SIO_TRANSPORTS", "SIO_CORS_ALLOWED_ORIGINS", "SIO_ALLOW_REQUEST"}
        assert SETTINGS.keys() == {*NUMBERS, *LIMITS, *others}

    def test_json_is_djangos(self) -> None:
        assert get_settings().socketio.json_default(datetime.date(2030, 1, 2)) == "2030-01-02"


class TestReading:
    """They are read on first use, and again after they changed."""

    @pytest.mark.parametrize("name", NUMBERS)
    def test_number_reaches_its_place(self, name: str) -> None:
        before = get_settings()
        with override_settings(**{name: 123}):
            assert value_of(name) == 123
            changed = [setting for setting in NUMBERS if value_of(setting) != NUMBERS[setting]]
        assert changed == [name]
        assert get_settings().engineio == before.engineio

    def test_settings_are_read_once(self) -> None:
        assert get_settings() is get_settings()

    def test_other_settings_do_not_count(self) -> None:
        before = get_settings()
        with override_settings(LANGUAGE_CODE="de", OTHER_SIO_SETTING=1):
            assert get_settings() is before

    def test_origins_that_django_trusts_count(self) -> None:
        before = get_settings()
        with override_settings(CSRF_TRUSTED_ORIGINS=["https://example.com"]):
            assert get_settings() is not before
            assert get_settings().cors_allowed_origins == ()

    @override_settings(SIO_MAX_ATTACHMENTS=1)
    def test_setting_that_is_deleted_has_its_default(self) -> None:
        assert get_settings().socketio.max_attachments == 1
        with override_settings():
            del django_settings.SIO_MAX_ATTACHMENTS
            get_settings.cache_clear()
            assert get_settings().socketio.max_attachments == 10

    def test_wrong_setting_stays_wrong_until_it_changes(self) -> None:
        with override_settings(SIO_MAX_ATTACHMENTS=0):
            for _ in range(2):
                with pytest.raises(ImproperlyConfigured):
                    get_settings()
        assert isinstance(get_settings(), SioSettings)


class TestWrongValues:
    """A wrong value is an ImproperlyConfigured that names the setting."""

    @pytest.mark.parametrize("name", NUMBERS)
    @pytest.mark.parametrize("value", [0, -1, 1.5, 25_000.0, "25000", None, True, [1]])
    def test_number(self, name: str, value: Any) -> None:
        assert_refused(name, value, "a positive integer")

    @pytest.mark.parametrize("name", LIMITS)
    @pytest.mark.parametrize("value", [0, -1, 1.5, "1", True, [1]])
    def test_limit(self, name: str, value: Any) -> None:
        assert_refused(name, value, "a positive integer or None")

    @pytest.mark.parametrize(
        ("value", "expectation"),
        [
            (1, "a function, the dotted path of one, or None"),
            ("sio.__version__", "a function, the dotted path of one, or None"),
            ("nowhere", "the dotted path of a function (nowhere doesn't look like a module path)"),
            ("sio.nowhere.allow", "the dotted path of a function (No module named 'sio.nowhere')"),
        ],
    )
    def test_function(self, value: Any, expectation: str) -> None:
        assert_refused("SIO_ALLOW_REQUEST", value, expectation)

    @pytest.mark.parametrize(
        "value", ["polling", [], (), None, ["webtransport"], ["polling", "x"], ["Polling"], [None], 1, {"polling": 1}]
    )
    def test_transports(self, value: Any) -> None:
        assert_refused("SIO_TRANSPORTS", value, "a list of one or more of ['polling', 'websocket']")

    @pytest.mark.parametrize(
        "value",
        [
            "https://example.com",
            None,
            True,
            1,
            ["*"],
            [""],
            [None],
            [1],
            ["example.com"],
            ["//example.com"],
            ["https://"],
            ["https://example.com/"],
            ["https://example.com/path"],
            ["https://example.com?query"],
            ["https://example.com#fragment"],
            ["https://a.example", "b.example"],
            ["https://["],
            ["https://*.*.example.com"],
            ["https://a*.example.com"],
            ["https://*"],
            ["ws://"],
            ["app://*."],
            ["file:///"],
            ["file:"],
            ["://"],
            {"https://example.com": 1},
        ],
    )
    def test_origins(self, value: Any) -> None:
        expectation = '"*" or a list of origins such as "https://example.com" (scheme, host, port, and nothing more)'
        assert_refused("SIO_CORS_ALLOWED_ORIGINS", value, expectation)

    @override_settings(SIO_MAX_ATTACHMENTS=0, SIO_TRANSPORTS=None, SIO_MAX_SESSIONS=5)
    def test_all_wrong_values_are_named_at_once(self) -> None:
        with pytest.raises(ImproperlyConfigured) as caught:
            get_settings()
        assert str(caught.value).split("\n") == find_problems()
        assert [problem.split()[0] for problem in find_problems()] == ["SIO_TRANSPORTS", "SIO_MAX_ATTACHMENTS"]


class TestRightValues:
    """What is no number, or need not be one."""

    @pytest.mark.parametrize("name", LIMITS)
    @pytest.mark.parametrize("value", [None, 1, 1_000])
    def test_limit(self, name: str, value: int | None) -> None:
        with override_settings(**{name: value}):
            assert value_of(name) == value

    @override_settings(SIO_ALLOW_REQUEST=None)
    def test_no_function(self) -> None:
        assert get_settings().allow_request is None

    @pytest.mark.parametrize("value", ["django.utils.timezone.now", print])
    def test_function(self, value: Any) -> None:
        with override_settings(SIO_ALLOW_REQUEST=value):
            assert get_settings().allow_request is not None

    @pytest.mark.parametrize("value", [["polling"], ("websocket",), ["websocket", "polling"]])
    def test_transports(self, value: Any) -> None:
        with override_settings(SIO_TRANSPORTS=value):
            assert get_settings().engineio.transports == tuple(value)

    @pytest.mark.parametrize(
        "value",
        [
            [],
            ["https://example.com"],
            ("http://localhost:3000", "https://example.com"),
            ["null"],
            ["http://[::1]:8000"],
            ["capacitor://localhost", "ionic://localhost", "app://.", "file://", "tauri://localhost"],
            ["ws://example.com", "wss://example.com:8443", "WSS://*.example.com"],
            ["https://*.example.com", "http://*.example.com:8000"],
        ],
    )
    def test_origins(self, value: Any) -> None:
        with override_settings(SIO_CORS_ALLOWED_ORIGINS=value):
            assert get_settings().cors_allowed_origins == tuple(value)

    def test_any_origin(self) -> None:
        with override_settings(SIO_CORS_ALLOWED_ORIGINS="*"):
            assert get_settings().cors_allowed_origins == "*"
