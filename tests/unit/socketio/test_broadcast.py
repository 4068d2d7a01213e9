"""`Broadcaster`: an event to many sockets, from whatever thread or process."""

from __future__ import annotations

import asyncio
import functools
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync
from django.test import override_settings

from sio import EncodingError, SocketIOConsumer, as_asgi, get_socketio_server
from tests.client import SocketIOClient

from .consumers import Consumer, PlainConsumer, member

LAYER = {"default": {"BACKEND": f"{__name__}.Layer"}}


class Chat(SocketIOConsumer):
    namespace = "/chat"


class Layer:
    """A channel layer as another process may read it."""

    sent: ClassVar[list[str]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append(message["type"])


class TestHints:
    """A broadcast that nobody hears is no error: nobody may be there. A namespace that nobody serves is a mistake."""

    async def test_namespace_without_a_consumer_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        as_asgi(Chat, PlainConsumer)
        server = get_socketio_server()
        for namespace in ("/caht", "/", "/caht", "/chat"):
            await server.emit("x", namespace=namespace)
        assert caplog.messages == [
            f"emit() to the namespace '{namespace}', which has no consumer here: pass namespace=, one of "
            "'/chat', '/other'"
            for namespace in ("/caht", "/")
        ]

    async def test_it_is_logged_in_a_process_with_clients(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        await asyncio.to_thread(async_to_sync(get_socketio_server().emit), "x", namespace="/caht")
        assert "'/caht'" in caplog.text

    @pytest.mark.parametrize("layers", [{}, {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}])
    def test_process_that_reaches_nobody_says_so(
        self, layers: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        with override_settings(CHANNEL_LAYERS=layers):
            for _ in range(2):
                async_to_sync(get_socketio_server().emit)("x", namespace="/chat")
        (message,) = caplog.messages
        assert message.startswith("emit() reached nobody: ")

    @override_settings(CHANNEL_LAYERS=LAYER)
    def test_process_with_a_layer_reaches_others(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Layer, "sent", [])
        async_to_sync(get_socketio_server().emit)("x", namespace="/chat")
        assert caplog.messages == []
        assert Layer.sent == ["sio.broadcast"]

    def test_process_that_serves_and_has_no_clients_yet_is_fine(self, caplog: pytest.LogCaptureFixture) -> None:
        Chat.as_asgi()
        async_to_sync(get_socketio_server().emit)("x", namespace="/chat")
        assert caplog.messages == []


class TestThreads:
    async def test_broadcast_of_another_thread_runs_on_the_loop_of_the_sockets(self, joined: SocketIOClient) -> None:
        await asyncio.to_thread(async_to_sync(get_socketio_server().emit), "x", b"1", namespace="/test")
        await joined.received('51-/test,["x",{"_placeholder":true,"num":0}]', b"1")

    async def test_rooms_that_can_be_read_once_reach_it(self, app: Any) -> None:
        clients = [await member(app, auth={"room": room}) for room in "abc"]
        rooms, excluded = (room for room in "ab"), (room for room in "b")
        emit = async_to_sync(get_socketio_server().emit)
        await asyncio.to_thread(lambda: emit("x", namespace="/test", room=rooms, except_=excluded))
        await get_socketio_server().emit("end", namespace="/test")
        for client, packets in zip(clients, (["x", "end"], ["end"], ["end"]), strict=True):
            await client.received(*[f'2/test,["{packet}"]' for packet in packets])

    @pytest.mark.parametrize(
        ("args", "options", "error"),
        [
            (("x", object()), {}, EncodingError),
            (("connect",), {}, ValueError),
            (("x",), {"room": 1}, TypeError),
            (("x",), {"room": [1]}, TypeError),
            (("x",), {"except_": [None]}, TypeError),
        ],
    )
    @pytest.mark.parametrize("in_thread", [False, True])
    async def test_error_is_raised_at_the_caller_and_nothing_is_sent(
        self, joined: SocketIOClient, args: Any, options: Any, error: type[Exception], in_thread: bool
    ) -> None:
        emit = functools.partial(get_socketio_server().emit, *args, namespace="/test", **options)
        with pytest.raises(error):
            await (asyncio.to_thread(asyncio.run, emit()) if in_thread else emit())
        await Consumer.members[0].emit("next")
        await joined.received('2/test,["next"]')

    def test_process_without_sockets_raises_at_the_caller_too(self) -> None:
        with pytest.raises(EncodingError):
            async_to_sync(get_socketio_server().emit)("x", object())
