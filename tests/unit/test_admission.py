"""Who may open a session: the caps of a process, and what the application says to a handshake."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import override_settings

from sio import SocketIOConsumer, get_asgi_application
from sio.engineio.registry import registry
from sio.engineio.state import Reason
from tests.asgi import Poller, Response, WebSocket, request
from tests.client import SocketIOClient

HANDSHAKE = "EIO=4&transport=polling"
#: What an ASGI server says that can answer a WebSocket with a response.
CAN_RESPOND = {"extensions": {"websocket.http.response": {}}}


class Consumer(SocketIOConsumer):
    """Accepts everybody."""

    async def connect(self, socket: Any, auth: dict[str, Any]) -> bool:
        return auth.get("welcome", True)


@pytest.fixture
def app() -> Any:
    return get_asgi_application(Consumer)


def end_all() -> None:
    for socket in registry:
        socket.end(Reason.TRANSPORT_CLOSE)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def refusal(websocket: WebSocket) -> tuple[int, dict[bytes, bytes], bytes]:
    """Asks for a WebSocket that is refused with a response. Returns its status, headers and body."""
    start = await websocket.connect()
    body = await websocket.receive_message()
    await websocket.finished()
    return start["status"], dict(start["headers"]), body["body"]


class TestSessions:
    """SIO_MAX_SESSIONS."""

    @override_settings(SIO_MAX_SESSIONS=2)
    async def test_polling_client_over_the_cap_is_sent_away_for_a_while(self, app: Any) -> None:
        """Without a body: python-socketio gives up if it cannot read that of a refusal at once."""
        for _ in range(2):
            await Poller(app).open()
        refused = await request(app, "GET", HANDSHAKE)
        assert (refused.status, refused.body, refused.headers["retry-after"]) == (503, b"", "5")
        assert len(registry) == 2

    @override_settings(SIO_MAX_SESSIONS=2)
    async def test_sessions_over_the_cap_are_served_once_others_leave(self, app: Any) -> None:
        first, second = Poller(app), Poller(app)
        await first.open()
        await second.open()
        assert (await request(app, "GET", HANDSHAKE)).status == 503
        await first.post("1")
        await Poller(app).open()
        assert (await second.post("3")).status == 200

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_websocket_over_the_cap_is_refused_with_503_where_the_server_can(self, app: Any) -> None:
        await Poller(app).open()
        status, headers, body = await refusal(WebSocket(app, **CAN_RESPOND))
        assert (status, headers[b"retry-after"], body) == (503, b"5", b"")

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_websocket_over_the_cap_is_refused_by_the_server_where_it_cannot(self, app: Any) -> None:
        await Poller(app).open()
        websocket = WebSocket(app)
        assert (await websocket.connect())["type"] == "websocket.close"

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_upgrade_is_no_new_session(self, app: Any) -> None:
        client = Poller(app)
        await client.open()
        websocket = WebSocket(app, client.sid)
        assert (await websocket.connect())["type"] == "websocket.accept"
        websocket.disconnect()
        await websocket.finished()

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_websocket_that_the_server_is_slow_to_accept_counts(self, app: Any) -> None:
        slow, other = WebSocket(app), WebSocket(app)
        slow.taken.clear()
        connecting = asyncio.ensure_future(slow.connect())
        await asyncio.sleep(0)
        assert (await other.connect())["type"] == "websocket.close"
        slow.taken.set()
        assert (await connecting)["type"] == "websocket.accept"
        slow.disconnect()
        await slow.finished()

    async def test_websocket_that_cannot_be_accepted_leaves_nothing(self, app: Any) -> None:
        websocket = WebSocket(app)
        websocket.send_error = OSError()
        connecting = asyncio.ensure_future(websocket.connect())
        await asyncio.sleep(0)
        await websocket.finished()
        assert len(registry) == 0
        connecting.cancel()

    @override_settings(SIO_MAX_SESSIONS=1)
    async def test_wrong_request_is_told_what_is_wrong_with_it(self, app: Any) -> None:
        await Poller(app).open()
        assert (await request(app, "GET", "EIO=4&transport=abc")).json()["code"] == 0
        assert (await request(app, "GET", "EIO=3&transport=polling")).json()["code"] == 5

    @override_settings(SIO_MAX_SESSIONS=3)
    async def test_log_tells_it_once_each_time_that_it_begins(self, app: Any, caplog: pytest.LogCaptureFixture) -> None:
        before = registry.refused
        for _ in range(2):
            assert [await status(app) for _ in range(6)] == [200] * 3 + [503] * 3
            end_all()
        assert warnings(caplog) == ["Refusing handshakes: SIO_MAX_SESSIONS = 3 is reached"] * 2
        assert registry.refused - before == 6

    @override_settings(SIO_MAX_SESSIONS=20)
    async def test_log_does_not_tell_it_for_each_session_that_leaves(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        clients = [Poller(app) for _ in range(20)]
        for client in clients:
            await client.open()
        for client in clients[:10]:
            assert await status(app) == 503
            await client.post("1")
            assert await status(app) == 200
        assert len(warnings(caplog)) == 1

    async def test_without_a_cap_all_come_in(self, app: Any) -> None:
        assert Counter([await status(app) for _ in range(100)]) == {200: 100}


async def status(app: Any) -> int:
    """Asks for a session on polling. Returns the status of the answer."""
    return (await request(app, "GET", HANDSHAKE)).status


class TestUnjoinedSessions:
    """SIO_MAX_UNJOINED_SESSIONS."""

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_joined_nothing_takes_the_place(self, app: Any) -> None:
        await Poller(app).open()
        assert await status(app) == 503

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_joined_gives_it_up(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        assert await status(app) == 503
        await client.connect()
        await Poller(app).open()
        client.leave()
        await client.websocket.finished()
        assert await status(app) == 503

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_was_refused_does_not(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        client.send("0", "/", {"welcome": False})
        await client.received('4{"message":"Not authorized"}')
        assert await status(app) == 503

    @override_settings(SIO_MAX_UNJOINED_SESSIONS=1)
    async def test_session_that_is_over_does_not_count(self, app: Any) -> None:
        for _ in range(3):
            await Poller(app).open()
            (socket,) = registry
            end_all()
            socket.joined()


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


class TestAllowRequest:
    """SIO_ALLOW_REQUEST, as `allowRequest` of the reference."""

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
        assert len(registry) == 0

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_handshake_is_allowed(self, app: Any, allow: Callable[..., None], is_async: bool) -> None:
        allow(lambda scope: later(True) if is_async else True)
        await Poller(app).open()
        client = await SocketIOClient(app).open()
        await client.connect()
        client.leave()
        await client.websocket.finished()

    @override_settings(SIO_ALLOW_REQUEST="tests.unit.test_admission.function_in_module")
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
        websocket.disconnect()
        await websocket.finished()
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

    async def test_version_is_checked_of_who_is_allowed(self, app: Any, allow: Callable[..., None]) -> None:
        allow(lambda scope: True)
        assert (await request(app, "GET", "EIO=3&transport=polling")).json()["code"] == 5

    async def test_error_in_it_refuses(
        self, app: Any, allow: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        allow(lambda scope: scope["nothing of the kind"])
        refused = await request(app, "GET", HANDSHAKE)
        assert (refused.status, refused.json()["message"]) == (403, "Forbidden")
        assert warnings(caplog) == ["SIO_ALLOW_REQUEST raised, so the handshake was refused"]

    async def test_forgotten_return_is_told_once(
        self, app: Any, allow: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        allow(lambda scope: None)
        assert [await status(app) for _ in range(3)] == [403] * 3
        assert warnings(caplog) == [
            "SIO_ALLOW_REQUEST returned None, so the handshake was refused: return True to allow it"
        ]

    async def test_refusals_are_no_news(
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

    async def test_cap_holds_for_handshakes_that_are_being_decided(
        self, app: Any, settings_of: Callable[..., None]
    ) -> None:
        settings_of(SIO_MAX_SESSIONS=3, SIO_ALLOW_REQUEST=lambda scope: later(True))
        answers: list[Response] = await asyncio.gather(*(request(app, "GET", HANDSHAKE) for _ in range(10)))
        assert Counter(answer.status for answer in answers) == {200: 3, 503: 7}

    async def test_cap_for_each_user(self, app: Any, allow: Callable[..., None]) -> None:
        """Bad input 102: one user opens a thousand sessions; the function of the documentation."""

        def who(scope: Any) -> Any:
            user = scope["user"]
            return user.pk if user.is_authenticated else scope["client"][0]

        def at_most_ten(scope: Any) -> bool | str:
            me = who(scope)
            return sum(who(socket.scope) == me for socket in registry) < 10 or "Too many connections"

        def as_user(user: Any, address: str = "127.0.0.1") -> Any:
            return lambda scope, receive, send: app({**scope, "user": user, "client": (address, 1)}, receive, send)

        allow(at_most_ten)
        for crowd in (as_user(User(pk=1)), as_user(AnonymousUser())):
            answers = [await request(crowd, "GET", HANDSHAKE) for _ in range(1_000)]
            assert Counter(answer.status for answer in answers) == {200: 10, 403: 990}
            assert answers[-1].json() == {"code": 4, "message": "Too many connections"}
        assert await status(as_user(User(pk=2))) == 200
        assert await status(as_user(AnonymousUser(), "10.0.0.1")) == 200
