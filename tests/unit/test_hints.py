"""What raises nothing and leaves everybody waiting is told in the log, once."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from sio import SocketIOConsumer, get_asgi_application, get_socketio_server
from sio.socketio.hints import Once
from tests.client import SocketIOClient


class Chat(SocketIOConsumer):
    namespace = "/chat"

    async def event_user(self, socket: Any) -> str:
        return str(socket.user)

    async def event_ping(self, socket: Any) -> str:
        return "pong"


class News(SocketIOConsumer):
    namespace = "/news"


async def refused(application: Any, *names: str) -> None:
    """Asks for namespaces that are not there."""
    client = await SocketIOClient(application).open()
    for name in names:
        client.send("0", name)
        await client.received(f'4{name},{{"message":"Invalid namespace"}}')


class TestOnce:
    def test_key_is_new_once(self) -> None:
        once = Once()
        assert [once.is_new(key) for key in "abab"] == [True, True, False, False]

    def test_it_remembers_a_bounded_number(self) -> None:
        once = Once()
        assert sum(once.is_new(str(key)) for key in range(1_000)) == 20


class TestUnknownNamespace:
    """A client waits for a `connect` that does not come, and few listen for `connect_error`."""

    async def test_it_is_told_once_with_those_that_there_are(self, caplog: pytest.LogCaptureFixture) -> None:
        application = get_asgi_application(Chat, News)
        await refused(application, "/caht", "/caht")
        await refused(application, "/caht")
        assert caplog.messages == [
            "Refused a client that asked for the namespace '/caht': this path serves '/chat', '/news'"
        ]

    async def test_one_of_another_path_is_said_to_be_there(self, caplog: pytest.LogCaptureFixture) -> None:
        News.as_asgi()
        await refused(Chat.as_asgi(), "/news")
        assert caplog.messages == [
            "Refused a client that asked for the namespace '/news', which is mounted on another path: "
            "this path serves '/chat'"
        ]

    async def test_clients_do_not_fill_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        await refused(Chat.as_asgi(), *[f"/{number}" + "x" * 500 for number in range(30)])
        assert len(caplog.messages) == 20
        assert max(map(len, caplog.messages)) < 250


class TestEmit:
    """A broadcast that nobody hears is no error: nobody may be there. What nobody can ever hear is a mistake."""

    async def test_namespace_without_a_consumer_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        get_asgi_application(Chat, News)
        server = get_socketio_server()
        for namespace in ("/caht", "/", "/caht", "/chat"):
            await server.emit("x", namespace=namespace)
        assert caplog.messages == [
            f"emit() to the namespace '{namespace}', which has no consumer here: pass namespace=, one of "
            "'/chat', '/news'"
            for namespace in ("/caht", "/")
        ]

    async def test_it_is_told_in_a_process_with_clients(self, caplog: pytest.LogCaptureFixture) -> None:
        client = await SocketIOClient(Chat.as_asgi()).open()
        await client.connect("/chat")
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

    @override_settings(CHANNEL_LAYERS={"default": {"BACKEND": "tests.unit.test_hints.Layer"}})
    def test_process_with_a_layer_reaches_others(self, caplog: pytest.LogCaptureFixture) -> None:
        async_to_sync(get_socketio_server().emit)("x", namespace="/chat")
        assert caplog.messages == []
        assert Layer.sent == ["sio.broadcast"]

    def test_process_that_serves_and_has_no_clients_yet_is_fine(self, caplog: pytest.LogCaptureFixture) -> None:
        Chat.as_asgi()
        async_to_sync(get_socketio_server().emit)("x", namespace="/chat")
        assert caplog.messages == []


class Layer:
    """A channel layer as another process may read it."""

    sent: ClassVar[list[str]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append(message["type"])


class TestUser:
    async def test_without_middleware_it_says_what_is_missing(self, caplog: pytest.LogCaptureFixture) -> None:
        client = await SocketIOClient(Chat.as_asgi()).open()
        await client.connect("/chat")
        client.emit("/chat", "user")
        client.emit("/chat", "ping", ack_id=1)
        await client.received('3/chat,1["pong"]')
        error = caplog.records[0].exc_info[1]
        assert isinstance(error, ImproperlyConfigured)
        assert "AuthMiddlewareStack" in str(error)
        assert "'websocket'" in str(error)

    async def test_whoever_middleware_found_is_the_user(self) -> None:
        client = await SocketIOClient(Chat.as_asgi(), user=None).open()
        await client.connect("/chat")
        client.emit("/chat", "user", ack_id=1)
        await client.received('3/chat,1["None"]')


class TestMount:
    """A class that is routed instead of its application."""

    class WithInit(Chat):
        def __init__(self) -> None: ...

    @pytest.mark.parametrize("consumer", [Chat, WithInit])
    async def test_as_asgi_is_named(self, consumer: Any) -> None:
        with pytest.raises(TypeError, match=rf"{consumer.__name__} is no ASGI application: route .*\.as_asgi\(\)"):
            await consumer({"type": "http"}, None, None)

    @pytest.mark.parametrize(("args", "kwargs"), [((1,), {}), ((), {"room": 1}), (({},), {})])
    def test_other_arguments_are_refused_as_ever(self, args: Any, kwargs: Any) -> None:
        with pytest.raises(TypeError, match=r"Chat\(\) takes no arguments"):
            Chat(*args, **kwargs)

    def test_class_may_have_a_constructor(self) -> None:
        class Sized(Chat):
            def __init__(self, size: int = 0) -> None:
                self.size = size

        assert (Sized().size, Sized(2).size, Sized(size=3).size) == (0, 2, 3)

    @pytest.mark.parametrize("make", [Chat.as_asgi, Chat, lambda: object, lambda: "Chat"])
    def test_what_is_no_consumer_class_is_named(self, make: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="takes consumer classes, and not"):
            get_asgi_application(make())
