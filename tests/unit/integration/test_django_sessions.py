"""Django sessions around polls: a request that waits must not write back what it read before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings

from sio.engineio import CloseReason
from sio.integration.django_sessions import protect
from tests.asgi import Poller, Request, request
from tests.pace import TIMEOUT
from tests.sessions import sessions
from tests.unit.integration.consumers import Consumer

HANDSHAKE = "EIO=4&transport=polling"
ENGINE = "django.contrib.sessions.backends.cache"
Store = import_module(ENGINE).SessionStore


class Visits:
    """Middleware that changes the session of each request, as soon as the test says so."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.is_on = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.is_on:
            scope["session"]["visits"] = 1
        await self.app({**scope}, receive, send)


class Browser:
    """A visitor with a session, whose poll waits."""

    def __init__(self) -> None:
        self.session = Store()
        self.session["cart"] = []
        self.session.save()
        self.visits = Visits(Consumer.as_asgi())
        cookie = [(b"cookie", f"sessionid={self.session.session_key}".encode())]
        self.client = Poller(SessionMiddlewareStack(self.visits), cookie)

    async def open(self) -> Browser:
        await self.client.open()
        await self.client.post("40")
        await self.client.get()
        return self

    async def poll(self) -> Request:
        """Begins a poll, and waits for its session to be read."""
        poll = self.client.get()
        for _ in range(20):
            await asyncio.sleep(0)
        return poll

    def store(self, **values: Any) -> None:
        """What a view does meanwhile."""
        session = Store(self.session.session_key)
        session.update(values)
        session.save()

    def stored(self) -> dict[str, Any]:
        return dict(Store(self.session.session_key).load())

    def logout(self) -> None:
        Store(self.session.session_key).flush()


@pytest.fixture(params=[True, False], ids=["every request", "changed"])
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    with override_settings(SESSION_ENGINE=ENGINE, SESSION_SAVE_EVERY_REQUEST=request.param):
        yield await (await sync_to_async(Browser)()).open()
    cache.clear()


class Reader:
    """Middleware that reads the session first, as `AuthMiddleware` does for the user."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["session"].get("cart")
        await self._app(scope, receive, send)


class Late(Reader):
    """Middleware that changes the session when the answer begins."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "GET":
                scope["session"]["late"] = True
            await send(message)

        await super().__call__(scope, receive, note)


class Deleted(Reader):
    """Middleware that changes a session which is deleted at the same time."""

    def __init__(self, app: Any, browser: Browser) -> None:
        super().__init__(app)
        self._browser = browser

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["visits"] = 1
        self._browser.logout()
        await super().__call__(scope, receive, send)


class Logout(Reader):
    """Middleware that ends the session, as `AuthMiddleware` does when the password was changed."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            scope["session"].flush()
        await super().__call__(scope, receive, send)


class Foreign(Reader):
    """Middleware with sessions of its own."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await super().__call__({**scope, "session": {}}, receive, send)


class TestPoll:
    async def test_what_a_view_stored_meanwhile_stays(self, browser: Browser) -> None:
        browser.visits.app = Reader(browser.visits.app)
        poll = await browser.poll()
        browser.store(cart=["a book"])
        await browser.client.post('421["echo",2]')
        assert (await poll).packets == ["431[2]"]
        assert browser.stored() == {"cart": ["a book"]}

    async def test_post_that_waits_for_its_body_writes_nothing_back(self, browser: Browser) -> None:
        browser.visits.app = Reader(browser.visits.app)
        query = f"{HANDSHAKE}&sid={browser.client.sid}"
        post = request(browser.client.app, "POST", query, None, browser.client.headers)
        for _ in range(20):
            await asyncio.sleep(0)
        browser.store(cart=["a book"])
        post.send_body(b'42["echo",2]')
        assert (await post).text == "ok"
        assert browser.stored() == {"cart": ["a book"]}

    async def test_session_that_is_deleted_meanwhile_costs_no_answer(self, browser: Browser) -> None:
        browser.visits.app = Reader(browser.visits.app)
        poll = await browser.poll()
        browser.logout()
        await browser.client.post('421["echo",2]')
        assert (await poll).packets == ["431[2]"]
        assert len(sessions) == 1

    async def test_login_meanwhile_keeps_its_cookie(self, browser: Browser) -> None:
        browser.visits.app = Reader(browser.visits.app)
        poll = await browser.poll()
        await browser.client.post('421["echo",2]')
        assert "Set-Cookie" not in (await poll).headers

    async def test_what_middleware_changes_is_saved_at_once_and_nothing_else(self, browser: Browser) -> None:
        browser.visits.is_on = True
        poll = await browser.poll()
        async with asyncio.timeout(TIMEOUT):
            while "visits" not in browser.stored():
                await asyncio.sleep(0.001)
        browser.visits.is_on = False
        browser.store(cart=["a book"])
        await browser.client.post('421["echo",2]')
        response = await poll
        assert response.packets == ["431[2]"]
        assert browser.stored() == {"cart": ["a book"], "visits": 1}
        assert str(browser.session.session_key) in response.headers["Set-Cookie"]

    async def test_what_changes_while_it_waits_is_saved(self, browser: Browser) -> None:
        browser.visits.app = Late(browser.visits.app)
        poll = await browser.poll()
        await browser.client.post('421["echo",2]')
        assert (await poll).packets == ["431[2]"]
        assert browser.stored() == {"cart": [], "late": True}

    @pytest.mark.parametrize("kind", ["late", "at once"])
    async def test_change_of_a_session_that_is_deleted_costs_no_answer(self, browser: Browser, kind: str) -> None:
        if kind == "late":
            browser.visits.app = Late(browser.visits.app)
            poll = await browser.poll()
            browser.logout()
        else:
            browser.visits.app = Deleted(browser.visits.app, browser)
            poll = await browser.poll()
        await browser.client.post('421["echo",2]')
        assert (await poll).packets == ["431[2]"]
        assert browser.stored() == {}

    async def test_cookie_is_deleted_after_a_logout_by_middleware(self, browser: Browser) -> None:
        browser.visits.app = Logout(browser.visits.app)
        poll = await browser.poll()
        await browser.client.post('421["echo",2]')
        assert 'sessionid=""' in (await poll).headers["Set-Cookie"]

    async def test_cookie_of_a_session_that_is_gone_is_left_alone(self, browser: Browser) -> None:
        """A login may have set another one meanwhile."""
        browser.visits.app = Reader(browser.visits.app)
        browser.logout()
        poll = await browser.poll()
        await browser.client.post('421["echo",2]')
        assert "Set-Cookie" not in (await poll).headers

    async def test_session_that_is_none_of_djangos_is_left_alone(self) -> None:
        client = Poller(Foreign(Consumer.as_asgi()))
        await client.open()
        assert (await client.post("40")).text == "ok"

    async def test_it_is_the_same_without_asave(self, browser: Browser) -> None:
        """Channels calls `save` before Django 5.1."""
        store = Store(browser.session.session_key)
        store.get("cart")
        await protect({"session": store})
        browser.store(cart=["a book"])
        await sync_to_async(store.save)()
        assert browser.stored() == {"cart": ["a book"]}
        store["visits"] = 1
        await sync_to_async(store.save)()
        assert browser.stored() == {"cart": [], "visits": 1}

    async def test_new_session_may_be_made(self, browser: Browser) -> None:
        store = Store(browser.session.session_key)
        await protect({"session": store})
        await store.acycle_key() if hasattr(store, "acycle_key") else await sync_to_async(store.cycle_key)()
        assert Store(store.session_key).load() == {"cart": []}


class TestHandshake:
    async def test_it_saves_as_any_request_does(self, browser: Browser) -> None:
        """With SESSION_SAVE_EVERY_REQUEST, it is what makes the session last."""
        browser.visits.app = Reader(browser.visits.app)
        response = await request(browser.client.app, "GET", HANDSHAKE, headers=browser.client.headers)
        assert ("Set-Cookie" in response.headers) is settings.SESSION_SAVE_EVERY_REQUEST

    async def test_it_writes_nothing_back_where_the_application_is_asked(self, browser: Browser) -> None:
        browser.visits.app = Reader(browser.visits.app)
        asked, answered = asyncio.Event(), asyncio.Event()

        async def allow_request(scope: Any) -> bool:
            asked.set()
            await answered.wait()
            return True

        with override_settings(SIO_ALLOW_REQUEST=allow_request):
            handshake = request(browser.client.app, "GET", HANDSHAKE, headers=browser.client.headers)
            await asked.wait()
            browser.store(cart=["a book"])
            answered.set()
            assert (await handshake).status == 200
        assert browser.stored() == {"cart": ["a book"]}


async def test_session_that_ends_while_the_other_is_saved_is_unknown(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of Engine.IO, and of Django: what middleware changed is saved before the poll looks for its session."""
    browser.visits.is_on = True
    loop, save = asyncio.get_running_loop(), Store.save
    (connection,) = sessions

    def save_late(self: Any, must_create: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        save(self, must_create)

    async def end() -> None:
        connection.end(CloseReason.TRANSPORT_CLOSE)

    monkeypatch.setattr(Store, "save", save_late)
    answer = await browser.client.get()
    assert (answer.status, answer.json()["code"]) == (400, 1)
