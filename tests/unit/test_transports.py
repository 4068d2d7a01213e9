"""The two transports with the application in memory: what a client gets, step by step."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from sio.engineio import EngineIOApplication, EngineIOSocket, set_engineio_app
from sio.engineio.registry import registry
from sio.engineio.state import Reason
from tests.asgi import APP, Poller, WebSocket, http_scope, request
from tests.pace import TIMEOUT

FAST_HEARTBEAT = override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=30, SIO_ENGINEIO_PING_TIMEOUT_MS=20)


class Recorder(EngineIOApplication):
    """Notes what happens, and keeps the socket for the test to act on."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.reasons: list[Reason] = []

    def on_connect(self, socket: EngineIOSocket) -> None:
        self.socket = socket

    def on_message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        self.messages.append(data)

    def on_disconnect(self, socket: EngineIOSocket, reason: Reason) -> None:
        self.reasons.append(reason)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    app = Recorder()
    set_engineio_app(app)
    yield app
    assert len(app.reasons) <= 1
    if app.reasons:
        assert registry.get(app.socket.sid) is None


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


async def upgrade(poller: Poller) -> WebSocket:
    websocket = WebSocket(APP, poller.sid)
    await websocket.connect()
    websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    websocket.send("5")
    return websocket


class TestEcho:
    """Without an application, messages come back."""

    async def test_polling(self) -> None:
        client = Poller(APP)
        await client.open()
        assert (await client.post("4hello\x1ebAQI=")).text == "ok"
        assert (await client.get()).packets == ["4hello", "bAQI="]

    async def test_websocket(self) -> None:
        client = WebSocket(APP)
        await client.open()
        for frame in ("4hello", b"\x01\x02"):
            client.send(frame)
            assert await client.receive() == frame


class TestHandshake:
    async def test_polling_response_has_the_headers_of_the_reference(self, recorder: Recorder) -> None:
        response = await request(APP, "GET", "EIO=4&transport=polling")
        assert response.headers["content-type"] == "text/plain; charset=UTF-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-length"] == str(len(response.body))

    async def test_refusal_is_json(self) -> None:
        response = await request(APP, "GET", "EIO=3&transport=polling")
        assert (response.status, response.headers["content-type"]) == (400, "application/json")
        assert response.text == '{"code":5,"message":"Unsupported protocol version"}'

    async def test_refusal_of_head_has_no_body(self) -> None:
        response = await request(APP, "HEAD", "EIO=4&transport=polling")
        assert (response.status, response.body) == (400, b"")

    async def test_websocket_is_refused_with_403_where_the_server_cannot_do_more(self) -> None:
        client = WebSocket(APP, "nobody")
        assert (await client.connect())["type"] == "websocket.close"

    async def test_websocket_is_refused_with_the_text_of_the_reference_where_the_server_can(self) -> None:
        client = WebSocket(APP, "nobody", extensions={"websocket.http.response": {}})
        start = await client.connect()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 400)
        assert (await client.receive_message())["body"] == b"Session ID unknown"

    async def test_sid_of_another_process_is_told_to_the_developer(self, caplog: pytest.LogCaptureFixture) -> None:
        await request(APP, "GET", f"EIO=4&transport=polling&sid={'x' * 32}")
        assert "sticky sessions" in caplog.text

    async def test_preflight_of_an_allowed_origin(self) -> None:
        headers = [(b"origin", b"https://other.example"), (b"access-control-request-method", b"POST")]
        with override_settings(SIO_CORS_ALLOWED_ORIGINS=["https://other.example"]):
            response = await request(APP, "OPTIONS", "EIO=4&transport=polling", headers=headers)
        assert (response.status, response.body) == (204, b"")
        assert response.headers["access-control-allow-origin"] == "https://other.example"


class TestPolling:
    async def test_poll_waits_for_packets(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await asyncio.sleep(0)
        recorder.socket.send("late")
        assert (await poll).text == "4late"

    async def test_packets_of_one_turn_share_a_response(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await asyncio.sleep(0)
        recorder.socket.send("a", b"\x00")
        recorder.socket.send("b")
        assert (await poll).packets == ["4a", "bAA==", "4b"]

    async def test_second_poll_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        first = poller.get()
        await asyncio.sleep(0)
        assert ((await poller.get()).status, (await first).text) == (400, "1")
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]

    async def test_aborted_poll_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await asyncio.sleep(0)
        poll.disconnect()
        await poll
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]

    async def test_cancelled_poll_ends_the_session_as_a_shutdown(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await asyncio.sleep(0)
        poll.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await poll.task
        assert recorder.reasons == [Reason.SERVER_SHUTTING_DOWN]

    async def test_other_method_is_answered_500_and_the_session_lives(self, poller: Poller) -> None:
        response = await request(APP, "PUT", f"EIO=4&transport=polling&sid={poller.sid}")
        assert (response.status, response.body) == (500, b"")
        assert (await poller.post("4x")).status == 200

    async def test_client_may_close_what_the_server_closes(self, poller: Poller, recorder: Recorder) -> None:
        recorder.socket.send("last")
        recorder.socket.close()
        await poller.post("1")
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]

    async def test_client_close_answers_the_poll_with_noop(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await asyncio.sleep(0)
        assert (await poller.post("1")).text == "ok"
        assert (await poll).text == "6"
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]
        assert (await poller.get()).json()["code"] == 1


class TestPost:
    async def test_response_has_the_headers_of_the_reference(self, poller: Poller) -> None:
        response = await poller.post("4x")
        assert (response.text, response.headers["content-type"]) == ("ok", "text/html")
        assert response.headers["cache-control"] == "no-store"

    async def test_packets_before_a_malformed_one_are_delivered(self, poller: Poller, recorder: Recorder) -> None:
        assert (await poller.post("4good\x1eabc\x1e4never")).status == 200
        assert (recorder.messages, recorder.reasons) == (["good"], [Reason.PARSE_ERROR])

    async def test_packets_after_the_end_of_the_session_are_dropped(self, poller: Poller, recorder: Recorder) -> None:
        await poller.post("4good\x1e1\x1e4never")
        assert (recorder.messages, recorder.reasons) == (["good"], [Reason.TRANSPORT_CLOSE])

    @pytest.mark.parametrize(("body", "status"), [(b"4x", 200), (b"4" * 1_000_001, 413)])
    async def test_post_may_come_while_the_one_before_is_still_being_answered(
        self, poller: Poller, body: bytes, status: int
    ) -> None:
        """The client has the answer before the server is done with sending it, as on Hypercorn."""
        first = poller.post(body)
        first.taken.clear()
        assert await first.answer_begun() == status
        assert (await poller.post("4y")).text == "ok"
        first.taken.set()
        assert (await first).status == status

    async def test_overlapping_post_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        first = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        await asyncio.sleep(0)
        assert (await poller.post("4x")).status == 400
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]
        first.send_body(b"4late")
        await first
        assert recorder.messages == []

    async def test_octet_stream_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        response = await poller.post(b"4x", [(b"content-type", b"application/octet-stream")])
        assert (response.status, recorder.reasons) == (400, [Reason.TRANSPORT_ERROR])

    @pytest.mark.parametrize("length", [b"1000001", b"9" * 30])
    async def test_announced_body_that_is_too_large_is_not_read(self, poller: Poller, length: bytes) -> None:
        query = f"EIO=4&transport=polling&sid={poller.sid}"
        response = await request(APP, "POST", query, None, [(b"content-length", length)])
        assert (response.status, response.body) == (413, b"")
        assert (await poller.post("4x")).status == 200

    async def test_body_that_is_too_large_is_taken_while_it_is_refused(self, poller: Poller) -> None:
        """Hypercorn ends a response only once the application has taken what came of the body."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        queue.put_nowait({"type": "http.request", "body": b"x", "more_body": True})

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                await queue.put({"type": "http.disconnect"})

        scope = http_scope("POST", f"EIO=4&transport=polling&sid={poller.sid}", [(b"content-length", b"1000001")])
        await asyncio.wait_for(APP(scope, queue.get, send), TIMEOUT)

    async def test_body_that_does_not_come_is_given_up_with_its_session(self, poller: Poller) -> None:
        post = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        post.send_body(b"4", more_body=True)
        assert (await poller.post("4x")).status == 400  # an overlap, which ends the session
        response = await post
        assert (response.status, response.body) == (400, b"")

    async def test_events_of_unknown_types_are_no_body(self, poller: Poller, recorder: Recorder) -> None:
        post = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        post.send_event({"type": "http.invented"})
        post.send_body(b"4hello")
        assert (await post).text == "ok"

    async def test_answer_that_nobody_takes_is_no_error(self, poller: Poller) -> None:
        """Bad input 95."""

        async def send(message: dict[str, Any]) -> None:
            raise OSError("gone")

        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        queue.put_nowait({"type": "http.request", "body": b"4", "more_body": False})
        await APP(http_scope("POST", f"EIO=4&transport=polling&sid={poller.sid}"), queue.get, send)
        assert (await poller.post("4x")).status == 200

    async def test_body_is_counted_while_it_is_read(self, poller: Poller, recorder: Recorder) -> None:
        post = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        for _ in range(3):
            post.send_body(b"4" * 400_000, more_body=True)
        assert (await post).status == 413
        assert recorder.messages == []

    async def test_body_may_come_in_pieces(self, poller: Poller, recorder: Recorder) -> None:
        post = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        post.send_body("4é".encode()[:2], more_body=True)
        post.send_body("4é".encode()[2:])
        assert (await post).status == 200
        assert recorder.messages == ["é"]

    async def test_client_that_leaves_amid_its_body_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        post = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        post.send_body(b"4half", more_body=True)
        post.disconnect()
        await post
        assert (recorder.messages, recorder.reasons) == ([], [Reason.TRANSPORT_ERROR])

    async def test_cancelled_post_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        post = request(APP, "POST", f"EIO=4&transport=polling&sid={poller.sid}", None)
        await asyncio.sleep(0)
        post.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await post.task
        assert recorder.reasons == [Reason.SERVER_SHUTTING_DOWN]

    async def test_loop_gets_its_turn_amid_many_packets(self, poller: Poller, recorder: Recorder) -> None:
        post = poller.post("\x1e".join(["4x"] * 1000))
        for _ in range(5):
            await asyncio.sleep(0)
        assert 0 < len(recorder.messages) < 1000
        await post
        assert len(recorder.messages) == 1000

    async def test_paused_reading_holds_the_post_back(self, poller: Poller, recorder: Recorder) -> None:
        recorder.socket.pause_reading()
        post = poller.post("4a\x1e4b")
        for _ in range(5):
            await asyncio.sleep(0)
        assert recorder.messages == ["a"]
        recorder.socket.resume_reading()
        await post
        assert recorder.messages == ["a", "b"]

    async def test_client_that_leaves_its_paused_post_ends_the_session(
        self, poller: Poller, recorder: Recorder
    ) -> None:
        recorder.socket.pause_reading()
        post = poller.post("4a\x1e4b")
        await asyncio.sleep(0)
        post.disconnect()
        await post
        assert (recorder.messages, recorder.reasons) == (["a"], [Reason.TRANSPORT_ERROR])


class TestWebSocket:
    async def test_client_that_leaves_ends_the_session(self, websocket: WebSocket, recorder: Recorder) -> None:
        websocket.disconnect()
        await websocket.finished()
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]

    async def test_server_that_restarts_is_the_reason(self, websocket: WebSocket, recorder: Recorder) -> None:
        websocket.disconnect(1012)
        await websocket.finished()
        assert recorder.reasons == [Reason.SERVER_SHUTTING_DOWN]

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
        assert (done, recorder.reasons) == (["hook"], [Reason.SERVER_SHUTTING_DOWN])

    @pytest.mark.parametrize(
        ("frame", "code", "reason"),
        [
            ("abc", 1000, Reason.PARSE_ERROR),
            ("", 1000, Reason.PARSE_ERROR),
            ("2", 1000, Reason.TRANSPORT_ERROR),
            ("1", 1000, Reason.TRANSPORT_CLOSE),
            ("4" * 1_000_001, 1009, Reason.TRANSPORT_ERROR),
            ("4" + "é" * 500_000, 1009, Reason.TRANSPORT_ERROR),
            (b"\0" * 1_000_001, 1009, Reason.TRANSPORT_ERROR),
        ],
    )
    async def test_frame_that_ends_the_session(
        self, websocket: WebSocket, recorder: Recorder, frame: str | bytes, code: int, reason: Reason
    ) -> None:
        websocket.send(frame)
        assert await websocket.closed() == code
        assert (recorder.messages, recorder.reasons) == ([], [reason])

    async def test_server_that_refuses_a_close_code_gets_another(self, recorder: Recorder) -> None:
        """Daphne raises for any code but 1000 and the application's own."""

        class Strict(WebSocket):
            async def _send(self, message: dict[str, Any]) -> None:
                if message.get("code", 1000) != 1000:
                    raise ValueError("close code is not allowed")
                await super()._send(message)

        websocket = Strict(APP)
        await websocket.open()
        websocket.send("4" * 1_000_001)
        assert await websocket.closed() == 1000

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
        assert recorder.reasons == [Reason.FORCED_CLOSE]

    async def test_paused_reading_holds_the_frames_back(self, websocket: WebSocket, recorder: Recorder) -> None:
        recorder.socket.pause_reading()
        for frame in ("4a", "4b"):
            websocket.send(frame)
        for _ in range(5):
            await asyncio.sleep(0)
        assert recorder.messages == []
        recorder.socket.resume_reading()
        websocket.send("1")
        await websocket.closed()
        assert recorder.messages == ["a", "b"]

    async def test_client_that_leaves_while_reading_is_paused_is_noticed(
        self, websocket: WebSocket, recorder: Recorder
    ) -> None:
        recorder.socket.pause_reading()
        websocket.disconnect()
        await websocket.finished()
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]

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
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]


class TestWriting:
    """What is sent is written by who sends it, and the rest by a task if the server's `send` waits."""

    async def test_send_that_fails_after_it_waited_is_a_client_that_left(
        self, websocket: WebSocket, recorder: Recorder
    ) -> None:
        websocket.taken.clear()
        websocket.late_error = OSError()
        recorder.socket.send("a")
        websocket.taken.set()
        await websocket.finished()
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]

    @pytest.mark.parametrize("error", [OSError(), asyncio.CancelledError()])
    async def test_send_that_fails_at_once_is_a_client_that_left(
        self, websocket: WebSocket, recorder: Recorder, error: BaseException
    ) -> None:
        websocket.send_error = error
        recorder.socket.send("a")
        assert recorder.reasons == [Reason.TRANSPORT_CLOSE]

    async def test_session_that_ends_while_its_websocket_is_accepted_closes_it(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        client.taken.clear()
        connected = asyncio.ensure_future(client.connect())
        async with asyncio.timeout(TIMEOUT):
            while not len(registry):
                await asyncio.sleep(0.001)
        recorder.socket.end(Reason.FORCED_CLOSE)
        client.taken.set()
        assert (await connected)["type"] == "websocket.accept"
        assert await client.closed() == 1000

    async def test_send_runs_in_the_context_of_its_connection(self, recorder: Recorder) -> None:
        span: contextvars.ContextVar[str] = contextvars.ContextVar("span", default="none")
        found: set[str] = set()
        left_behind: list[str] = []
        gate = asyncio.Event()

        async def traced(scope: Any, receive: Any, send: Any) -> None:
            async def traced_send(message: Any) -> None:
                found.add(span.get())
                token = span.set("sending")
                if message["type"] == "websocket.send":
                    await gate.wait()
                await send(message)
                span.reset(token)

            span.set("connection")
            await APP(scope, receive, traced_send)

        client = WebSocket(traced)
        await client.connect()
        gate.set()
        await client.receive()
        gate.clear()
        recorder.socket.send("a")
        left_behind.append(span.get())
        gate.set()
        assert await client.receive() == "4a"
        left_behind.append(span.get())
        assert (found, left_behind) == ({"connection"}, ["none", "none"])
        assert recorder.reasons == []


class TestHeartbeat:
    @FAST_HEARTBEAT
    async def test_silent_websocket_is_closed(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        await client.open()
        assert await client.receive() == "2"
        await client.closed()
        assert recorder.reasons == [Reason.PING_TIMEOUT]

    @FAST_HEARTBEAT
    async def test_poll_is_pinged_and_closed(self, recorder: Recorder) -> None:
        client = Poller(APP)
        await client.open()
        assert (await client.get()).text == "2"
        assert (await client.get()).text == "1"
        assert recorder.reasons == [Reason.PING_TIMEOUT]

    @FAST_HEARTBEAT
    async def test_client_that_never_polls_is_removed(self, recorder: Recorder) -> None:
        await Poller(APP).open()
        while not recorder.reasons:
            await asyncio.sleep(0.005)
        assert (recorder.reasons, len(registry)) == ([Reason.PING_TIMEOUT], 0)

    @override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=20, SIO_ENGINEIO_PING_TIMEOUT_MS=1000)
    async def test_pongs_keep_the_session(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        await client.open()
        for _ in range(4):
            assert await client.receive() == "2"
            client.send("3")
        assert recorder.reasons == []
        client.disconnect()
        await client.finished()


class TestUpgrade:
    async def test_buffered_packets_move_in_order(self, poller: Poller, recorder: Recorder) -> None:
        recorder.socket.send("a", b"\x01", "b")
        websocket = await upgrade(poller)
        recorder.socket.send("c")
        assert [await websocket.receive() for _ in range(4)] == ["4a", b"\x01", "4b", "4c"]
        websocket.send("4up")
        websocket.send("1")
        await websocket.closed()
        assert recorder.messages == ["up"]

    async def test_polling_after_the_upgrade_is_refused(self, poller: Poller, recorder: Recorder) -> None:
        websocket = await upgrade(poller)
        recorder.socket.send("x")
        await websocket.receive()
        assert (await poller.get()).json() == {"code": 3, "message": "Bad request"}
        assert (await poller.post("4x")).status == 400
        assert recorder.reasons == []

    async def test_waiting_poll_gets_noops_while_probing(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        assert (await poll).text == "6"
        assert (await poller.get()).text == "6"

    @pytest.mark.parametrize("frames", [["4x"], [b"5"], ["2probe", "4x"], ["2"], ["garbage"]])
    async def test_failed_probe_leaves_polling_untouched(
        self, poller: Poller, recorder: Recorder, frames: list[str]
    ) -> None:
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        for frame in frames:
            websocket.send(frame)
        while (await websocket.receive_message())["type"] != "websocket.close":
            pass
        recorder.socket.send("still here")
        assert (await poller.get()).text == "4still here"

    async def test_client_that_leaves_its_probe_goes_on_polling(self, poller: Poller, recorder: Recorder) -> None:
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        websocket.disconnect()
        await websocket.finished()
        recorder.socket.send("still here")
        assert (await poller.get()).text == "4still here"
        await upgrade(poller)

    async def test_upgrade_in_the_moment_of_the_end_is_a_failed_probe(self, poller: Poller, recorder: Recorder) -> None:
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        websocket.send("5")
        recorder.socket.end(Reason.TRANSPORT_ERROR)
        await websocket.closed()

    async def test_client_that_is_gone_when_its_probe_is_answered_goes_on_polling(
        self, poller: Poller, recorder: Recorder
    ) -> None:
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        websocket.send_error = OSError("gone")
        websocket.send("2probe")
        await websocket.finished()
        assert recorder.reasons == []

    async def test_upgrade_timeout_closes_the_websocket_only(self, recorder: Recorder) -> None:
        with override_settings(SIO_UPGRADE_TIMEOUT_MS=20):
            poller = Poller(APP)
            await poller.open()
            websocket = WebSocket(APP, poller.sid)
            await websocket.connect()
            await websocket.closed()
        assert recorder.reasons == []

    @pytest.mark.parametrize("upgraded", [False, True])
    async def test_second_websocket_is_closed(self, poller: Poller, recorder: Recorder, upgraded: bool) -> None:
        first = await upgrade(poller) if upgraded else WebSocket(APP, poller.sid)
        if not upgraded:
            await first.connect()
        second = WebSocket(APP, poller.sid)
        assert (await second.connect())["type"] == "websocket.accept"
        await second.closed()
        assert recorder.reasons == []

    async def test_end_of_the_session_closes_the_probing_websocket(self, poller: Poller, recorder: Recorder) -> None:
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        recorder.socket.end(Reason.TRANSPORT_ERROR)
        await websocket.closed()

    async def test_close_amid_an_upgrade_is_done_on_the_websocket(self, poller: Poller, recorder: Recorder) -> None:
        websocket = WebSocket(APP, poller.sid)
        await websocket.connect()
        recorder.socket.send("last")
        recorder.socket.close()
        websocket.send("5")
        assert await websocket.receive() == "4last"
        await websocket.closed()
        assert recorder.reasons == [Reason.FORCED_CLOSE]


class TestSlowConsumer:
    @override_settings(SIO_MAX_BUFFERED_BYTES=10_000)
    async def test_is_noticed_where_sending_never_waits(self, recorder: Recorder) -> None:
        """Daphne takes whatever it is given: a client that reads nothing shows by the pong that it owes."""
        client = WebSocket(APP)
        await client.open()
        sent = 0
        while not recorder.reasons:
            recorder.socket.send("x" * 999)
            sent += 1000
            await asyncio.sleep(0)
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]
        assert sent <= 30_000

    @override_settings(SIO_MAX_BUFFERED_BYTES=10_000)
    async def test_is_not_who_answers(self, recorder: Recorder) -> None:
        client = WebSocket(APP)
        await client.open()
        for _ in range(100):
            recorder.socket.send("x" * 999)
            while await client.receive() == "2":
                client.send("3")
        assert recorder.reasons == []

    @override_settings(SIO_MAX_BUFFERED_PACKETS=10)
    async def test_is_cut_and_told_of_once(self, recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
        await Poller(APP).open()
        for _ in range(20):
            recorder.socket.send("x")
        assert recorder.reasons == [Reason.TRANSPORT_ERROR]
        assert caplog.text.count("slow consumer") == 1

    @override_settings(SIO_MAX_BUFFERED_PACKETS=10)
    async def test_who_can_wait_waits(self, recorder: Recorder) -> None:
        client = Poller(APP)
        await client.open()
        recorder.socket.send(*"123456")
        drained = asyncio.ensure_future(recorder.socket.drain())
        await asyncio.sleep(0)
        assert not drained.done()
        assert len((await client.get()).packets) == 6
        await drained

    @override_settings(SIO_MAX_BUFFERED_PACKETS=10)
    async def test_who_waits_beside_others_may_be_cancelled(self, recorder: Recorder) -> None:
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
    async def test_who_waits_is_released_at_the_end(self, recorder: Recorder) -> None:
        await Poller(APP).open()
        recorder.socket.send(*"123456")
        drained = asyncio.ensure_future(recorder.socket.drain())
        await asyncio.sleep(0)
        recorder.socket.end(Reason.TRANSPORT_ERROR)
        await drained
