"""What every Engine.IO session of a process shares."""

from __future__ import annotations

from dataclasses import dataclass

from .state import Transport


@dataclass(frozen=True, slots=True)
class EngineIOOptions:
    """Times in milliseconds, sizes in bytes, with their defaults; the settings say what each is for."""

    ping_interval: int = 25_000
    ping_timeout: int = 20_000
    max_payload: int = 1_000_000
    upgrade_timeout: int = 10_000
    shutdown_timeout: int = 2_000
    transports: tuple[str, ...] = (Transport.POLLING, Transport.WEBSOCKET)
    max_buffered_packets: int = 10_000
    max_buffered_bytes: int = 16_000_000
    #: Sessions of the process. None: as many as come.
    max_sessions: int | None = None
    #: Those of them that the application has not established yet. None: as many as come.
    max_unestablished_sessions: int | None = None
