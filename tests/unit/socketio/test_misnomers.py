"""Methods that look like hooks and handlers, and that nothing calls."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from sio import SocketIOConsumer
from sio.socketio.handlers import find_handlers


async def method(self: Any, socket: Any, *args: Any) -> None: ...


def consumer(**members: Any) -> type[SocketIOConsumer]:
    return type("Chat", (SocketIOConsumer,), {"namespace": "/chat", **members})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("on_connect", "connect"),
        ("on_disconnect", "disconnect"),
        ("websocket_connect", "connect"),
        ("websocket_disconnect", "disconnect"),
    ],
)
class TestHooks:
    """An `on_connect` is meant to refuse somebody, so that it is an error, and not a line in the log."""

    def test_hook_under_another_name_is_an_error(self, name: str, meant: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=rf"^Chat\.{name} would never be called: name it '{meant}'$"):
            consumer(**{name: method}).as_asgi()

    def test_inherited_one_is_an_error(self, name: str, meant: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=rf"^Child\.{name} "):
            type("Child", (consumer(**{name: method}),), {}).as_asgi()  # type: ignore[attr-defined]

    def test_template_method_is_none(self, name: str, meant: str, caplog: pytest.LogCaptureFixture) -> None:
        consumer(**{name: method, meant: method}).as_asgi()
        assert caplog.text == ""

    def test_other_member_is_none(self, name: str, meant: str, caplog: pytest.LogCaptureFixture) -> None:
        consumer(**{name: "a string"}).as_asgi()
        assert caplog.text == ""

    def test_class_without_defaults_is_checked_too(self, name: str, meant: str) -> None:
        with pytest.raises(TypeError, match=name):
            find_handlers(type("Plain", (), {name: method}))


class TestEvents:
    """A helper may have such a name, so that it is a warning."""

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("on_chat_message", "event_chat_message"),
            ("on_message", "event_message"),
            ("receive_json", "event_<name>"),
            ("websocket_receive", "event_<name>"),
        ],
    )
    def test_handler_under_another_name_is_warned_of(
        self, name: str, meant: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        consumer(**{name: method}).as_asgi()
        assert caplog.messages == [f"Chat.{name} is called for no event: a handler is named '{meant}'"]

    @pytest.mark.parametrize("name", ["on_", "one", "only", "online", "_on_message", "receive", "event_on_message"])
    def test_other_name_is_not_warned_of(self, name: str, caplog: pytest.LogCaptureFixture) -> None:
        consumer(**{name: method}).as_asgi()
        assert caplog.text == ""

    def test_handler_that_has_both_names_is_called(self, caplog: pytest.LogCaptureFixture) -> None:
        consumer(on_message=method, event_message=method).as_asgi()
        assert caplog.text == ""

    def test_other_base_may_have_such_names(self, caplog: pytest.LogCaptureFixture) -> None:
        """The names of the base that brings the default hooks are its own."""
        base = type("Base", (), {"on_connect": method, "on_message": method})
        find_handlers(type("Child", (base,), {}), base)
        assert caplog.text == ""
