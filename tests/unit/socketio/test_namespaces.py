"""`Namespaces`: which ones have a consumer, and which ones a client may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from sio.socketio.handlers import Handlers
from sio.socketio.hints import ServerHints
from sio.socketio.namespaces import NAMESPACES_KEY, Namespaces


def handlers(name: str) -> Handlers:
    """Returns the handlers of a class of that name, which is another one for each call."""
    return Handlers(f"app.{name}", type(name, (), {}))


def made(*names: str) -> Namespaces:
    namespaces = Namespaces(ServerHints())
    for name in names:
        namespaces.register(name, handlers(f"Consumer of {name}"))
    return namespaces


def scope(*served: str) -> dict[str, Any]:
    """Returns the scope of a request through an application that serves these namespaces."""
    return {NAMESPACES_KEY: frozenset(served)}


class TestRegister:
    def test_main_namespace_is_there_and_not_served(self) -> None:
        assert made()["/"].name == "/"
        assert not made()["/"].is_served
        assert made().served == set()

    def test_registered_namespaces_are_served(self) -> None:
        namespaces = made("/", "/a")
        assert namespaces.served == {"/", "/a"}
        assert namespaces["/a"].is_served
        assert namespaces["/"].is_served

    @pytest.mark.parametrize("name", ["", "a", "a/", "/a,b", "/,", "/a\n", "/\x00", "/\x1e"])
    def test_impossible_name_is_refused(self, name: str) -> None:
        namespaces = made()
        with pytest.raises(ValueError, match=r"is no namespace: .* \(app\.Chat\)$"):
            namespaces.register(name, handlers("Chat"))
        assert namespaces.served == set()

    def test_same_class_changes_nothing(self) -> None:
        namespaces, chat = made(), handlers("Chat")
        namespaces.register("/chat", chat)
        before = namespaces["/chat"]
        namespaces.register("/chat", Handlers(chat.owner, chat.factory))
        assert namespaces["/chat"] is before

    @pytest.mark.parametrize("name", ["/", "/chat"])
    def test_second_class_is_refused(self, name: str) -> None:
        namespaces = made()
        namespaces.register(name, handlers("First"))
        with pytest.raises(ValueError, match=rf"handle the namespace '{name}': app\.First and app\.Second$"):
            namespaces.register(name, handlers("Second"))
        assert namespaces[name].handlers.owner == "app.First"


class TestFind:
    @pytest.mark.parametrize(
        ("served", "name", "is_found"),
        [
            (["/a"], "/a", True),
            (["/a", "/b"], "/b", True),
            (["/a"], "/b", False),
            (["/a"], "/nowhere", False),
            (["/a"], "/a/", False),
            (["/"], "/", True),
            (["/"], "/a", False),
        ],
    )
    def test_application_serves_only_its_own(self, served: list[str], name: str, is_found: bool) -> None:
        namespaces = made("/", "/a", "/b")
        assert namespaces.find(name, scope(*served)) is (namespaces[name] if is_found else None)

    def test_scope_without_an_application_has_all(self) -> None:
        """An Engine.IO transport that is routed by itself knows no namespaces."""
        namespaces = made("/a")
        assert namespaces.find("/a", {}) is namespaces["/a"]
        assert namespaces.find("/", {}) is namespaces["/"]
        assert namespaces.find("/b", {}) is None

    @pytest.mark.parametrize("registered", [["/a"], ["/a", "/"]])
    def test_main_namespace_is_a_lobby_where_it_is_not_served(self, registered: list[str]) -> None:
        namespaces = made(*registered)
        lobby = namespaces.find("/", scope("/a"))
        assert lobby is not None
        assert (lobby.name, lobby.is_served) == ("/", False)
        assert lobby is not namespaces["/"]
        assert lobby is namespaces.find("/", scope("/a"))


class TestUnknown:
    @pytest.mark.parametrize(
        ("name", "scope", "message"),
        [
            ("/x", scope("/a"), "'/x': this path serves '/a'"),
            ("/b", scope("/a"), "'/b', which is mounted on another path: this path serves '/a'"),
            ("/x", {}, "'/x': this path serves '/', '/a', '/b'"),
        ],
    )
    def test_developer_hears_of_it(
        self, name: str, scope: dict[str, Any], message: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        made("/a", "/b").report_unknown(name, scope)
        assert caplog.messages == [f"Refused a client that asked for the namespace {message}"]
