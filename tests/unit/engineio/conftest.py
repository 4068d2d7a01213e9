"""A session of the process's server, with an application that notes what happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sio.engineio import set_engineio_app
from tests.asgi import APP, Poller, WebSocket
from tests.sessions import sessions

from .applications import Recorder


@pytest.fixture
def echo() -> None:
    """Messages are sent back."""
    set_engineio_app(None)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    app = Recorder()
    set_engineio_app(app)
    yield app
    assert len(app.reasons) <= 1
    if app.reasons:
        assert sessions.get(app.socket.sid) is None


@pytest.fixture
async def poller(recorder: Recorder) -> Poller:
    client = Poller(APP)
    await client.open()
    return client


@pytest.fixture
async def websocket(recorder: Recorder) -> WebSocket:
    client = WebSocket(APP)
    await client.open()
    return client
