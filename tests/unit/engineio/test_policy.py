"""`Policy`: by itself it allows everything, and a subclass is heard by both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar

import pytest

from sio.engineio import EngineIOServer, EngineIOSocket, Policy
from sio.exceptions import ErrorCode, HandshakeError
from tests.asgi import Poller, WebSocket, request

from .applications import Recorder, asgi
from .clients import CAN_RESPOND, HANDSHAKE, leave, refusal, status, upgraded

ORIGIN = (b"origin", b"https://friend.example")
STRANGER = (b"origin", b"https://stranger.example")


class TestDefault:
    def test_asks_nobody(self) -> None:
        policy = Policy()
        assert (policy.asks, policy.ask({}), policy.prepare_wait({})) == (False, None, None)
        assert policy.ask_patience == 10

    def test_says_nothing_of_origins(self) -> None:
        policy, headers = Policy(), dict([ORIGIN])
        policy.check_origin({}, headers)
        assert (policy.cors_headers(headers), policy.preflight_headers(headers)) == ([], [])

    async def test_allows_whatever_comes(self) -> None:
        recorder = Recorder()
        app = asgi(EngineIOServer(app=recorder))
        client = Poller(app, [ORIGIN])
        await client.open()
        client.headers = (STRANGER,)
        assert (await client.post("4hello")).status == 200
        websocket = await upgraded(app, client.sid)
        websocket.send("4up")
        await leave(websocket)
        assert recorder.messages == ["hello", "up"]

    async def test_preflight_is_a_request_like_others(self) -> None:
        response = await request(asgi(EngineIOServer()), "OPTIONS", HANDSHAKE)
        assert (response.status, response.json()["code"]) == (400, ErrorCode.BAD_HANDSHAKE_METHOD)


class Friends(Policy):
    """Lets only one origin connect, and asks about it."""

    asks = True

    def __init__(self) -> None:
        self.opened: list[EngineIOSocket] = []

    def check_origin(self, scope: Any, headers: Any) -> None:
        if headers.get(b"origin") != ORIGIN[1]:
            raise HandshakeError(ErrorCode.FORBIDDEN, "not a friend")

    def cors_headers(self, headers: Any) -> list[tuple[bytes, bytes]]:
        return [(b"access-control-allow-origin", headers[b"origin"])]

    def preflight_headers(self, headers: Any) -> list[tuple[bytes, bytes]]:
        return [(b"access-control-max-age", b"60")] if headers.get(b"origin") == ORIGIN[1] else []

    def ask(self, scope: Any) -> Coroutine[Any, Any, None] | None:
        headers = dict(scope["headers"])
        if b"x-later" in headers:
            return self._ask_later()
        if b"x-no" in headers:
            raise HandshakeError(ErrorCode.FORBIDDEN, "asked", "no friend of mine")
        return None

    async def _ask_later(self) -> None:
        await asyncio.sleep(1)
        raise HandshakeError(ErrorCode.FORBIDDEN, "asked", "later: no")

    def check_owner(self, socket: EngineIOSocket, scope: Any) -> None:
        if dict(scope["headers"]).get(b"x-owner") != dict(socket.scope["headers"]).get(b"x-owner"):
            raise HandshakeError(ErrorCode.FORBIDDEN, "not the owner")

    def session_opens(self, socket: EngineIOSocket) -> None:
        self.opened.append(socket)


@pytest.fixture
async def policy() -> Friends:
    return Friends()


@pytest.fixture
async def app(policy: Friends) -> Any:
    return asgi(EngineIOServer(policy=policy))


def test_policy_is_bound_to_its_server_once() -> None:
    class Bound(Policy):
        servers: ClassVar[list[EngineIOServer]] = []

        def bind(self, server: EngineIOServer) -> None:
            self.servers.append(server)
            assert server.registry is not None  # it is complete

    server = EngineIOServer(policy=Bound())
    assert Bound.servers == [server]


class TestOrigin:
    async def test_that_may_not_connect_is_refused_on_both_transports(self, app: Any) -> None:
        assert await status(app, [STRANGER]) == 403
        code, _, body = await refusal(WebSocket(app, headers=[STRANGER], **CAN_RESPOND))
        assert (code, body) == (400, b"Forbidden")

    async def test_that_may_connect_has_its_headers_in_each_response(self, app: Any) -> None:
        client = Poller(app, [ORIGIN])
        await client.open()
        refused = await request(app, "GET", f"{HANDSHAKE}&sid=nobody", headers=[ORIGIN])
        for response in (await client.post("4x"), await client.get(), refused):
            assert response.headers["access-control-allow-origin"] == ORIGIN[1].decode()

    @pytest.mark.parametrize(("origin", "code"), [(ORIGIN, 204), (STRANGER, 400)])
    async def test_preflight_is_answered_if_there_are_headers_for_it(self, app: Any, origin: Any, code: int) -> None:
        response = await request(app, "OPTIONS", HANDSHAKE, headers=[origin])
        assert response.status == code
        assert response.headers.get("access-control-max-age") == ("60" if code == 204 else None)


@pytest.mark.parametrize(("header", "message"), [(b"x-no", "no friend of mine"), (b"x-later", "later: no")])
async def test_asked_policy_refuses_with_a_message_for_the_client(app: Any, header: bytes, message: str) -> None:
    headers = [ORIGIN, (header, b"")]
    refused = await request(app, "GET", HANDSHAKE, headers=headers)
    assert (refused.status, refused.json()["message"]) == (403, message)
    assert (await refusal(WebSocket(app, headers=headers, **CAN_RESPOND)))[2] == message.encode()


async def test_session_is_its_owners_on_both_transports(app: Any, policy: Friends) -> None:
    client = Poller(app, [ORIGIN, (b"x-owner", b"me")])
    await client.open()
    query = f"{HANDSHAKE}&sid={client.sid}"
    for method in ("GET", "POST"):
        assert (await request(app, method, query, b"4x", [ORIGIN])).status == 403
    assert (await WebSocket(app, client.sid, [ORIGIN]).connect())["type"] == "websocket.close"
    assert (await client.post("4mine")).status == 200
    assert (await client.get()).text == "4mine"


async def test_policy_hears_of_each_session_that_opens(app: Any, policy: Friends) -> None:
    client = Poller(app, [ORIGIN])
    await client.open()
    websocket = WebSocket(app, headers=[ORIGIN])
    handshake = await websocket.open()
    assert [socket.sid for socket in policy.opened] == [client.sid, handshake["sid"]]
    await leave(websocket)
