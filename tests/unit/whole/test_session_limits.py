"""SIO_MAX_SESSIONS and SIO_MAX_UNJOINED_SESSIONS: how many sessions a process has at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from django.test import override_settings

from sio import SocketIOConsumer, as_asgi
from sio.engineio import CloseReason, get_engineio_server
from tests.asgi import Poller, WebSocket, request
from tests.client import SocketIOClient
from tests.sessions import sessions
from tests.unit.engineio.clients import CAN_RESPOND, HANDSHAKE, leave, refusal, status, warnings


class Consumer(SocketIOConsumer):
    """Accepts every client that does not ask to be refused."""

    async def connect(self, socket: Any, auth: dict[str, Any]) -> bool:
        return auth.get("welcome", True)


@pytest.fixture
def app() -> Any:
    return as_asgi(Consumer)


def end_all() -> None:
    for connection in sessions:
        connection.end(CloseReason.TRANSPORT_CLOSE)


class TestSessions:
    """SIO_MAX_SESSIONS."""

    @override_settings(SIO_MAX_SESSIONS=2)
    async def test_polling_client_over_the_limit_is_sent_away_for_a_while(self, app: Any) -> None:
        """Without a body: python-socketio gives up if it cannot read that of a refusal at once."""
        for _ in range(2):
            await Poller(app).open()
        refused = await request(app, "GET", HANDSHAKE)
        assert (refused.status, refused.body, refused.headers["retry-after"]) == (503, b"", "5")
        assert len(sessions) == 2

    @override_settings(SIO_MAX_SESSIONS=2)
    async def test_sessions_over_the_limit_are_served_once_others_leave(self, app: Any) -> None:
        first, second = Poller(app), Poller(app)
        await first.open()
        await second.open()
        assert (await request(app, "GET", HANDSHAKE)).status == 503
        await first.post("1")
        await Poller(app).open()
        assert (await second.post("3")).status == 200

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_websocket_over_the_limit_is_refused_with_503_where_the_server_can(self, app: Any) -> None:
        await Poller(app).open()
        status, headers, body = await refusal(WebSocket(app, **CAN_RESPOND))
        assert (status, headers[b"retry-after"], body) == (503, b"5", b"")

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_websocket_over_the_limit_is_refused_by_the_server_where_it_cannot(self, app: Any) -> None:
        await Poller(app).open()
        websocket = WebSocket(app)
        assert (await websocket.connect())["type"] == "websocket.close"

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_upgrade_is_no_new_session(self, app: Any) -> None:
        client = Poller(app)
        await client.open()
        websocket = WebSocket(app, client.sid)
        assert (await websocket.connect())["type"] == "websocket.accept"
        await leave(websocket)

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_websocket_that_the_server_is_slow_to_accept_counts(self, app: Any) -> None:
        slow, other = WebSocket(app), WebSocket(app)
        slow.taken.clear()
        connecting = asyncio.ensure_future(slow.connect())
        await asyncio.sleep(0)
        assert (await other.connect())["type"] == "websocket.close"
        slow.taken.set()
        assert (await connecting)["type"] == "websocket.accept"
        await leave(slow)

    async def test_websocket_that_cannot_be_accepted_leaves_nothing(self, app: Any) -> None:
        websocket = WebSocket(app)
        websocket.send_error = OSError()
        connecting = asyncio.ensure_future(websocket.connect())
        await asyncio.sleep(0)
        await websocket.finished()
        assert len(sessions) == 0
        connecting.cancel()

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_wrong_request_is_answered_with_what_is_wrong_with_it(self, app: Any) -> None:
        await Poller(app).open()
        assert (await request(app, "GET", "EIO=4&transport=abc")).json()["code"] == 0
        assert (await request(app, "GET", "EIO=3&transport=polling")).json()["code"] == 5

    @override_settings(SIO_MAX_SESSIONS=3)
    async def test_full_server_is_logged_once_each_time_that_it_is_full(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        admission = get_engineio_server().admission
        for _ in range(2):
            assert [await status(app) for _ in range(6)] == [200] * 3 + [503] * 3
            end_all()
        assert warnings(caplog) == ["Refusing handshakes: SIO_MAX_SESSIONS = 3 is reached"] * 2
        assert admission.refused == 6

    @override_settings(SIO_MAX_SESSIONS=20)
    async def test_full_server_is_not_logged_for_each_session_that_leaves(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        clients = [Poller(app) for _ in range(20)]
        for client in clients:
            await client.open()
        for client in clients[:10]:
            assert await status(app) == 503
            await client.post("1")
            assert await status(app) == 200
        assert len(warnings(caplog)) == 1

    async def test_without_a_limit_all_come_in(self, app: Any) -> None:
        assert Counter([await status(app) for _ in range(100)]) == {200: 100}


class TestUnjoinedSessions:
    """SIO_MAX_UNJOINED_SESSIONS."""

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_joined_nothing_takes_the_place(self, app: Any) -> None:
        await Poller(app).open()
        assert await status(app) == 503

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_joined_gives_it_up(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        assert await status(app) == 503
        await client.connect()
        await Poller(app).open()
        await leave(client.websocket)
        assert await status(app) == 503

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_was_refused_keeps_it(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        client.send("0", "/", {"welcome": False})
        await client.received('4{"message":"Not authorized"}')
        assert await status(app) == 503

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_is_over_does_not_count(self, app: Any) -> None:
        for _ in range(3):
            await Poller(app).open()
            (connection,) = sessions
            end_all()
            connection.establish()
