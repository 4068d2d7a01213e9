"""What every connection of a process shares at the Socket.IO level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def refuse(value: Any) -> Any:
    """The `default` of a JSON encoder that knows no other types than JSON's."""
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


@dataclass(frozen=True, slots=True)
class SocketIOOptions:
    """Bounds and times (milliseconds) with their defaults; the settings say what each is for."""

    connect_timeout: int = 45_000
    connect_hook_timeout: int = 10_000
    max_attachments: int = 10
    max_attachments_bytes: int = 10_000_000
    attachments_timeout: int = 45_000
    max_json_depth: int = 100
    max_queued_events: int = 1_000
    max_queued_bytes: int = 4_000_000
    max_session_bytes: int = 16_000_000
    max_auth_bytes: int = 16_384
    max_rooms: int = 1_000
    max_pending_acks: int = 1_000
    channel_layer_timeout: int = 1_000
    channel_layer_check_interval: int = 2_000
    #: Turns a value that JSON does not know into one that it does, as `json.JSONEncoder.default`. Raises TypeError.
    json_default: Callable[[Any], Any] = refuse
