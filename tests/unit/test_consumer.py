"""From a class to the handlers of a namespace, and to an ASGI application."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.exceptions import ImproperlyConfigured
from django.test import modify_settings, override_settings
from django.urls import re_path

from sio import SocketIOConsumer, SocketIOServer, as_asgi, get_socketio_server
from sio.socketio.handlers import find_handlers
from tests.asgi import Poller, WebSocket, request
from tests.client import SocketIOClient
from tests.pace import TIMEOUT


class Greeter:
    """A mixin that is no consumer."""

    async def event_greet(self, socket: Any, name: str) -> str:
        return f"hello {name}"


class Base(SocketIOConsumer):
    namespace = "/base"

    async def connect(self, socket: Any, auth: Any) -> bool:
        return "token" in auth

    async def event_who(self, socket: Any) -> str:
        return type(self).__name__


class Child(Greeter, Base):
    namespace = "/child"


def shouting(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that is a plain function around an async one."""

    @functools.wraps(handler)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs)

    return wrapper


async def answers(consumer: type[SocketIOConsumer], *event: Any) -> str:
    """Returns the packet that acknowledges an event sent to a consumer."""
    client = await SocketIOClient(consumer.as_asgi()).open()
    await client.connect(consumer.namespace, {"token": 1})
    client.emit(consumer.namespace, *event, ack_id=0)
    packet: str = await client.receive()
    return packet.removeprefix(f"3{consumer.namespace},0")


class TestHandlers:
    async def test_are_found_over_the_mro(self) -> None:
        Base.as_asgi()
        assert await answers(Child, "greet", "Ada") == '["hello Ada"]'
        assert await answers(Child, "who") == '["Child"]'

    async def test_inherited_connect_decides(self) -> None:
        client = await SocketIOClient(Child.as_asgi()).open()
        client.send("0", "/child")
        await client.received('4/child,{"message":"Not authorized"}')

    async def test_hooks_may_call_those_of_the_base_class(self) -> None:
        class Polite(SocketIOConsumer):
            namespace = "/polite"
            left = asyncio.Event()

            async def connect(self, socket: Any, auth: Any) -> bool:
                return await super().connect(socket, auth)

            async def disconnect(self, socket: Any, reason: Any) -> None:
                await super().disconnect(socket, reason)
                self.left.set()

        client = await SocketIOClient(Polite.as_asgi()).open()
        await client.connect("/polite")
        client.leave()
        await asyncio.wait_for(Polite.left.wait(), TIMEOUT)

    @pytest.mark.parametrize("hook", ["connect", "disconnect"])
    def test_hook_behind_the_default_is_an_error(self, hook: str) -> None:
        async def method(self: Any, socket: Any, argument: Any) -> bool:
            return False

        mixin = type("Mixin", (), {hook: method})
        assert find_handlers(type("Right", (mixin, Base), {}), SocketIOConsumer)
        late = type("Late", (SocketIOConsumer, mixin), {"namespace": "/late"})
        with pytest.raises(ImproperlyConfigured, match=rf"^Mixin\.{hook} .*Late must name Mixin before Socket"):
            late.as_asgi()  # type: ignore[attr-defined]

    def test_hooks_of_the_base_class_cost_nothing(self) -> None:
        handlers = find_handlers(SocketIOConsumer, SocketIOConsumer)
        assert (handlers.has_connect, handlers.has_disconnect) == (False, False)
        Child.as_asgi()
        handlers = get_socketio_server()._shared.namespaces["/child"].handlers
        assert (handlers.has_connect, handlers.has_disconnect) == (True, False)

    async def test_may_be_decorated(self) -> None:
        class Decorated(SocketIOConsumer):
            namespace = "/decorated"

            @shouting
            async def event_x(self, socket: Any, *, ack: Any = None) -> None:
                await ack("decorated")

        assert await answers(Decorated, "x") == '["decorated"]'

    async def test_local_variable_called_ack_is_no_parameter(self) -> None:
        class Local(SocketIOConsumer):
            namespace = "/local"

            async def event_x(self, socket: Any) -> str:
                ack = "local"
                return ack

        assert await answers(Local, "x") == '["local"]'

    async def test_one_instance_serves_one_client(self) -> None:
        class Counter(SocketIOConsumer):
            namespace = "/counter"
            count = 0

            async def event_add(self, socket: Any) -> int:
                self.count += 1
                return self.count

        assert [await answers(Counter, "add") for _ in range(2)] == ["[1]", "[1]"]

    async def test_constructor_that_raises_refuses_the_client(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(SocketIOConsumer):
            namespace = "/broken"

            def __init__(self) -> None:
                raise LookupError

        client = await SocketIOClient(Broken.as_asgi()).open()
        client.send("0", "/broken")
        await client.received('4/broken,{"message":"Internal server error"}')
        assert "Broken.connect raised" in caplog.text


class TestRegistration:
    async def test_same_class_may_be_mounted_twice(self) -> None:
        mounts = [Base.as_asgi(), Base.as_asgi()]
        assert mounts[0] is not mounts[1]
        assert get_socketio_server()._shared.namespaces.served == {"/base"}
        for mount in mounts:
            await (await SocketIOClient(mount).open()).connect("/base", {"token": 1})

    def test_two_classes_on_one_namespace_are_an_error_that_names_both(self) -> None:
        class Rival(SocketIOConsumer):
            namespace = "/base"

        with pytest.raises(ImproperlyConfigured, match=r"'/base'.*test_consumer\.Base.*Rival"):
            as_asgi(Base, Rival)

    @pytest.mark.parametrize("name", ["chat", "", "/a,b", "/a\x1eb", "/a\n"])
    def test_impossible_namespace_is_an_error(self, name: str) -> None:
        class Nowhere(SocketIOConsumer):
            namespace = name

        with pytest.raises(ImproperlyConfigured, match="is no namespace"):
            Nowhere.as_asgi()

    def test_handler_that_cannot_be_called_is_an_error(self) -> None:
        class Sync(SocketIOConsumer):
            def event_x(self, socket: Any) -> None: ...

        with pytest.raises(ImproperlyConfigured, match=r"Sync\.event_x must be declared with 'async def'"):
            Sync.as_asgi()

    def test_application_needs_a_consumer(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="at least one consumer"):
            as_asgi()

    @pytest.mark.parametrize("other", [Greeter, Base(), Base.as_asgi, "Base", None])
    def test_application_is_of_consumer_classes(self, other: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="takes consumer classes, and not"):
            as_asgi(Base, other)

    async def test_class_that_is_routed_itself_names_as_asgi(self) -> None:
        with pytest.raises(TypeError, match=r"Base is no ASGI application: route Base\.as_asgi\(\)"):
            await Base({"type": "http"}, None, None)  # type: ignore[misc]

    @pytest.mark.parametrize("arguments", [(1,), ({},)])
    def test_class_without_a_constructor_takes_no_arguments(self, arguments: tuple[Any, ...]) -> None:
        with pytest.raises(TypeError, match=r"^Base\(\) takes no arguments$"):
            Base(*arguments)

    @modify_settings(INSTALLED_APPS={"remove": "sio"})
    def test_app_must_be_installed(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="needs 'sio' in INSTALLED_APPS"):
            Base.as_asgi()

    @override_settings(SIO_CONNECT_TIMEOUT_MS="1")
    def test_wrong_setting_is_an_error_at_startup(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="SIO_CONNECT_TIMEOUT_MS"):
            Base.as_asgi()


class TestServer:
    """`as_asgi(server=…)` is for another server than that of the process."""

    @pytest.fixture
    def server(self) -> SocketIOServer:
        server = SocketIOServer()
        return server

    @pytest.mark.parametrize("transport", ["polling", "websocket"])
    async def test_its_clients_are_on_that_server(self, server: SocketIOServer, transport: str) -> None:
        application = as_asgi(Base, server=server)
        if transport == "websocket":
            await (await SocketIOClient(application).open()).connect("/base", {"token": 1})
        else:
            poller = Poller(application)
            await poller.open()
            await poller.post('40/base,{"token":1}')
            assert (await poller.get()).text.startswith('40/base,{"sid":')
        assert len(server.engineio.registry) == 1
        assert len(get_socketio_server().engineio.registry) == 0

    async def test_namespace_is_registered_with_that_server_only(self, server: SocketIOServer) -> None:
        as_asgi(Base, server=server)
        client = await SocketIOClient(Child.as_asgi()).open()
        client.send("0", "/base", {"token": 1})
        await client.received('4/base,{"message":"Invalid namespace"}')

    async def test_broadcast_of_one_server_does_not_reach_the_clients_of_another(self, server: SocketIOServer) -> None:
        client = await SocketIOClient(as_asgi(Base, server=server)).open()
        await client.connect("/base", {"token": 1})
        other = await SocketIOClient(Base.as_asgi()).open()
        await other.connect("/base", {"token": 1})
        await get_socketio_server().emit("news", 1, namespace="/base")
        await server.emit("news", 2, namespace="/base")
        await client.received('2/base,["news",2]')
        await other.received('2/base,["news",1]')


class TestRouting:
    async def test_scope_of_another_type_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="'http' and 'websocket', not 'lifespan'"):
            await Base.as_asgi()({"type": "lifespan"}, None, None)  # type: ignore[arg-type]

    @pytest.mark.parametrize("transport", ["polling", "websocket"])
    async def test_handlers_see_the_user_of_the_handshake(self, transport: str) -> None:
        class Me(SocketIOConsumer):
            namespace = "/me"

            async def event_me(self, socket: Any) -> Any:
                return [str(socket.user), socket.scope["session"].get("cart"), socket.scope["type"]]

        routes = AuthMiddlewareStack(URLRouter([re_path(r"^socket\.io/?$", Me.as_asgi())]))
        app = ProtocolTypeRouter({"http": routes, "websocket": routes})
        if transport == "websocket":
            client = await SocketIOClient(app).open()
            await client.connect("/me")
            client.emit("/me", "me", ack_id=0)
            await client.received('3/me,0[["AnonymousUser",null,"websocket"]]')
        else:
            poller = Poller(app)
            await poller.open()
            await poller.post("40/me,")
            await poller.get()
            await poller.post('42/me,0["me"]')
            assert (await poller.get()).text == '43/me,0[["AnonymousUser",null,"http"]]'

    async def test_foreign_origin_is_refused_on_both_transports(self, caplog: pytest.LogCaptureFixture) -> None:
        app, headers = Base.as_asgi(), [(b"origin", b"https://evil.example")]
        response = await request(app, "GET", "EIO=4&transport=polling", headers=headers)
        assert (response.status, response.text) == (403, '{"code":4,"message":"Forbidden"}')
        assert (await WebSocket(app, headers=headers).connect())["type"] == "websocket.close"
        assert caplog.text.count("SIO_CORS_ALLOWED_ORIGINS") == 1, "the second is its repeat"
