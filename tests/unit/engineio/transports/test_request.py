"""One request: what it asks for, whether it may, and the session that it opens or is for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import pytest

from sio.engineio import CloseReason, EngineIOOptions, EngineIOServer, Policy
from sio.engineio.protocol.handshake import Action
from sio.engineio.protocol.state import Transport
from sio.engineio.transports.request import EngineIORequest
from sio.exceptions import ClientGone, ErrorCode, HandshakeError, Unavailable
from tests.asgi import http_scope
from tests.unit.engineio.applications import open_session
from tests.unit.engineio.clients import HANDSHAKE, warnings

WEBSOCKET = "EIO=4&transport=websocket"


class Asking(Policy):
    """Asks about each handshake, and notes what it is called for."""

    def __init__(self, asks: bool = True, refusal: HandshakeError | None = None) -> None:
        self._asks = asks
        self._refusal = refusal
        self.calls: list[str] = []

    @property
    def asks(self) -> bool:
        return self._asks

    def ask(self, scope: Any) -> Coroutine[Any, Any, None] | None:
        self.calls.append("ask")
        if self._refusal is not None:
            raise self._refusal
        return None

    def prepare_wait(self, scope: Any) -> Coroutine[Any, Any, None]:
        return self._prepare()

    async def _prepare(self) -> None:
        self.calls.append("prepare")
        await asyncio.sleep(0)
        self.calls.append("prepared")


def forbidden(context: str = "not allowed") -> HandshakeError:
    return HandshakeError(ErrorCode.FORBIDDEN, context)


def made(
    server: EngineIOServer, query: str = HANDSHAKE, method: str = "GET", *, type_: str = "http", headers: Any = ()
) -> EngineIORequest:
    return EngineIORequest(server, {**http_scope(method, query, headers), "type": type_})


async def admit(request: EngineIORequest) -> Any:
    """Admits a request whose client stays."""
    return await request.admit(asyncio.Event().wait)  # type: ignore[arg-type]


async def refused(request: EngineIORequest) -> HandshakeError:
    with pytest.raises(HandshakeError) as error:
        await admit(request)
    return error.value


class TestAction:
    @pytest.mark.parametrize(
        ("query", "type_", "transport"),
        [(HANDSHAKE, "http", Transport.POLLING), (WEBSOCKET, "websocket", Transport.WEBSOCKET)],
    )
    async def test_handshake_opens_a_session(self, query: str, type_: str, transport: Transport) -> None:
        server = EngineIOServer()
        request = made(server, query, type_=type_)
        action, connection = await admit(request)
        assert action is Action.OPEN
        assert connection.session.transport is transport
        assert connection.scope is request.scope
        assert list(server.registry) == [connection]

    @pytest.mark.parametrize(
        ("query", "method", "type_", "expected"),
        [
            (HANDSHAKE, "GET", "http", Action.POLL),
            (HANDSHAKE, "POST", "http", Action.POST),
            (HANDSHAKE, "PUT", "http", Action.UNSUPPORTED),
            (WEBSOCKET, "GET", "websocket", Action.UPGRADE),
        ],
    )
    async def test_request_with_a_sid_is_for_its_session(
        self, query: str, method: str, type_: str, expected: Action
    ) -> None:
        server = EngineIOServer()
        connection = open_session(server)
        assert await admit(made(server, f"{query}&sid={connection.sid}", method, type_=type_)) == (expected, connection)

    def test_what_a_scope_leaves_out_has_a_default(self) -> None:
        """A WebSocket has no method, and a server may leave out what is empty."""
        request = EngineIORequest(EngineIOServer(), {"type": "websocket"})
        assert (request.method, request.headers, request.query.sid) == ("GET", {}, "")


class TestRefusal:
    @pytest.mark.parametrize(
        ("query", "method", "code"),
        [
            ("EIO=4&transport=abc", "GET", ErrorCode.UNKNOWN_TRANSPORT),
            (f"{HANDSHAKE}&sid=x", "GET", ErrorCode.UNKNOWN_SID),
            (HANDSHAKE, "POST", ErrorCode.BAD_HANDSHAKE_METHOD),
            (WEBSOCKET, "GET", ErrorCode.BAD_REQUEST),
            ("EIO=3&transport=polling", "GET", ErrorCode.UNSUPPORTED_PROTOCOL_VERSION),
        ],
    )
    async def test_wrong_request_opens_nothing(self, query: str, method: str, code: ErrorCode) -> None:
        server = EngineIOServer()
        assert (await refused(made(server, query, method))).code is code
        assert len(server.registry) == 0

    async def test_transport_that_is_not_among_the_options_is_unknown(self) -> None:
        server = EngineIOServer(lambda: EngineIOOptions(transports=("websocket",)))
        assert (await refused(made(server))).code is ErrorCode.UNKNOWN_TRANSPORT

    async def test_request_of_another_owner_is_refused(self) -> None:
        class Owned(Policy):
            def check_owner(self, socket: Any, scope: Any) -> None:
                if socket.scope["owner"] != dict(scope["headers"]).get(b"owner"):
                    raise forbidden()

        server = EngineIOServer(policy=Owned())
        sid = open_session(server, scope={"type": "http", "owner": b"me"}).sid
        query = f"{HANDSHAKE}&sid={sid}"
        assert (await refused(made(server, query))).code is ErrorCode.FORBIDDEN
        assert (await admit(made(server, query, headers=[(b"owner", b"me")])))[0] is Action.POLL

    async def test_session_that_ends_while_its_request_waits_is_unknown(self, caplog: pytest.LogCaptureFixture) -> None:
        class Slow(Policy):
            def prepare_wait(self, scope: Any) -> Coroutine[Any, Any, None]:
                return asyncio.sleep(1)

        server = EngineIOServer(policy=Slow())
        connection = open_session(server)
        asyncio.get_running_loop().call_later(0.5, connection.end, CloseReason.TRANSPORT_CLOSE)
        caplog.set_level(logging.DEBUG, "sio.engineio")
        error = await refused(made(server, f"{HANDSHAKE}&sid={connection.sid}"))
        assert error.code is ErrorCode.UNKNOWN_SID
        assert not [message for message in caplog.messages if "Refused" in message]


class TestPolicy:
    """When a request asks the policy of its server."""

    async def test_handshake_that_nobody_is_asked_about_waits_for_nothing(self) -> None:
        policy = Asking(asks=False)
        await admit(made(EngineIOServer(policy=policy)))
        assert policy.calls == []

    async def test_handshake_is_prepared_before_somebody_is_asked(self) -> None:
        policy = Asking()
        await admit(made(EngineIOServer(policy=policy)))
        assert policy.calls == ["prepare", "prepared", "ask"]

    async def test_request_in_a_session_is_prepared_and_not_asked_about(self) -> None:
        policy = Asking()
        server = EngineIOServer(policy=policy)
        await admit(made(server, f"{HANDSHAKE}&sid={open_session(server).sid}"))
        assert policy.calls == ["prepare", "prepared"]

    @pytest.mark.parametrize(
        ("query", "method", "code"),
        [
            ("EIO=4&transport=abc", "GET", ErrorCode.UNKNOWN_TRANSPORT),
            (HANDSHAKE, "POST", ErrorCode.BAD_HANDSHAKE_METHOD),
            ("EIO=3&transport=polling", "GET", ErrorCode.FORBIDDEN),
        ],
    )
    async def test_is_asked_after_all_checks_but_that_of_the_version(
        self, query: str, method: str, code: ErrorCode
    ) -> None:
        server = EngineIOServer(policy=Asking(refusal=forbidden()))
        assert (await refused(made(server, query, method))).code is code

    async def test_version_of_a_handshake_that_it_allowed_is_checked(self) -> None:
        error = await refused(made(EngineIOServer(policy=Asking()), "EIO=3&transport=polling"))
        assert error.code is ErrorCode.UNSUPPORTED_PROTOCOL_VERSION

    async def test_is_not_asked_where_there_is_no_place(self) -> None:
        policy = Asking()
        server = EngineIOServer(lambda: EngineIOOptions(max_sessions=1), policy=policy)
        open_session(server)
        with pytest.raises(Unavailable, match="SIO_MAX_SESSIONS is reached"):
            await admit(made(server))
        assert "ask" not in policy.calls

    async def test_client_that_leaves_while_it_is_asked_opens_nothing(self) -> None:
        class Slow(Asking):
            def ask(self, scope: Any) -> Coroutine[Any, Any, None]:
                return asyncio.sleep(1)

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        server = EngineIOServer(policy=Slow())
        with pytest.raises(ClientGone):
            await made(server).admit(receive)
        assert (len(server.registry), server.admission.undecided) == (0, 0)


class TestLog:
    async def test_sid_of_another_process_is_a_warning_about_sticky_sessions(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        await refused(made(EngineIOServer(), f"{HANDSHAKE}&sid={'x' * 32}"))
        (message,) = warnings(caplog)
        assert "sticky sessions" in message

    @pytest.mark.parametrize(
        ("error", "level"),
        [
            (forbidden(), logging.WARNING),
            (HandshakeError(ErrorCode.FORBIDDEN, "as asked", is_notable=False), logging.DEBUG),
        ],
    )
    async def test_only_what_is_notable_is_a_warning(
        self, error: HandshakeError, level: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "sio.engineio")
        await refused(made(EngineIOServer(policy=Asking(refusal=error))))
        (record,) = caplog.records
        assert record.levelno == level
        assert f"Forbidden (code 4): {error.context}" in record.getMessage()

    async def test_warning_is_logged_once_however_often_it_comes(self, caplog: pytest.LogCaptureFixture) -> None:
        server = EngineIOServer(policy=Asking(refusal=forbidden()))
        for _ in range(5):
            await refused(made(server))
        assert len(warnings(caplog)) == 1

    @pytest.mark.parametrize(
        ("headers", "hint"),
        [
            ([], "it has no Upgrade header"),
            ([(b"upgrade", b"websocket")], "the server speaks no WebSocket"),
        ],
    )
    async def test_request_for_a_websocket_that_comes_as_http_is_a_warning(
        self, headers: Any, hint: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        server = EngineIOServer()
        for _ in range(2):
            assert (await refused(made(server, WEBSOCKET, headers=headers))).code is ErrorCode.BAD_REQUEST
        (message,) = warnings(caplog)
        assert hint in message
