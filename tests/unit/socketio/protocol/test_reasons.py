"""The reasons of a disconnect."""

from __future__ import annotations

import json

import pytest

import sio
from sio.engineio.protocol.state import CloseReason
from sio.socketio.protocol.reasons import DisconnectReason


def test_reasons_are_the_nine_of_the_reference() -> None:
    assert sorted(DisconnectReason) == [
        "client namespace disconnect",
        "forced close",
        "forced server close",
        "parse error",
        "ping timeout",
        "server namespace disconnect",
        "server shutting down",
        "transport close",
        "transport error",
    ]


@pytest.mark.parametrize("reason", CloseReason)
def test_every_end_of_a_session_is_a_reason(reason: CloseReason) -> None:
    assert DisconnectReason(reason) == reason


@pytest.mark.parametrize("reason", DisconnectReason)
def test_reason_is_a_string(reason: DisconnectReason) -> None:
    assert isinstance(reason, str)
    assert f"{reason}" == reason.value
    assert json.loads(json.dumps([reason])) == [reason.value]


def test_package_exports_them() -> None:
    assert sio.DisconnectReason is DisconnectReason
