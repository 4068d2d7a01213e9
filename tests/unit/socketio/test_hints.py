"""Mistakes that raise nothing and leave everybody waiting are logged once."""

from __future__ import annotations

import pytest

from sio import SocketIOConsumer, as_asgi
from sio.socketio.hints import ServerHints, shortened
from tests.client import SocketIOClient

from .consumers import PlainConsumer


class Chat(SocketIOConsumer):
    namespace = "/chat"


async def is_refused(client: SocketIOClient, *names: str) -> None:
    """Asks for namespaces that are not there."""
    for name in names:
        client.send("0", name)
        await client.received(f'4{name},{{"message":"Invalid namespace"}}')


class TestUnknownNamespace:
    """A client waits for a `connect` that does not come, and few listen for `connect_error`."""

    async def test_it_is_logged_once_with_those_that_there_are(self, caplog: pytest.LogCaptureFixture) -> None:
        application = as_asgi(Chat, PlainConsumer)
        await is_refused(await SocketIOClient(application).open(), "/caht", "/caht")
        await is_refused(await SocketIOClient(application).open(), "/caht")
        assert caplog.messages == [
            "Refused a client that asked for the namespace '/caht': this path serves '/chat', '/other'"
        ]

    async def test_namespace_of_another_path_is_said_to_be_there(self, caplog: pytest.LogCaptureFixture) -> None:
        PlainConsumer.as_asgi()
        await is_refused(await SocketIOClient(Chat.as_asgi()).open(), "/other")
        assert caplog.messages == [
            "Refused a client that asked for the namespace '/other', which is mounted on another path: "
            "this path serves '/chat'"
        ]

    async def test_clients_do_not_fill_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        client = await SocketIOClient(Chat.as_asgi()).open()
        await is_refused(client, *[f"/{number}" + "x" * 500 for number in range(30)])
        assert len(caplog.messages) == 20
        assert max(map(len, caplog.messages)) < 250


class TestServerHints:
    def test_each_hint_is_logged_once_for_each_name(self, caplog: pytest.LogCaptureFixture) -> None:
        hints = ServerHints()
        for _ in range(2):
            for name in ("/a", "/b"):
                hints.unknown_namespace(name, ["/c"], is_elsewhere=False)
                hints.no_consumer(name, ["/c"])
            hints.nobody_reached()
        assert len(caplog.messages) == 5
        assert caplog.messages[-1].startswith("emit() reached nobody: ")

    def test_served_namespaces_are_listed_in_order(self, caplog: pytest.LogCaptureFixture) -> None:
        ServerHints().no_consumer("/x", {"/c", "/a", "/b"})
        assert caplog.messages[0].endswith("pass namespace=, one of '/a', '/b', '/c'")

    def test_long_names_that_begin_alike_are_one(self, caplog: pytest.LogCaptureFixture) -> None:
        hints = ServerHints()
        for number in range(3):
            hints.unknown_namespace("/" + "x" * 500 + str(number), [], is_elsewhere=False)
        assert len(caplog.messages) == 1


@pytest.mark.parametrize(("name", "expected"), [("", ""), ("/chat", "/chat"), ("x" * 100, "x" * 100)])
def test_short_name_stays(name: str, expected: str) -> None:
    assert shortened(name) == expected


def test_long_name_is_shortened() -> None:
    assert shortened("x" * 10_000) == "x" * 100
