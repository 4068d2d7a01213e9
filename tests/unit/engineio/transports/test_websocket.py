"""The WebSocket transport, with a server in memory: what a client gets, step by step."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn.protocols.utils import ClientDisconnected

from sio.engineio import CloseReason
from tests.asgi import APP, Poller, WebSocket
from tests.pace import TIMEOUT
from tests.sessions import sessions
from tests.unit.engineio.applications import Recorder
from tests.unit.engineio.clients import CAN_RESPOND, leave, refusal, turns, upgraded


@pytest.mark.usefixtures("echo")
async def test_messages_come_back() -> None:
    client = WebSocket(APP)
    await client.open()
    for frame in ("4hello", b"\x01\x02"):
        client.send(frame)
        assert await client.receive() == frame


class Uvicorn(WebSocket):
    """A WebSocket that is refused: uvicorn takes another turn or two of the loop to close its connection."""

    def __init__(self, turns: int) -> None:
        super().__init__(APP, "no session", extensions={"websocket.http.response": {}})
        self.turns = turns

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.turns -= 1
            raise ClientDisconnected if self.turns < 0 else RuntimeError("Expected 'websocket.http.response.body'")
        await super()._send(message)


Uvicorn._send.__module__ = "uvicorn.protocols.websockets.websockets_sansio_impl"


class TestRefusal:
    async def test_request_is_refused_with_403_where_the_server_cannot_do_more(self) -> None:
        client = WebSocket(APP, "nobody")
        assert (await client.connect())["type"] == "websocket.close"

    async def test_request_is_refused_with_the_text_of_the_reference_where_the_server_can(self) -> None:
        status, _, body = await refusal(WebSocket(APP, "nobody", **CAN_RESPOND))
        assert (status, body) == (400, b"Session ID unknown")

    @pytest.mark.parametrize(("turns", "left"), [(0, -1), (3, -1), (1000, 990)])
    async def test_refusal_waits_for_uvicorn_to_close_the_connection(self, turns: int, left: int) -> None:
        websocket = Uvicorn(turns)
        assert (await websocket.connect())["status"] == 400
        await websocket.finished()
        assert websocket.turns == left


class TestWebSocket:
    async def test_client_that_leaves_ends_the_session(self, websocket: WebSocket, recorder: Recorder) -> None:
        await leave(websocket)
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]

    async def test_server_that_restarts_is_the_reason(self, websocket: WebSocket, recorder: Recorder) -> None:
        websocket.disconnect(1012)
        await websocket.finished()
        assert recorder.reasons == [CloseReason.SERVER_SHUTTING_DOWN]

    async def test_cancellation_waits_for_the_hooks(self, websocket: WebSocket, recorder: Recorder) -> None:
        done: list[str] = []

        async def hook() -> None:
            await asyncio.sleep(0.01)
            done.append("hook")

        recorder.socket.tasks.create(hook())
        assert websocket.task is not None
        websocket.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await websocket.task
        assert (done, recorder.reasons) == (["hook"], [CloseReason.SERVER_SHUTTING_DOWN])

    @pytest.mark.parametrize(
        ("frame", "code", "reason"),
        [
            ("abc", 1000, CloseReason.PARSE_ERROR),
            ("", 1000, CloseReason.PARSE_ERROR),
            ("2", 1000, CloseReason.TRANSPORT_ERROR),
            ("1", 1000, CloseReason.TRANSPORT_CLOSE),
            ("4" * 1_000_001, 1009, CloseReason.TRANSPORT_ERROR),
            ("4" + "é" * 500_000, 1009, CloseReason.TRANSPORT_ERROR),
            (b"\0" * 1_000_001, 1009, CloseReason.TRANSPORT_ERROR),
        ],
    )
    async def test_frame_that_ends_the_session(
        self, websocket: WebSocket, recorder: Recorder, frame: str | bytes, code: int, reason: CloseReason
    ) -> None:
        websocket.send(frame)
        assert await websocket.closed() == code
        assert (recorder.messages, recorder.reasons) == ([], [reason])

    @pytest.mark.parametrize("frame", ["4" + "x" * 999_999, "4" + "é" * 499_999, b"\0" * 1_000_000])
    async def test_frame_at_the_limit_is_taken(self, websocket: WebSocket, recorder: Recorder, frame: str) -> None:
        websocket.send(frame)
        websocket.send("1")
        await websocket.closed()
        assert len(recorder.messages) == 1

    async def test_buffered_packets_are_sent_before_the_close(self, websocket: WebSocket, recorder: Recorder) -> None:
        recorder.socket.send("a", b"\x01", b"")
        recorder.socket.close()
        recorder.socket.send("too late")
        assert [await websocket.receive() for _ in range(3)] == ["4a", b"\x01", b""]
        await websocket.closed()
        assert recorder.reasons == [CloseReason.FORCED_CLOSE]

    async def test_paused_reading_holds_the_frames_back(self, websocket: WebSocket, recorder: Recorder) -> None:
        recorder.socket.pause_reading()
        for frame in ("4a", "4b"):
            websocket.send(frame)
        await turns(5)
        assert recorder.messages == []
        recorder.socket.resume_reading()
        websocket.send("1")
        await websocket.closed()
        assert recorder.messages == ["a", "b"]

    async def test_client_that_leaves_while_reading_is_paused_is_noticed(
        self, websocket: WebSocket, recorder: Recorder
    ) -> None:
        recorder.socket.pause_reading()
        await leave(websocket)
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]

    async def test_restart_of_the_server_waits_for_the_hooks(self, websocket: WebSocket, recorder: Recorder) -> None:
        done: list[str] = []

        async def hook() -> None:
            await asyncio.sleep(0.01)
            done.append("hook")

        recorder.socket.tasks.create(hook())
        websocket.disconnect(1012)
        await websocket.finished()
        assert done == ["hook"]

    async def test_server_that_cannot_send_any_more_is_a_client_that_left(
        self, websocket: WebSocket, recorder: Recorder
    ) -> None:
        websocket.send_error = OSError("gone")
        recorder.socket.send("x")
        await websocket.finished()
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]

    async def test_session_that_ends_while_its_websocket_is_accepted_closes_it(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        client.taken.clear()
        connected = asyncio.ensure_future(client.connect())
        async with asyncio.timeout(TIMEOUT):
            while not len(sessions):
                await asyncio.sleep(0.001)
        recorder.socket.end(CloseReason.FORCED_CLOSE)
        client.taken.set()
        assert (await connected)["type"] == "websocket.accept"
        assert await client.closed() == 1000


async def new_session() -> str:
    """The WebSocket opens one."""
    return ""


async def session_on_polling() -> str:
    """The WebSocket is the upgrade of one."""
    client = Poller(APP)
    await client.open()
    return client.sid


both_ways = pytest.mark.parametrize("session", [new_session, session_on_polling])


class TestSubprotocol:
    """A client that offers some, and gets none of them, must fail (RFC 6455, 4.1)."""

    @both_ways
    @pytest.mark.parametrize(
        ("offered", "chosen"), [(["chat"], "chat"), (["b", "a"], "b"), ([], None), (None, None)], ids=str
    )
    async def test_first_is_chosen(self, session: Any, offered: list[str] | None, chosen: str | None) -> None:
        scope = {} if offered is None else {"subprotocols": offered}
        client = WebSocket(APP, await session(), **scope)
        assert (await client.connect()).get("subprotocol") == chosen

    @pytest.mark.parametrize(
        ("header", "scope", "chosen"),
        [
            (b"b, a", ["b", "a"], "b"),
            (b" a%20b ,c", ["a b", "c"], "a%20b"),
            (b",a", ["", "a"], None),
            (b"", [""], None),
            (b"\xe9", [], "é"),
        ],
    )
    async def test_first_is_chosen_as_it_was_written(self, header: bytes, scope: list[str], chosen: str | None) -> None:
        """Daphne unquotes those in the scope."""
        client = WebSocket(APP, headers=[(b"sec-websocket-protocol", header)], subprotocols=scope)
        assert (await client.connect()).get("subprotocol") == chosen


@pytest.mark.usefixtures("echo")
async def test_events_of_unknown_types_are_no_frames() -> None:
    """The client is served all the same: when it opens a session, when it probes, and when it leaves."""

    async def noisy(scope: Any, receive: Any, send: Any) -> None:
        is_new = True

        async def receive_more() -> Any:
            nonlocal is_new
            is_new = not is_new
            return {"type": "websocket.invented"} if is_new else await receive()

        await APP(scope, receive_more, send)

    websocket = WebSocket(noisy)
    await websocket.open()
    websocket.send("4hello")
    assert await websocket.receive() == "4hello"
    await leave(websocket)
    poller = Poller(APP)
    await poller.open()
    candidate = await upgraded(noisy, poller.sid)
    candidate.send("4up")
    assert await candidate.receive() == "4up"
    await leave(candidate)
