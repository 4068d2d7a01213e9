"""WebSockets that do not get through are logged, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings

from sio.engineio import get_engineio_server
from sio.engineio.protocol.options import EngineIOOptions
from sio.engineio.protocol.state import CloseReason
from sio.engineio.upgrades import UpgradeWatch
from tests.asgi import APP, Poller, WebSocket, request
from tests.unit.engineio.protocol.session_helpers import polling

OPTIONS = EngineIOOptions()
QUERY = "EIO=4&transport=websocket"
LONG = OPTIONS.upgrade_timeout / 1000


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


class TestPlainHttp:
    """Requests for a WebSocket that come as plain HTTP."""

    @pytest.mark.parametrize(
        ("headers", "hint"),
        [
            ([(b"sec-websocket-key", b"x")], "it has no Upgrade header: a proxy in front"),
            ([(b"upgrade", b"websocket")], "the server speaks no WebSocket"),
        ],
    )
    async def test_websocket_that_comes_as_http_is_logged_once(
        self, headers: Any, hint: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            assert (await request(APP, "GET", QUERY, headers=headers)).json()["code"] == 3
        (line,) = logged(caplog)
        assert hint in line

    async def test_upgrade_that_comes_as_http_is_logged_too(self, caplog: pytest.LogCaptureFixture) -> None:
        poller = Poller(APP)
        await poller.open()
        assert (await request(APP, "GET", f"{QUERY}&sid={poller.sid}")).json()["code"] == 3
        assert len(logged(caplog)) == 1

    @pytest.mark.parametrize(("method", "query"), [("POST", QUERY), ("GET", "EIO=3&transport=polling")])
    async def test_request_that_asks_for_no_websocket_is_not_logged(
        self, method: str, query: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert (await request(APP, method, query)).status == 400
        assert not any("plain HTTP" in line for line in logged(caplog))


@pytest.fixture
def watch() -> UpgradeWatch:
    return UpgradeWatch()


class TestPolling:
    """Sessions that stay on polling to their ends."""

    def end(
        self,
        watch: UpgradeWatch,
        count: int,
        seconds: float = LONG,
        reason: CloseReason = CloseReason.TRANSPORT_CLOSE,
        **options: Any,
    ) -> None:
        for _ in range(count):
            session = polling(**options)
            session.end(reason)
            watch.session_ended(session, seconds)

    def test_many_in_a_row_are_logged_once(self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture) -> None:
        self.end(watch, 19)
        assert logged(caplog) == []
        self.end(watch, 50)
        (line,) = logged(caplog)
        assert line.startswith("20 sessions stayed on polling to their ends, and no request for a WebSocket ever came")

    def test_session_that_ended_at_once_does_not_count(
        self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.end(watch, 50, LONG - 1)
        assert logged(caplog) == []

    def test_session_that_could_not_upgrade_does_not_count(
        self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.end(watch, 50, transports=("polling",))
        assert logged(caplog) == []

    def test_session_whose_client_vanished_does_not_count(
        self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.end(watch, 50, reason=CloseReason.PING_TIMEOUT)
        assert logged(caplog) == []

    async def test_one_websocket_shows_that_they_get_through(self, caplog: pytest.LogCaptureFixture) -> None:
        await WebSocket(APP, "no session").connect()
        self.end(get_engineio_server().upgrades, 50)
        assert logged(caplog) == []

    @override_settings(SIO_UPGRADE_TIMEOUT_MS=1)
    async def test_sessions_of_a_server_count_at_their_end(self, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(20):
            poller = Poller(APP)
            await poller.open()
            await asyncio.sleep(0.002)
            await poller.post("1")
        assert len(logged(caplog)) == 1
