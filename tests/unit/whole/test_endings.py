"""What is over is gone: of a session that ended nothing is left, also when the garbage collector does not run."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from sio import as_asgi
from tests import virtual_time
from tests.sessions import sessions

from .endings import A_WHILE, ENDINGS, Consumer, allow_request

#: How often each ending is lived through: some 1,000 sessions in all.
ROUNDS = 20


class Scope(dict[str, Any]):
    """The scope of a request. Unlike a dict, it can be the target of a weak reference."""


class Remains:
    """Weak references to all that belongs to sessions."""

    def __init__(self) -> None:
        self._references: list[weakref.ref[Any]] = []

    def note(self, thing: Any) -> None:
        self._references.append(weakref.ref(thing))

    def count(self) -> dict[str, int]:
        """How many are left, by their type."""
        left = {id(thing): type(thing).__name__ for reference in self._references if (thing := reference()) is not None}
        return dict(Counter(left.values()))

    def watch(self, app: Any) -> Any:
        """Returns the application with each of its requests noted, and each session that one of them opens."""

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            own = Scope(scope)
            self.note(own)
            self.note(asyncio.current_task())
            await app(own, receive, self._noting(own, send))

        return watched

    def _noting(self, scope: Scope, send: Any) -> Any:
        def sending(message: Any) -> Any:
            if message["type"] in ("http.response.start", "websocket.accept"):
                for socket in sessions:
                    if socket.scope is scope:
                        self.note(socket)
                        self.note(socket.session)
            return send(message)

        return sending


@pytest.fixture
def no_collector() -> Iterator[None]:
    logging.disable(logging.CRITICAL)  # pytest keeps what is logged, with the exceptions
    gc.collect()
    gc.freeze()  # what other tests left is not looked through again and again
    gc.disable()
    yield
    gc.enable()
    logging.disable(logging.NOTSET)


@pytest.fixture
def remains(no_collector: None) -> Iterator[Remains]:
    remains = Remains()
    Consumer.note = remains.note
    yield remains
    del Consumer.note


def instances() -> Counter[str]:
    """How many objects there are of each class of the package."""
    kinds = (type(thing) for thing in gc.get_objects())
    return Counter(kind.__name__ for kind in kinds if kind.__module__.startswith("sio."))


@override_settings(SIO_MAX_QUEUED_EVENTS=10, SIO_MAX_BUFFERED_PACKETS=20, SIO_ALLOW_REQUEST=allow_request)
@pytest.mark.parametrize("name", ENDINGS)
def test_nothing_is_left(name: str, remains: Remains) -> None:
    """Not one object: an idle process may not collect for hours, and a busy one not before its memory is full."""
    problems: list[dict[str, Any]] = []

    async def live() -> None:
        app = remains.watch(as_asgi(Consumer))
        await ENDINGS[name](app)  # with what a server makes on first use
        await asyncio.sleep(A_WHILE)
        before = instances()
        for _ in range(ROUNDS):
            await ENDINGS[name](app)
        await asyncio.sleep(A_WHILE)
        assert len(sessions) == 0
        assert remains.count() == {}
        assert instances() == before

    virtual_time.run(live(), problems)
    assert problems == []
