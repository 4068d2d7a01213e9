"""What a consumer is given: the request of the handshake, handlers from mixins, and its hooks."""

from __future__ import annotations

import pytest
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing

from .conftest import OURS
from .project.settings import SECRET_KEY
from .servers import HOSTILE, Farm
from .wire import TRANSPORTS, Wire


def session_cookie(**data: object) -> dict[str, str]:
    """The header of a browser that has a Django session."""
    salt = "django.contrib.sessions.backends.signed_cookies"
    return {"Cookie": f"sessionid={signing.dumps(data, key=SECRET_KEY, salt=salt, serializer=JSONSerializer)}"}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_handler_has_the_scope_of_the_handshake(wire: Wire, transport: str) -> None:
    open_session = wire.polling if transport == "polling" else wire.websocket
    session = await open_session(session_cookie(visits=3))
    await session.join("/", {"name": "ann"})
    assert await session.call("scope") == [
        {
            "user": "AnonymousUser",
            "visits": 3,
            "path": "/socket.io/",
            "transport": transport,
            "auth": {"name": "ann"},
        }
    ]


async def test_scope_is_that_of_the_first_request_after_an_upgrade(wire: Wire) -> None:
    session = await wire.polling(session_cookie(visits=1))
    await session.join()
    websocket = await wire.upgrade(session)
    [scope] = await websocket.call("scope")
    assert (scope["visits"], scope["transport"]) == (1, "websocket")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_subclass_of_a_consumer_handles_a_namespace_of_its_own(wire: Wire, transport: str) -> None:
    session = await wire.session(transport)
    await session.join("/")
    await session.join("/custom")
    await session.emit("join", "only in /custom", namespace="/custom")
    await session.emit("broadcast", {"room": "only in /custom"}, "nobody")
    assert await session.call("echo_ack", "base") == ["base"]
    assert await session.call("echo_ack", "subclass", namespace="/custom") == ["subclass"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_consumer_without_a_connect_hook_accepts_and_has_its_disconnect_hook(wire: Wire, transport: str) -> None:
    session = await wire.member(transport, "/bare")
    await session.send("41/bare,")
    assert await wire.server.reason(session.id) == "client namespace disconnect"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_is_emitted_while_connecting_comes_after_the_answer(wire: Wire, transport: str) -> None:
    session = await wire.member(transport, "/early", {"a": 1})
    assert await session.receive_many(3) == [
        '42/early,["auth",{"a":1}]',
        '451-/early,["second",{"_placeholder":true,"num":0}]',
        b"\x01",
    ]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_broadcasts_do_not_reach_who_is_not_accepted_yet(wire: Wire, transport: str) -> None:
    session, other = await wire.session(transport), await wire.member("websocket")
    gate = f"not accepted yet on {transport}"
    await session.send(f'40/gated,{{"gate":"{gate}"}}')
    await wire.server.report(hook="asked", gate=gate)
    assert await other.call("broadcast", {"namespace": "/gated", "room": "gated"}, "too early") == [True]
    await other.emit("release", gate)
    assert str(await session.receive()).startswith('40/gated,{"sid"')
    assert await other.call("broadcast", {"namespace": "/gated", "room": "gated"}, "in time") == [True]
    assert await session.receive() == '42/gated,["in time"]'


@pytest.mark.parametrize("kind", OURS)
async def test_handler_that_exits_ends_nothing(kind: str, farm: Farm) -> None:
    server = await farm.get(kind, HOSTILE)
    async with Wire(server) as wire:
        session = await wire.member("websocket", "/exit")
        await session.emit("exit", namespace="/exit")
        assert await session.call("echo", "still there", namespace="/exit") == ["still there"]
    assert any("ExitConsumer.event_exit raised" in line for line in server.lines)
    server.forgive("ExitConsumer.event_exit raised", "Traceback")
    assert not server.take_troubles()
