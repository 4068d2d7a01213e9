"""`Namespace`: a name, its handlers, and the sockets in it."""

from __future__ import annotations

from itertools import islice

import pytest

from sio.socketio.handlers import Handlers
from sio.socketio.namespace import Namespace


@pytest.mark.parametrize(
    ("handlers", "is_served"), [(None, False), (Handlers(), False), (Handlers(owner="app.Chat"), True)]
)
def test_namespace_is_served_if_it_has_a_consumer(handlers: Handlers | None, is_served: bool) -> None:
    assert Namespace("/", handlers).is_served is is_served


def test_namespace_without_a_consumer_handles_nothing() -> None:
    namespace = Namespace("/lobby")
    assert (namespace.name, namespace.sockets, namespace.handlers.events) == ("/lobby", {}, {})


def test_each_namespace_counts_its_own_acks() -> None:
    first, second = Namespace("/a"), Namespace("/b")
    assert [list(islice(namespace.ack_ids, 2)) for namespace in (first, second)] == [[0, 1], [0, 1]]


class TestUnhandledEvents:
    def test_event_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        first, second = Namespace("/a"), Namespace("/b")
        for namespace in (first, first, second):
            for event in ("x", "y", "x"):
                namespace.report_unhandled(event, "no method handles it")
        assert caplog.messages == [
            f"Ignored the event {event!r} in the namespace {name!r}: no method handles it"
            for name in ("/a", "/b")
            for event in ("x", "y")
        ]

    def test_clients_do_not_fill_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        namespace = Namespace("/a")
        for number in range(1_000):
            namespace.report_unhandled(str(number) + "x" * 10_000, "no method handles it")
        assert len(caplog.messages) == 20
        assert max(map(len, caplog.messages)) < 250
