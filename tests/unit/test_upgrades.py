"""WebSockets that do not get through are told of, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings

from sio.engineio import upgrades
from sio.engineio.options import EngineIOOptions
from sio.engineio.session import EngineIOSession
from sio.engineio.state import Reason, Transport
from sio.engineio.upgrades import UpgradeWatch
from tests.asgi import APP, Poller, WebSocket, request

OPTIONS = EngineIOOptions()
QUERY = "EIO=4&transport=websocket"
LONG = OPTIONS.upgrade_timeout / 1000


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> UpgradeWatch:
    """One that nothing was told yet."""
    fresh = UpgradeWatch()
    monkeypatch.setattr(upgrades, "watch", fresh)
    return fresh


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


class TestPlainHttp:
    @pytest.mark.parametrize(
        ("headers", "hint"),
        [
            ([(b"sec-websocket-key", b"x")], "it has no Upgrade header: a proxy in front"),
            ([(b"upgrade", b"websocket")], "the server speaks no WebSocket"),
        ],
    )
    async def test_is_told_once(self, headers: Any, hint: str, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(3):
            assert (await request(APP, "GET", QUERY, headers=headers)).json()["code"] == 3
        (line,) = told(caplog)
        assert hint in line

    async def test_upgrade_of_a_session_is_told_too(self, caplog: pytest.LogCaptureFixture) -> None:
        poller = Poller(APP)
        await poller.open()
        assert (await request(APP, "GET", f"{QUERY}&sid={poller.sid}")).json()["code"] == 3
        assert len(told(caplog)) == 1

    @pytest.mark.parametrize(("method", "query"), [("POST", QUERY), ("GET", "EIO=3&transport=polling")])
    async def test_what_asks_for_no_websocket_is_not(
        self, method: str, query: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert (await request(APP, method, query)).status == 400
        assert not any("plain HTTP" in line for line in told(caplog))


class TestPolling:
    """Sessions that never upgrade."""

    def end(
        self,
        watch: UpgradeWatch,
        count: int,
        seconds: float = LONG,
        reason: Reason = Reason.TRANSPORT_CLOSE,
        **options: Any,
    ) -> None:
        for _ in range(count):
            session = EngineIOSession("sid", Transport.POLLING, EngineIOOptions(**options), 0)
            session.end(reason)
            watch.session_ended(session, seconds)

    def test_many_are_told_of_once(self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture) -> None:
        self.end(watch, 19)
        assert told(caplog) == []
        self.end(watch, 50)
        (line,) = told(caplog)
        assert line.startswith("20 sessions stayed on polling to their ends, and no request for a WebSocket ever came")

    def test_those_that_ended_at_once_do_not_count(self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture) -> None:
        self.end(watch, 50, LONG - 1)
        assert told(caplog) == []

    def test_nor_those_that_could_not_upgrade(self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture) -> None:
        self.end(watch, 50, transports=("polling",))
        assert told(caplog) == []

    def test_nor_those_that_were_no_clients(self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture) -> None:
        self.end(watch, 50, reason=Reason.PING_TIMEOUT)
        assert told(caplog) == []

    async def test_one_websocket_shows_that_they_get_through(
        self, watch: UpgradeWatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        await WebSocket(APP, "no session").connect()
        self.end(watch, 50)
        assert told(caplog) == []

    @override_settings(SIO_UPGRADE_TIMEOUT_MS=1)
    async def test_session_tells_at_its_end(self, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(20):
            poller = Poller(APP)
            await poller.open()
            await asyncio.sleep(0.002)
            await poller.post("1")
        assert len(told(caplog)) == 1
