"""What becomes of a client that takes too little of what it is sent, and of those that send to it."""

from __future__ import annotations

import asyncio

import pytest
from django.test import override_settings

from sio.engineio import CloseReason
from tests.asgi import APP, Poller, WebSocket

from .applications import Recorder


@override_settings(SIO_MAX_BUFFERED_BYTES=10_000)
async def test_slow_consumer_is_noticed_where_sending_never_waits(recorder: Recorder) -> None:
    """Daphne takes whatever it is given: a client that reads nothing shows by the pong that it owes."""
    client = WebSocket(APP)
    await client.open()
    sent = 0
    while not recorder.reasons:
        recorder.socket.send("x" * 999)
        sent += 1000
        await asyncio.sleep(0)
    assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
    assert sent <= 30_000


@override_settings(SIO_MAX_BUFFERED_BYTES=10_000)
async def test_client_that_answers_is_no_slow_consumer(recorder: Recorder) -> None:
    client = WebSocket(APP)
    await client.open()
    for _ in range(100):
        recorder.socket.send("x" * 999)
        while await client.receive() == "2":
            client.send("3")
    assert recorder.reasons == []


@override_settings(SIO_MAX_BUFFERED_PACKETS=10)
async def test_slow_consumer_is_cut_and_logged_once(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    await Poller(APP).open()
    for _ in range(20):
        recorder.socket.send("x")
    assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
    assert caplog.text.count("slow consumer") == 1


@override_settings(SIO_MAX_BUFFERED_PACKETS=10)
async def test_sender_that_can_wait_waits(recorder: Recorder) -> None:
    client = Poller(APP)
    await client.open()
    recorder.socket.send(*"123456")
    drained = asyncio.ensure_future(recorder.socket.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    assert len((await client.get()).packets) == 6
    await drained


@override_settings(SIO_MAX_BUFFERED_PACKETS=10)
async def test_sender_that_waits_beside_others_may_be_cancelled(recorder: Recorder) -> None:
    client = Poller(APP)
    await client.open()
    recorder.socket.send(*"123456")
    cancelled, drained = (asyncio.ensure_future(recorder.socket.drain()) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert not drained.done()
    await client.get()
    await drained


@override_settings(SIO_MAX_BUFFERED_PACKETS=10)
async def test_sender_that_waits_is_released_at_the_end(recorder: Recorder) -> None:
    await Poller(APP).open()
    recorder.socket.send(*"123456")
    drained = asyncio.ensure_future(recorder.socket.drain())
    await asyncio.sleep(0)
    recorder.socket.end(CloseReason.TRANSPORT_ERROR)
    await drained
