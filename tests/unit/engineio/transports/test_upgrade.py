"""The upgrade from polling to WebSocket: the probe, what becomes of it, and what moves over."""

from __future__ import annotations

import asyncio

import pytest
from django.test import override_settings

from sio.engineio import CloseReason
from tests.asgi import APP, Poller, WebSocket
from tests.unit.engineio.applications import Recorder
from tests.unit.engineio.clients import leave, probing, turns, upgraded


async def test_buffered_packets_move_in_order(poller: Poller, recorder: Recorder) -> None:
    recorder.socket.send("a", b"\x01", "b")
    websocket = await upgraded(APP, poller.sid)
    recorder.socket.send("c")
    assert [await websocket.receive() for _ in range(4)] == ["4a", b"\x01", "4b", "4c"]
    websocket.send("4up")
    websocket.send("1")
    await websocket.closed()
    assert recorder.messages == ["up"]


async def test_polling_after_the_upgrade_is_refused(poller: Poller, recorder: Recorder) -> None:
    websocket = await upgraded(APP, poller.sid)
    recorder.socket.send("x")
    await websocket.receive()
    assert (await poller.get()).json() == {"code": 3, "message": "Bad request"}
    assert (await poller.post("4x")).status == 400
    assert recorder.reasons == []


async def test_waiting_poll_gets_noops_while_probing(poller: Poller, recorder: Recorder) -> None:
    poll = poller.get()
    await probing(APP, poller.sid)
    assert (await poll).text == "6"
    assert (await poller.get()).text == "6"


@pytest.mark.parametrize("frames", [["4x"], [b"5"], ["2probe", "4x"], ["2"], ["garbage"]])
async def test_failed_probe_leaves_polling_untouched(poller: Poller, recorder: Recorder, frames: list[str]) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    for frame in frames:
        websocket.send(frame)
    while (await websocket.receive_message())["type"] != "websocket.close":
        pass
    recorder.socket.send("still here")
    assert (await poller.get()).text == "4still here"


async def test_client_that_leaves_its_probe_goes_on_polling(poller: Poller, recorder: Recorder) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    await leave(websocket)
    recorder.socket.send("still here")
    assert (await poller.get()).text == "4still here"
    await upgraded(APP, poller.sid)


async def test_upgrade_in_the_moment_of_the_end_is_a_failed_probe(poller: Poller, recorder: Recorder) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    websocket.send("5")
    recorder.socket.end(CloseReason.TRANSPORT_ERROR)
    await websocket.closed()


async def test_client_that_is_gone_when_its_probe_is_answered_goes_on_polling(
    poller: Poller, recorder: Recorder
) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    websocket.send_error = OSError("gone")
    websocket.send("2probe")
    await websocket.finished()
    assert recorder.reasons == []


async def test_upgrade_timeout_closes_the_websocket_only(recorder: Recorder) -> None:
    with override_settings(SIO_UPGRADE_TIMEOUT_MS=20):
        poller = Poller(APP)
        await poller.open()
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        await websocket.closed()
    assert recorder.reasons == []


@pytest.mark.parametrize("is_upgraded", [False, True])
async def test_second_websocket_is_closed(poller: Poller, recorder: Recorder, is_upgraded: bool) -> None:
    first = await upgraded(APP, poller.sid) if is_upgraded else WebSocket(APP, poller.sid)
    if not is_upgraded:
        await first.connect()
    second = WebSocket(APP, poller.sid)
    assert (await second.connect())["type"] == "websocket.accept"
    await second.closed()
    assert recorder.reasons == []


async def test_end_of_the_session_closes_the_probing_websocket(poller: Poller, recorder: Recorder) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    recorder.socket.end(CloseReason.TRANSPORT_ERROR)
    await websocket.closed()


async def test_close_amid_an_upgrade_is_done_on_the_websocket(poller: Poller, recorder: Recorder) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    recorder.socket.send("last")
    recorder.socket.close()
    websocket.send("5")
    assert await websocket.receive() == "4last"
    await websocket.closed()
    assert recorder.reasons == [CloseReason.FORCED_CLOSE]


async def test_websocket_that_cannot_be_accepted_leaves_polling_untouched(poller: Poller, recorder: Recorder) -> None:
    websocket = WebSocket(APP, poller.sid)
    websocket.send_error = OSError("gone")
    connecting = asyncio.ensure_future(websocket.connect())
    await turns()
    await websocket.finished()
    connecting.cancel()
    recorder.socket.send("still here")
    assert (await poller.get()).text == "4still here"
    await leave(await upgraded(APP, poller.sid))


async def test_any_number_of_probes_is_answered_and_others_get_their_turn(poller: Poller, recorder: Recorder) -> None:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    for _ in range(250):
        websocket.send("2probe")
    await turns(1)
    # Not all at once: what is there already is taken without a wait.
    assert 0 < websocket._outgoing.qsize() < 250
    assert [await websocket.receive() for _ in range(250)] == ["3probe"] * 250
    websocket.send("5")
    recorder.socket.send("a")
    assert await websocket.receive() == "4a"
