"""What the packages export, and that it is documented where it is defined."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import sio
import sio.engineio
import sio.socketio
from sio.socketio.server import SocketIOServer

PACKAGES = [sio, sio.engineio, sio.socketio]

#: What the documentation names, and where.
DOCUMENTED = {
    "sio": ["SocketIOConsumer"],
    "sio.engineio": [
        "EngineIOSession",
        "EngineIOSocket",
        "EngineIOWebSocketConsumer",
        "LongPollingConsumer",
        "set_engineio_app",
    ],
    "sio.engineio.packets": ["Packet", "decode_packet", "decode_payload", "encode_payload"],
    "sio.socketio": ["NamespaceSocket", "SocketIOPacket", "SocketIOParser", "SocketIOServer"],
    "sio.socketio.server": ["get_socketio_server"],
}

#: What the documentation says that its classes have.
MEMBERS = [
    (sio.SocketIOConsumer, ["as_asgi", "namespace"]),
    (sio.NamespaceSocket, ["emit", "send", "join", "leave", "leave_all", "disconnect", "rooms", "state"]),
    (SocketIOServer, ["emit"]),
]


MODULES = [sio, *[importlib.import_module(found.name) for found in pkgutil.walk_packages(sio.__path__, "sio.")]]


def defined_in(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yields the public classes and functions that a module defines."""
    for name, member in vars(module).items():
        is_documentable = inspect.isclass(member) or inspect.isfunction(member)
        if is_documentable and not name.startswith("_") and member.__module__ == module.__name__:
            yield name, member


def public_members(cls: type) -> Iterator[tuple[str, Any]]:
    """Yields the public methods and properties that a class defines."""
    for name, member in vars(cls).items():
        if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            yield name, getattr(cls, name)


EXPORTED = {name: getattr(package, name) for package in PACKAGES for name in package.__all__}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
class TestAll:
    """`__all__` is the table of contents."""

    def test_names_are_sorted_and_there(self, package: ModuleType) -> None:
        assert package.__all__ == sorted(set(package.__all__))
        assert all(hasattr(package, name) for name in package.__all__)

    def test_star_import_gives_just_them(self, package: ModuleType) -> None:
        namespace: dict[str, Any] = {}
        exec(f"from {package.__name__} import *", namespace)
        assert set(namespace) - {"__builtins__"} == set(package.__all__)

    def test_whatever_is_imported_is_exported(self, package: ModuleType) -> None:
        imported = {
            name for name, value in vars(package).items() if not name.startswith("_") and not inspect.ismodule(value)
        }
        assert imported == set(package.__all__)

    def test_what_is_documented_is_exported(self, package: ModuleType) -> None:
        assert set(DOCUMENTED[package.__name__]) <= set(package.__all__)


@pytest.mark.parametrize(("module", "names"), DOCUMENTED.items())
def test_what_is_documented_is_there(module: str, names: list[str]) -> None:
    assert all(hasattr(importlib.import_module(module), name) for name in names)


@pytest.mark.parametrize(("cls", "names"), MEMBERS)
def test_documented_member_is_there(cls: type, names: list[str]) -> None:
    assert set(names) <= set(dir(cls))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
class TestDocstrings:
    """Every module, public class and public function says what it is."""

    def test_module_has_a_docstring(self, module: ModuleType) -> None:
        assert module.__doc__

    def test_public_classes_and_functions_have_a_docstring(self, module: ModuleType) -> None:
        assert [name for name, member in defined_in(module) if not member.__doc__] == []


@pytest.mark.parametrize("cls", [member for member in EXPORTED.values() if inspect.isclass(member)])
def test_public_members_of_exported_classes_have_a_docstring(cls: type) -> None:
    """Or one of their base classes has."""
    assert [name for name, member in public_members(cls) if not inspect.getdoc(member)] == []


def test_version_is_one() -> None:
    assert [int(part) for part in sio.__version__.split(".")]
