"""The event loop stood still: the log says what to do, and no client pays for it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sio.engineio import set_engineio_app
from sio.engineio.lag import LagWatch
from sio.engineio.protocol.session import LAG
from tests.asgi import APP, WebSocket
from tests.virtual_time import VirtualTimeLoop


class TestWatch:
    """There is one warning for each lag, and not one for each session."""

    def test_lag_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        watch = LagWatch()
        for late in (10.04, 9.9, 3.0):
            watch.timer_ran(late)
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("sio.engineio", "WARNING")
        assert "stood still for at least 10.0 s" in record.message
        assert "sync_to_async" in record.message

    def test_busy_process_is_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        LagWatch().timer_ran(LAG - 0.01)
        assert caplog.records == []

    def test_servers_do_not_silence_each_other(self, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(2):
            LagWatch().timer_ran(2)
        assert len(caplog.records) == 2


class TestServer:
    """The whole server in memory, on a loop whose clock is made to jump."""

    async def test_silent_clients_outlive_a_lag(self, caplog: pytest.LogCaptureFixture) -> None:
        set_engineio_app(None)
        clients = [WebSocket(APP) for _ in range(20)]
        for client in clients:
            await client.open()
        await asyncio.sleep(25)
        assert [await client.receive() for client in clients] == ["2"] * 20
        stand_still(60)
        await asyncio.sleep(1)
        for client in clients:
            client.send("3")
        await asyncio.sleep(25)
        assert [await client.receive() for client in clients] == ["2"] * 20
        for client in clients:
            client.disconnect()
            await client.finished()
        (message,) = logged(caplog)
        assert "stood still for at least 40.0 s" in message

    async def test_ping_out_of_turn_is_not_late(self, caplog: pytest.LogCaptureFixture) -> None:
        set_engineio_app(None)
        client = WebSocket(APP)
        await client.open()
        await asyncio.sleep(20)
        frames = []
        for _ in range(20):
            client.send(b"x" * 1_000_000)
            frames.append(await client.receive())
        assert "2" in frames
        client.disconnect()
        await client.finished()
        assert logged(caplog) == []


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Returns the lines of the server, without those of asyncio's debug mode. Nothing else failed meanwhile."""
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [record.getMessage() for record in caplog.records if record.name == "sio.engineio"]


def stand_still(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.stand_still(seconds)
