"""SIO_ALLOW_REQUEST: what the application says to a handshake, as `allowRequest` of the reference."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import override_settings

from sio import SocketIOConsumer, as_asgi
from sio.engineio import get_engineio_server
from sio.exceptions import ErrorCode, HandshakeError
from sio.integration.allow_request import AllowRequest
from tests.asgi import Poller, Response, WebSocket, request
from tests.client import SocketIOClient
from tests.sessions import sessions
from tests.unit.engineio.clients import CAN_RESPOND, HANDSHAKE, leave, refusal, status, turns, warnings


@pytest.fixture
def app() -> Any:
    return as_asgi(SocketIOConsumer)


@pytest.fixture
def allow(settings_of: Callable[..., None]) -> Callable[..., None]:
    """Says what SIO_ALLOW_REQUEST is."""
    return lambda function: settings_of(SIO_ALLOW_REQUEST=function)


@pytest.fixture
def settings_of(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Sets settings until the end of the test."""

    def apply(**values: Any) -> None:
        override = override_settings(**values)
        override.enable()
        request.addfinalizer(override.disable)

    return apply


def function_in_module(scope: Any) -> bool:
    return b"x-friend" in dict(scope["headers"])


async def later(answer: Any) -> Any:
    await asyncio.sleep(0)
    return answer


class TestSetting:
    """The setting, with clients of both transports."""

    @pytest.mark.parametrize(
        ("answer", "message"),
        [(False, "Forbidden"), (None, "Forbidden"), ("", "Forbidden"), ("no places", "no places")],
    )
    @pytest.mark.parametrize("is_async", [False, True])
    async def test_handshake_is_refused(
        self, app: Any, allow: Callable[..., None], answer: Any, message: str, is_async: bool
    ) -> None:
        allow(lambda scope: later(answer) if is_async else answer)
        refused = await request(app, "GET", HANDSHAKE)
        assert (refused.status, refused.json()) == (403, {"code": 4, "message": message})
        status, headers, body = await refusal(WebSocket(app, **CAN_RESPOND))
        assert (status, headers[b"content-type"], body) == (400, b"text/html", message.encode())
        assert (await WebSocket(app).connect())["type"] == "websocket.close"
        assert len(sessions) == 0

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_handshake_is_allowed(self, app: Any, allow: Callable[..., None], is_async: bool) -> None:
        allow(lambda scope: later(True) if is_async else True)
        await Poller(app).open()
        client = await SocketIOClient(app).open()
        await client.connect()
        await leave(client.websocket)

    @override_settings(SIO_ALLOW_REQUEST="tests.unit.integration.test_allow_request.function_in_module")
    async def test_function_is_named_by_its_path_and_sees_the_request(self, app: Any) -> None:
        assert await status(app) == 403
        await Poller(app, [(b"x-friend", b"yes")]).open()

    async def test_is_asked_for_handshakes_only(self, app: Any, allow: Callable[..., None]) -> None:
        asked: list[str] = []
        allow(lambda scope: asked.append(scope["type"]) or True)
        client = Poller(app)
        await client.open()
        await client.post("3")
        websocket = WebSocket(app, client.sid)
        assert (await websocket.connect())["type"] == "websocket.accept"
        await leave(websocket)
        assert asked == ["http"]

    @pytest.mark.parametrize(
        ("query", "method", "code"),
        [
            ("EIO=4&transport=abc", "GET", 0),
            ("EIO=4&transport=polling&sid=x", "GET", 1),
            (HANDSHAKE, "POST", 2),
            ("EIO=4&transport=websocket", "GET", 3),
            ("EIO=3&transport=polling", "GET", 4),
            (HANDSHAKE, "GET", 4),
        ],
    )
    async def test_order_of_checks(
        self, app: Any, allow: Callable[..., None], query: str, method: str, code: int
    ) -> None:
        """The other checks come first, and the version of the protocol last, as in the reference."""
        allow(lambda scope: False)
        assert (await request(app, method, query)).json()["code"] == code

    async def test_version_is_checked_of_a_client_that_is_allowed(self, app: Any, allow: Callable[..., None]) -> None:
        allow(lambda scope: True)
        assert (await request(app, "GET", "EIO=3&transport=polling")).json()["code"] == 5

    async def test_error_in_it_refuses(
        self, app: Any, allow: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        allow(lambda scope: scope["nothing of the kind"])
        refused = await request(app, "GET", HANDSHAKE)
        assert (refused.status, refused.json()["message"]) == (403, "Forbidden")
        assert warnings(caplog) == ["SIO_ALLOW_REQUEST raised, so the handshake was refused"]

    async def test_forgotten_return_is_logged_once(
        self, app: Any, allow: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        allow(lambda scope: None)
        assert [await status(app) for _ in range(3)] == [403] * 3
        assert warnings(caplog) == [
            "SIO_ALLOW_REQUEST returned None, so the handshake was refused: return True to allow it"
        ]

    async def test_refusals_are_not_logged_as_warnings(
        self, app: Any, allow: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        allow(lambda scope: False)
        await request(app, "GET", HANDSHAKE)
        assert warnings(caplog) == []

    async def test_is_not_asked_when_there_is_no_place(self, app: Any, settings_of: Callable[..., None]) -> None:
        settings_of(SIO_MAX_SESSIONS=1, SIO_ALLOW_REQUEST=lambda scope: later(asked.append(scope) or True))
        asked: list[Any] = []
        assert [await status(app) for _ in range(3)] == [200, 503, 503]
        assert len(asked) == 1

    async def test_limit_holds_for_handshakes_that_are_being_decided(
        self, app: Any, settings_of: Callable[..., None]
    ) -> None:
        settings_of(SIO_MAX_SESSIONS=3, SIO_ALLOW_REQUEST=lambda scope: later(True))
        answers: list[Response] = await asyncio.gather(*(request(app, "GET", HANDSHAKE) for _ in range(10)))
        assert Counter(answer.status for answer in answers) == {200: 3, 503: 7}

    async def test_handshake_that_is_being_decided_as_the_server_shuts_down_opens_no_session(
        self, app: Any, allow: Callable[..., None]
    ) -> None:
        may_open = asyncio.Event()
        allow(lambda scope: may_open.wait())
        handshake = request(app, "GET", HANDSHAKE)
        await turns()
        ending = asyncio.ensure_future(get_engineio_server().shutdown.run())
        await turns()
        may_open.set()
        assert (await handshake).status == 503
        await ending
        assert len(sessions) == 0

    async def test_limit_for_each_user(self, app: Any, allow: Callable[..., None]) -> None:
        """One user opens a thousand sessions (bad input 102). The function is that of the documentation."""

        def person(scope: Any) -> Any:
            user = scope["user"]
            return user.pk if user.is_authenticated else scope["client"][0]

        def at_most_ten(scope: Any) -> bool | str:
            me = person(scope)
            return (
                sum(person(socket.scope) == me for socket in get_engineio_server().sockets) < 10
                or "Too many connections"
            )

        def as_user(user: Any, address: str = "127.0.0.1") -> Any:
            return lambda scope, receive, send: app({**scope, "user": user, "client": (address, 1)}, receive, send)

        allow(at_most_ten)
        for crowd in (as_user(User(pk=1)), as_user(AnonymousUser())):
            answers = [await request(crowd, "GET", HANDSHAKE) for _ in range(1_000)]
            assert Counter(answer.status for answer in answers) == {200: 10, 403: 990}
            assert answers[-1].json() == {"code": 4, "message": "Too many connections"}
        assert await status(as_user(User(pk=2))) == 200
        assert await status(as_user(AnonymousUser(), "10.0.0.1")) == 200


class TestAllowRequest:
    """`AllowRequest` alone: what it makes of an answer."""

    @pytest.mark.parametrize(
        ("answer", "message"),
        [(False, "Forbidden"), (0, "Forbidden"), (None, "Forbidden"), ("", "Forbidden"), ("no places", "no places")],
    )
    @pytest.mark.parametrize("is_async", [False, True])
    async def test_refuses_with_a_message_for_the_client(self, answer: Any, message: str, is_async: bool) -> None:
        with pytest.raises(HandshakeError) as refused:
            await check(lambda scope: later(answer) if is_async else answer)
        error = refused.value
        assert (error.code, error.message, error.is_notable) == (ErrorCode.FORBIDDEN, message, False)

    @pytest.mark.parametrize("answer", [True, 1, [0]])
    async def test_allows(self, answer: Any) -> None:
        assert AllowRequest(lambda scope: answer).check({}) is None
        await check(lambda scope: later(answer))

    @pytest.mark.parametrize("error", [LookupError(), SystemExit(1), asyncio.CancelledError()], ids=repr)
    @pytest.mark.parametrize("is_async", [False, True])
    async def test_refuses_for_any_error_of_the_application(
        self, error: BaseException, is_async: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """`sys.exit()` stops no server, and what was cancelled is something that the application awaited."""

        async def wait() -> bool:
            raise error

        def answer(scope: Any) -> Any:
            if is_async:
                return wait()
            raise error

        with pytest.raises(HandshakeError, match="SIO_ALLOW_REQUEST refused it"):
            await check(answer)
        assert warnings(caplog) == ["SIO_ALLOW_REQUEST raised, so the handshake was refused"]

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_keyboard_interrupt_is_none_of_the_application(self, is_async: bool) -> None:
        async def wait() -> bool:
            raise KeyboardInterrupt

        def answer(scope: Any) -> Any:
            if is_async:
                return wait()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await check(answer)

    async def test_cancelled_question_ends_its_task(self) -> None:
        async def ask() -> None:
            await check(lambda scope: asyncio.Event().wait())

        task = asyncio.ensure_future(ask())
        await turns()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def check(function: Callable[[Any], Any]) -> None:
    question = AllowRequest(function).check({})
    if question is not None:
        await question
