"""The sessions of this process, as tests look at them."""

from __future__ import annotations

from collections.abc import Iterator

from sio.engineio import get_engineio_server
from sio.engineio.connection import EngineIOConnection


class Sessions:
    """Those of the server of the test that runs: each test has a server of its own."""

    def __len__(self) -> int:
        return len(get_engineio_server().registry)

    def __iter__(self) -> Iterator[EngineIOConnection]:
        return iter(get_engineio_server().registry)

    def get(self, sid: str) -> EngineIOConnection | None:
        """Returns the live session with that sid."""
        return get_engineio_server().registry.get(sid)


sessions = Sessions()
