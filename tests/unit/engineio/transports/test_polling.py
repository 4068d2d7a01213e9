"""The HTTP long-polling transport, with a server in memory: what a client gets, step by step."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings

from sio.engineio import CloseReason
from tests.asgi import APP, Poller, http_scope, request
from tests.pace import TIMEOUT
from tests.unit.engineio.applications import Recorder
from tests.unit.engineio.clients import HANDSHAKE, open_post, turns


@pytest.mark.usefixtures("echo")
async def test_messages_come_back() -> None:
    client = Poller(APP)
    await client.open()
    assert (await client.post("4hello\x1ebAQI=")).text == "ok"
    assert (await client.get()).packets == ["4hello", "bAQI="]


class TestHandshake:
    async def test_response_has_the_headers_of_the_reference(self, recorder: Recorder) -> None:
        response = await request(APP, "GET", HANDSHAKE)
        assert response.headers["content-type"] == "text/plain; charset=UTF-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-length"] == str(len(response.body))

    async def test_refusal_is_json(self) -> None:
        response = await request(APP, "GET", "EIO=3&transport=polling")
        assert (response.status, response.headers["content-type"]) == (400, "application/json")
        assert response.text == '{"code":5,"message":"Unsupported protocol version"}'

    async def test_refusal_of_head_has_no_body(self) -> None:
        response = await request(APP, "HEAD", HANDSHAKE)
        assert (response.status, response.body) == (400, b"")

    async def test_preflight_of_an_allowed_origin(self) -> None:
        headers = [(b"origin", b"https://other.example"), (b"access-control-request-method", b"POST")]
        with override_settings(SIO_CORS_ALLOWED_ORIGINS=["https://other.example"]):
            response = await request(APP, "OPTIONS", HANDSHAKE, headers=headers)
        assert (response.status, response.body) == (204, b"")
        assert response.headers["access-control-allow-origin"] == "https://other.example"


class TestPolling:
    async def test_poll_waits_for_packets(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await turns(1)
        recorder.socket.send("late")
        assert (await poll).text == "4late"

    async def test_packets_of_one_turn_share_a_response(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await turns(1)
        recorder.socket.send("a", b"\x00")
        recorder.socket.send("b")
        assert (await poll).packets == ["4a", "bAA==", "4b"]

    async def test_second_poll_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        first = poller.get()
        await turns(1)
        assert ((await poller.get()).status, (await first).text) == (400, "1")
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]

    async def test_aborted_poll_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await turns(1)
        poll.disconnect()
        await poll
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]

    async def test_cancelled_poll_ends_the_session_as_a_shutdown(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await turns(1)
        poll.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await poll.task
        assert recorder.reasons == [CloseReason.SERVER_SHUTTING_DOWN]

    async def test_other_method_is_answered_500_and_the_session_lives(self, poller: Poller) -> None:
        response = await request(APP, "PUT", f"{HANDSHAKE}&sid={poller.sid}")
        assert (response.status, response.body) == (500, b"")
        assert (await poller.post("4x")).status == 200

    async def test_client_may_close_a_session_that_the_server_closes(self, poller: Poller, recorder: Recorder) -> None:
        recorder.socket.send("last")
        recorder.socket.close()
        await poller.post("1")
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]

    async def test_client_close_answers_the_poll_with_noop(self, poller: Poller, recorder: Recorder) -> None:
        poll = poller.get()
        await turns(1)
        assert (await poller.post("1")).text == "ok"
        assert (await poll).text == "6"
        assert recorder.reasons == [CloseReason.TRANSPORT_CLOSE]
        assert (await poller.get()).json()["code"] == 1


class TestPost:
    async def test_response_has_the_headers_of_the_reference(self, poller: Poller) -> None:
        response = await poller.post("4x")
        assert (response.text, response.headers["content-type"]) == ("ok", "text/html")
        assert response.headers["cache-control"] == "no-store"

    async def test_packets_before_a_malformed_one_are_delivered(self, poller: Poller, recorder: Recorder) -> None:
        assert (await poller.post("4good\x1eabc\x1e4never")).status == 200
        assert (recorder.messages, recorder.reasons) == (["good"], [CloseReason.PARSE_ERROR])

    async def test_packets_after_the_end_of_the_session_are_dropped(self, poller: Poller, recorder: Recorder) -> None:
        await poller.post("4good\x1e1\x1e4never")
        assert (recorder.messages, recorder.reasons) == (["good"], [CloseReason.TRANSPORT_CLOSE])

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
        first = open_post(poller)
        await turns(1)
        assert (await poller.post("4x")).status == 400
        assert recorder.reasons == [CloseReason.TRANSPORT_ERROR]
        first.send_body(b"4late")
        await first
        assert recorder.messages == []

    async def test_octet_stream_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        response = await poller.post(b"4x", [(b"content-type", b"application/octet-stream")])
        assert (response.status, recorder.reasons) == (400, [CloseReason.TRANSPORT_ERROR])

    @pytest.mark.parametrize("length", [b"1000001", b"9" * 30])
    async def test_announced_body_that_is_too_large_is_not_read(self, poller: Poller, length: bytes) -> None:
        response = await open_post(poller, headers=[(b"content-length", length)])
        assert (response.status, response.body) == (413, b"")
        assert (await poller.post("4x")).status == 200

    async def test_body_that_is_too_large_is_taken_while_it_is_refused(self, poller: Poller) -> None:
        """Hypercorn ends a response only once the application has taken what came of the body."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        queue.put_nowait({"type": "http.request", "body": b"x", "more_body": True})

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                await queue.put({"type": "http.disconnect"})

        scope = http_scope("POST", f"{HANDSHAKE}&sid={poller.sid}", [(b"content-length", b"1000001")])
        await asyncio.wait_for(APP(scope, queue.get, send), TIMEOUT)

    async def test_body_that_does_not_come_is_given_up_with_its_session(self, poller: Poller) -> None:
        post = open_post(poller)
        post.send_body(b"4", more_body=True)
        assert (await poller.post("4x")).status == 400  # an overlap, which ends the session
        response = await post
        assert (response.status, response.body) == (400, b"")

    async def test_events_of_unknown_types_are_no_body(self, poller: Poller, recorder: Recorder) -> None:
        post = open_post(poller)
        post.send_event({"type": "http.invented"})
        post.send_body(b"4hello")
        assert (await post).text == "ok"

    async def test_answer_that_nobody_takes_is_no_error(self, poller: Poller) -> None:
        """The client left while it was answered (bad input 95)."""

        async def send(message: dict[str, Any]) -> None:
            raise OSError("gone")

        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        queue.put_nowait({"type": "http.request", "body": b"4", "more_body": False})
        await APP(http_scope("POST", f"{HANDSHAKE}&sid={poller.sid}"), queue.get, send)
        assert (await poller.post("4x")).status == 200

    async def test_body_is_counted_while_it_is_read(self, poller: Poller, recorder: Recorder) -> None:
        post = open_post(poller)
        for _ in range(3):
            post.send_body(b"4" * 400_000, more_body=True)
        assert (await post).status == 413
        assert recorder.messages == []

    async def test_body_may_come_in_pieces(self, poller: Poller, recorder: Recorder) -> None:
        post = open_post(poller)
        post.send_body("4é".encode()[:2], more_body=True)
        post.send_body("4é".encode()[2:])
        assert (await post).status == 200
        assert recorder.messages == ["é"]

    async def test_client_that_leaves_amid_its_body_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        post = open_post(poller)
        post.send_body(b"4half", more_body=True)
        post.disconnect()
        await post
        assert (recorder.messages, recorder.reasons) == ([], [CloseReason.TRANSPORT_ERROR])

    async def test_cancelled_post_ends_the_session(self, poller: Poller, recorder: Recorder) -> None:
        post = open_post(poller)
        await turns(1)
        post.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await post.task
        assert recorder.reasons == [CloseReason.SERVER_SHUTTING_DOWN]

    async def test_loop_gets_its_turn_amid_many_packets(self, poller: Poller, recorder: Recorder) -> None:
        post = poller.post("\x1e".join(["4x"] * 1000))
        await turns(5)
        assert 0 < len(recorder.messages) < 1000
        await post
        assert len(recorder.messages) == 1000

    async def test_paused_reading_holds_the_post_back(self, poller: Poller, recorder: Recorder) -> None:
        recorder.socket.pause_reading()
        post = poller.post("4a\x1e4b")
        await turns(5)
        assert recorder.messages == ["a"]
        recorder.socket.resume_reading()
        await post
        assert recorder.messages == ["a", "b"]

    async def test_client_that_leaves_its_paused_post_ends_the_session(
        self, poller: Poller, recorder: Recorder
    ) -> None:
        recorder.socket.pause_reading()
        post = poller.post("4a\x1e4b")
        await turns(1)
        post.disconnect()
        await post
        assert (recorder.messages, recorder.reasons) == (["a"], [CloseReason.TRANSPORT_ERROR])
