"""`Dispatcher`: calls the hooks and handlers of a consumer, and sees to what becomes of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, ClassVar

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings

from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer, get_socketio_server
from tests.client import SocketIOClient

from .consumers import Consumer, member, wait_until


class TestConnect:
    @pytest.mark.parametrize(
        ("auth", "error"),
        [
            ({"answer": False}, '{"message":"Not authorized"}'),
            ({"answer": 0}, '{"message":"Not authorized"}'),
            ({"answer": None}, '{"message":"Not authorized"}'),
            ({"refuse": []}, '{"message":"go away"}'),
            ({"refuse": [{"code": 7}]}, '{"message":"go away","data":{"code":7}}'),
            ({"raise": True}, '{"message":"Internal server error"}'),
        ],
    )
    async def test_refused_client_gets_an_error(self, client: SocketIOClient, auth: Any, error: str) -> None:
        client.send("0", "/test", {**auth, "emit": True, "room": "lobby"})
        await client.received("4/test," + error)
        await get_socketio_server().emit("x", room="lobby", namespace="/test")
        await client.connect("/other")
        client.leave()
        await client.websocket.finished()
        assert Consumer.log == [], "no disconnect hook for a refused socket"

    @pytest.mark.parametrize("answer", [True, 1, "yes", ["any"]])
    async def test_true_value_accepts(self, client: SocketIOClient, answer: Any) -> None:
        await client.connect("/test", {"answer": answer})
        assert Consumer.members[0].connected

    async def test_refusal_that_cannot_be_sent_is_another_refusal(
        self, client: SocketIOClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def connect(self: Any, socket: Any, auth: Any) -> None:
            raise ConnectionRefused("go away", object())

        monkeypatch.setattr(Consumer, "connect", connect)
        client.send("0", "/test")
        await client.received('4/test,{"message":"Internal server error"}')
        assert "could not be answered" in caplog.text

    async def test_forgotten_return_is_logged_for_the_developer(
        self, client: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.send("0", "/test", {"answer": None})
        await client.receive()
        assert "Consumer.connect returned None" in caplog.text
        assert "return True" in caplog.text

    @override_settings(SIO_CONNECT_HOOK_TIMEOUT_MS=300)
    async def test_hook_whose_client_left_is_cancelled_in_time(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await SocketIOClient(app).open()
        client.send("0", "/test", {"wait": True})
        await wait_until(lambda: Consumer.members)
        tasks = Consumer.members[0]._eio.tasks
        client.leave()
        await client.websocket.finished()
        started = asyncio.get_running_loop().time()
        await tasks.wait(10)
        assert asyncio.get_running_loop().time() - started == pytest.approx(0.3)
        assert "Consumer.connect: its client left SIO_CONNECT_HOOK_TIMEOUT_MS ago" in caplog.text
        assert Consumer.log == []

    @override_settings(SIO_CONNECT_HOOK_TIMEOUT_MS=300)
    async def test_hook_that_ends_after_its_client_left_is_not_cancelled(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await SocketIOClient(app).open()
        client.send("0", "/test", {"wait": True})
        await wait_until(lambda: Consumer.members)
        client.leave()
        await client.websocket.finished()
        Consumer.gate.set()
        await asyncio.sleep(1)
        assert caplog.text == ""


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "answer"),
        [
            (["echo"], "[]"),
            (["echo", 1, {"a": None}], '[1,{"a":null}]'),
            (["one", 1], "[1]"),
            (["one", [1, 2]], "[[1,2]]"),
            (["one", None], "[]"),
        ],
    )
    async def test_value_that_a_handler_returns_is_the_ack(
        self, joined: SocketIOClient, event: Any, answer: str
    ) -> None:
        joined.emit("/test", *event, ack_id=0)
        await joined.received(f"3/test,0{answer}")

    async def test_handler_acks_once(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "acked", ack_id=7)
        await joined.received('61-/test,7["first",{"_placeholder":true,"num":0}]', b"\x02")
        joined.emit("/test", "one", "next", ack_id=8)
        await joined.received('3/test,8["next"]')

    async def test_client_that_wants_no_ack_gets_none(self, joined: SocketIOClient) -> None:
        for event in ("acked", "echo"):
            joined.emit("/test", event)
        joined.emit("/test", "one", "next", ack_id=1)
        await joined.received('3/test,1["next"]')
        assert Consumer.log == [False]

    @pytest.mark.parametrize("event", ["raise", "cancelled", "unsendable"])
    async def test_handler_that_fails_ends_nothing(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture, event: str
    ) -> None:
        joined.emit("/test", event, ack_id=1)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')
        assert caplog.text.count(f"Consumer.event_{event} raised") == 1

    async def test_one_instance_of_the_consumer_handles_a_socket(
        self, joined: SocketIOClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its `self` in the hook and in the handlers is the same, and no other socket has it."""
        instances: list[Any] = []

        async def event_count(self: Any, socket: Any, number: int) -> None:
            instances.append(self)

        monkeypatch.setattr(Consumer, "event_count", event_count)
        second = await member(joined.websocket._app)
        for client in (joined, joined, second):
            client.emit("/test", "count", 1, ack_id=1)
            await client.received("3/test,1[]")
        assert instances[0] is instances[1] is not instances[2]


class TestCallbacks:
    async def test_callback_that_raises_ends_nothing(
        self, joined: SocketIOClient, socket: NamespaceSocket, caplog: pytest.LogCaptureFixture
    ) -> None:
        await socket.emit("x", callback=lambda: 1 / 0)
        await joined.receive()
        joined.send("3", "/test", [], 0)
        await wait_until(lambda: "raised" in caplog.text)

    async def test_callbacks_name_is_logged_without_its_address(
        self, joined: SocketIOClient, socket: NamespaceSocket, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Callback:
            def __call__(self) -> None:
                raise LookupError

        for ack_id in range(2):
            await socket.emit("x", callback=Callback())
            await joined.receive()
            joined.send("3", "/test", [], ack_id)
            await wait_until(lambda: caplog.messages)
        (message,) = caplog.messages
        assert message.endswith("Callback raised")
        assert "0x" not in message


class TestDisconnect:
    async def test_hook_that_raises_is_logged(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def disconnect(self: Any, socket: Any, reason: str) -> None:
            raise LookupError

        monkeypatch.setattr(Consumer, "disconnect", disconnect)
        joined.leave()
        await wait_until(lambda: "Consumer.disconnect raised" in caplog.text)


class HangingConsumer(SocketIOConsumer):
    namespace = "/hanging"
    released: ClassVar[threading.Event]

    async def event_hang(self, socket: NamespaceSocket) -> None:
        await sync_to_async(self.released.wait)()

    async def event_echo(self, socket: NamespaceSocket, value: Any) -> Any:
        return value


@pytest.mark.real_time  # a thread waits, and virtual time would not wait for it
async def test_sync_code_that_hangs_holds_up_nobody_else() -> None:
    HangingConsumer.released = threading.Event()
    application = HangingConsumer.as_asgi()
    clients = [await member(application, "/hanging") for _ in range(2)]
    clients[0].emit("/hanging", "hang", ack_id=1)
    clients[0].emit("/hanging", "echo", "later", ack_id=2)
    for number in range(20):
        clients[1].emit("/hanging", "echo", number, ack_id=number)
        await clients[1].received(f"3/hanging,{number}[{number}]")
    HangingConsumer.released.set()
    await clients[0].received("3/hanging,1[]", '3/hanging,2["later"]')
