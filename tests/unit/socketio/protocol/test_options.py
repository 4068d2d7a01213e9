"""`SocketIOOptions`: what every connection of a server shares."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sio.socketio.protocol.options import SocketIOOptions, refuse

NUMBERS = [field.name for field in dataclasses.fields(SocketIOOptions) if field.name != "json_default"]


@pytest.mark.parametrize("name", NUMBERS)
def test_default_is_a_positive_number(name: str) -> None:
    value = getattr(SocketIOOptions(), name)
    assert type(value) is int
    assert value > 0


def test_defaults_are_within_one_another() -> None:
    options = SocketIOOptions()
    assert options.max_queued_bytes < options.max_session_bytes
    assert options.max_attachments_bytes <= options.max_session_bytes


def test_options_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SocketIOOptions().max_rooms = 1  # type: ignore[misc]


def test_equal_options_are_equal() -> None:
    assert SocketIOOptions(max_rooms=1) == SocketIOOptions(max_rooms=1) != SocketIOOptions(max_rooms=2)


@pytest.mark.parametrize(("value", "name"), [({1}, "set"), (1j, "complex"), (SocketIOOptions(), "SocketIOOptions")])
def test_no_other_type_than_those_of_json_is_known(value: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^Object of type {name} is not JSON serializable$"):
        refuse(value)
    assert SocketIOOptions().json_default is refuse
