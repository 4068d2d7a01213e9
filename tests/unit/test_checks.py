"""What `manage.py check` says of the settings, and of `runserver`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import get_commands
from django.test import modify_settings, override_settings

from sio.checks import suggest
from sio.conf import SETTINGS


def messages() -> list[tuple[str | None, str, str | None]]:
    return [
        (message.id, message.msg, message.hint) for message in run_checks() if (message.id or "").startswith("sio.")
    ]


def test_default_settings_are_fine() -> None:
    assert messages() == []


@override_settings(SIO_MAX_ATTACHMENTS=0)
def test_wrong_value_is_an_error() -> None:
    assert messages() == [("sio.E001", "SIO_MAX_ATTACHMENTS must be a positive integer, not 0.", None)]


@override_settings(SIO_PING_INTERVAL_MS=1000)
def test_misspelt_setting_is_a_warning_with_a_suggestion() -> None:
    (message,) = messages()
    assert message[0] == "sio.W001"
    assert message[2] == "Did you mean SIO_ENGINEIO_PING_INTERVAL_MS?"


@override_settings(SIO_ZZZ=1)
def test_unknown_setting_is_a_warning() -> None:
    assert messages()[0][:2] == ("sio.W001", "SIO_ZZZ is no setting of django-sio.")


@override_settings(SIO_MAX_ATTACHMENTS=0, SIO_TRANSPORTS=["x"], SIO_CONNECT_TIMEOUT_MS=1)
def test_every_wrong_value_is_an_error() -> None:
    assert [message[:2] for message in messages()] == [
        ("sio.E001", "SIO_TRANSPORTS must be a list of one or more of ['polling', 'websocket'], not ['x']."),
        ("sio.E001", "SIO_MAX_ATTACHMENTS must be a positive integer, not 0."),
    ]


class TestSuggestions:
    """What a name was probably meant to be."""

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            # The words of a setting, without the rest of its name
            ("SIO_PING_TIMEOUT", "SIO_ENGINEIO_PING_TIMEOUT_MS"),
            ("SIO_PING_TIMEOUT_MS", "SIO_ENGINEIO_PING_TIMEOUT_MS"),
            ("SIO_ENGINEIO_PING_INTERVAL", "SIO_ENGINEIO_PING_INTERVAL_MS"),
            ("SIO_MAX_PAYLOAD", "SIO_ENGINEIO_MAX_PAYLOAD_BYTES"),
            ("SIO_CONNECT_TIMEOUT", "SIO_CONNECT_TIMEOUT_MS"),
            ("SIO_CONNECT_TIMEOUT_SECONDS", "SIO_CONNECT_TIMEOUT_MS"),
            ("SIO_ENGINEIO_MAX_SESSIONS", "SIO_MAX_SESSIONS"),
            ("SIO_MAX_QUEUE_EVENTS", "SIO_MAX_QUEUED_EVENTS"),
            # Misspelt
            ("SIO_TRANSPORT", "SIO_TRANSPORTS"),
            ("SIO_MAX_ATTACHMENT", "SIO_MAX_ATTACHMENTS"),
            ("SIO_PINGTIMEOUT", "SIO_ENGINEIO_PING_TIMEOUT_MS"),
            ("SIO_CORS_ORIGINS", "SIO_CORS_ALLOWED_ORIGINS"),
            # What other servers call it
            ("SIO_MAX_HTTP_BUFFER_SIZE", "SIO_ENGINEIO_MAX_PAYLOAD_BYTES"),
            ("SIO_CORS", "SIO_CORS_ALLOWED_ORIGINS"),
            # Nothing like it
            ("SIO_ZZZ", None),
            ("SIO_REDIS_URL", None),
            ("SIO_", None),
        ],
    )
    def test_setting_is_found(self, name: str, meant: str | None) -> None:
        assert suggest(name) == meant

    @pytest.mark.parametrize("setting", SETTINGS)
    def test_units_and_prefixes_do_not_matter(self, setting: str) -> None:
        assert suggest(setting.replace("SIO_ENGINEIO_", "SIO_").removesuffix("_MS")) == setting


class TestRunserver:
    """Django's own serves no ASGI application."""

    @pytest.fixture(autouse=True)
    def clear_commands(self) -> Iterator[None]:
        get_commands.cache_clear()
        yield
        get_commands.cache_clear()

    def test_without_daphne_is_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", "runserver", "8000"])
        ((number, message, hint),) = messages()
        assert (number, message) == ("sio.W002", "runserver serves WSGI, so no Socket.IO client can connect.")
        assert "'daphne' first" in str(hint)

    def test_runserver_of_another_server_is_fine(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        command = tmp_path / "asgi_server" / "management" / "commands" / "runserver.py"
        command.parent.mkdir(parents=True)
        command.write_text(
            "from django.core.management.commands.runserver import Command as Base\n"
            "class Command(Base):\n"
            "    server_cls = object\n"
        )
        (tmp_path / "asgi_server" / "__init__.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
        with modify_settings(INSTALLED_APPS={"prepend": ["asgi_server"]}):
            assert messages() == []

    @pytest.mark.parametrize("arguments", [[], ["check"], ["check", "runserver"]])
    def test_other_commands_are_not_looked_at(self, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", *arguments])
        assert messages() == []
