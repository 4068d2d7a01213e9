"""What `manage.py check` says of the settings."""

from __future__ import annotations

from django.core.checks import run_checks
from django.test import override_settings


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
