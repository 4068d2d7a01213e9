"""The policy of a Django process: each decision follows the settings, the users and the sessions of the project."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.backends.cache import SessionStore
from django.test import override_settings

from sio.engineio import EngineIOServer, get_engineio_server
from sio.exceptions import ErrorCode, HandshakeError
from sio.integration.policy import DjangoPolicy
from tests.asgi import APP, Poller, http_scope
from tests.sessions import sessions
from tests.unit.integration.requests import request_headers
from tests.unit.integration.users import ADA, GRACE, NOBODY, As, Somebody


@pytest.fixture
def policy() -> DjangoPolicy:
    policy = DjangoPolicy()
    policy.bind(EngineIOServer(policy=policy))
    return policy


def scope(**others: Any) -> dict[str, Any]:
    return {**http_scope("GET", "EIO=4&transport=polling"), **others}


class TestOrigins:
    """SIO_CORS_ALLOWED_ORIGINS, read for each request."""

    ORIGIN = "https://front.example"

    def test_foreign_origin_is_refused_until_the_setting_names_it(self, policy: DjangoPolicy) -> None:
        headers = request_headers(self.ORIGIN)
        with pytest.raises(HandshakeError) as caught:
            policy.check_origin(scope(), headers)
        assert caught.value.code is ErrorCode.FORBIDDEN
        assert policy.cors_headers(headers) == []
        with override_settings(SIO_CORS_ALLOWED_ORIGINS=[self.ORIGIN]):
            policy.check_origin(scope(), headers)
            assert (b"access-control-allow-origin", self.ORIGIN.encode()) in policy.cors_headers(headers)

    def test_preflight_is_answered_where_the_setting_names_the_origin(self, policy: DjangoPolicy) -> None:
        headers = request_headers(self.ORIGIN, access_control_request_method="POST")
        assert policy.preflight_headers(headers) == []
        with override_settings(SIO_CORS_ALLOWED_ORIGINS=[self.ORIGIN]):
            assert (b"access-control-allow-methods", b"GET,POST") in policy.preflight_headers(headers)


class TestAsking:
    """SIO_ALLOW_REQUEST."""

    def test_nobody_is_asked_without_the_setting(self, policy: DjangoPolicy) -> None:
        assert (policy.asks, policy.ask(scope())) == (False, None)

    @pytest.mark.parametrize("answer", [True, False])
    async def test_function_is_asked_with_the_scope(self, policy: DjangoPolicy, answer: bool) -> None:
        asked = []

        def allow(scope: Any) -> bool:
            asked.append(scope)
            return answer

        request = scope()
        with override_settings(SIO_ALLOW_REQUEST=allow):
            assert policy.asks
            if answer:
                assert policy.ask(request) is None
            else:
                with pytest.raises(HandshakeError):
                    policy.ask(request)
        assert asked == [request]

    async def test_answer_that_takes_time_is_to_be_awaited(self, policy: DjangoPolicy) -> None:
        async def allow(scope: Any) -> bool:
            await asyncio.sleep(1)
            return False

        with override_settings(SIO_ALLOW_REQUEST=allow):
            waiting = policy.ask(scope())
        assert waiting is not None
        with pytest.raises(HandshakeError):
            await waiting

    @pytest.mark.parametrize(("setting", "seconds"), [({}, 10), ({"SIO_CONNECT_HOOK_TIMEOUT_MS": 123}, 0.123)])
    def test_patience_is_that_of_connect_hooks(
        self, policy: DjangoPolicy, setting: dict[str, int], seconds: float
    ) -> None:
        with override_settings(**setting):
            assert policy.ask_patience == seconds


class TestOwner:
    """The user of the handshake owns the session."""

    @pytest.mark.parametrize(
        ("owner", "other", "is_refused"),
        [
            (ADA, Somebody(1), False),
            (ADA, GRACE, True),
            (ADA, NOBODY, True),
            (NOBODY, ADA, True),
            (ADA, None, True),
            (None, ADA, False),
        ],
    )
    async def test_request_of_another_user_is_refused(self, owner: Any, other: Any, is_refused: bool) -> None:
        await Poller(As(APP, owner)).open()
        (connection,) = sessions
        policy = get_engineio_server().policy
        if is_refused:
            with pytest.raises(HandshakeError) as caught:
                policy.check_owner(connection.socket, scope(user=other))
            assert caught.value.code is ErrorCode.FORBIDDEN
        else:
            policy.check_owner(connection.socket, scope(user=other))


class TestWaiting:
    """A request that waits must not write back the Django session that it read before."""

    def test_request_without_a_session_may_wait_at_once(self, policy: DjangoPolicy) -> None:
        assert policy.prepare_wait(scope()) is None

    def test_websocket_saves_no_session_and_may_wait_at_once(self, policy: DjangoPolicy) -> None:
        assert policy.prepare_wait(scope(type="websocket", session=SessionStore())) is None

    async def test_changed_session_is_saved_first(self, policy: DjangoPolicy) -> None:
        session = SessionStore()
        session["cart"] = ["a book"]
        preparation = policy.prepare_wait(scope(session=session))
        assert inspect.iscoroutine(preparation)
        await preparation
        assert SessionStore(session.session_key).load() == {"cart": ["a book"]}


class TestOpening:
    """What begins with the first session of a loop."""

    @pytest.fixture(autouse=True)
    def signals(self) -> Iterator[None]:
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, handler in handlers.items():
            signal.signal(number, handler)

    async def test_signals_of_the_process_are_watched(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)
        handler = signal.getsignal(signal.SIGTERM)
        await Poller(APP).open()
        assert signal.getsignal(signal.SIGTERM) is not handler

    @pytest.mark.parametrize(("interval", "is_looking"), [(None, False), (1_000, True)])
    async def test_users_are_looked_up_again_if_the_setting_says_so(
        self, interval: int | None, is_looking: bool
    ) -> None:
        with override_settings(SIO_USER_CHECK_INTERVAL_MS=interval):
            await Poller(APP).open()
            policy = get_engineio_server().policy
            assert isinstance(policy, DjangoPolicy)
            assert (asyncio.get_running_loop() in policy._user_checks._loops) is is_looking
