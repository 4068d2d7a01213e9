"""What the packages export, and that it is documented where it is defined."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

import sio
from sio.engineio import (
    EngineIOApplication,
    EngineIOWebSocketConsumer,
    LongPollingConsumer,
    get_engineio_app,
    set_engineio_app,
)
from sio.engineio.application import EchoApplication
from sio.socketio import SocketIOPacket, SocketIOParser
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.server import SocketIOServer, get_socketio_server

#: What the documentation names, and where.
DOCUMENTED = {
    "sio": ["SocketIOConsumer"],
    "sio.engineio": [
        "EngineIOApplication",
        "EngineIOSession",
        "EngineIOSocket",
        "EngineIOWebSocketConsumer",
        "LongPollingConsumer",
        "get_engineio_app",
        "set_engineio_app",
    ],
    "sio.engineio.packets": ["EncodedPacket", "Packet", "decode_packet", "decode_payload", "encode_payload"],
    "sio.socketio": ["NamespaceSocket", "SocketIOPacket", "SocketIOParser", "SocketIOServer"],
    "sio.socketio.packets": ["SocketIOPacket"],
    "sio.socketio.parser": ["SocketIOParser"],
    "sio.socketio.server": ["SocketIOServer", "get_socketio_server"],
}

#: What the documentation says that its classes have.
MEMBERS = [
    (sio.SocketIOConsumer, ["as_asgi", "namespace"]),
    (sio.NamespaceSocket, ["emit", "send", "join", "leave", "leave_all", "disconnect", "rooms", "state"]),
    (SocketIOServer, ["emit"]),
]


MODULES = [sio, *[importlib.import_module(found.name) for found in pkgutil.walk_packages(sio.__path__, "sio.")]]
#: Those whose names are for others to import.
EXPORTING = [module for module in MODULES if hasattr(module, "__all__")]


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


EXPORTED = {name: getattr(module, name) for module in EXPORTING for name in module.__all__}


@pytest.mark.parametrize("module", EXPORTING, ids=lambda module: module.__name__)
class TestAll:
    """`__all__` is the table of contents."""

    def test_names_are_sorted_and_there(self, module: ModuleType) -> None:
        assert module.__all__ == sorted(set(module.__all__))
        assert all(hasattr(module, name) for name in module.__all__)

    def test_star_import_gives_just_them(self, module: ModuleType) -> None:
        namespace: dict[str, Any] = {}
        exec(f"from {module.__name__} import *", namespace)
        assert set(namespace) - {"__builtins__"} == set(module.__all__)

    def test_whatever_is_imported_is_exported(self, module: ModuleType) -> None:
        imported = {
            name for name, value in vars(module).items() if not name.startswith("_") and not inspect.ismodule(value)
        }
        assert imported == set(module.__all__)

    def test_what_is_documented_is_exported(self, module: ModuleType) -> None:
        assert set(DOCUMENTED[module.__name__]) <= set(module.__all__)


class TestDocumented:
    """What the documentation says of import paths, classes and functions."""

    def test_all_paths_but_that_of_the_server_are_for_import_only(self) -> None:
        assert {module.__name__ for module in EXPORTING} == DOCUMENTED.keys() - {"sio.socketio.server"}

    @pytest.mark.parametrize(("module", "names"), DOCUMENTED.items())
    def test_name_is_there(self, module: str, names: list[str]) -> None:
        assert all(hasattr(importlib.import_module(module), name) for name in names)

    @pytest.mark.parametrize("name", [name for names in DOCUMENTED.values() for name in names])
    def test_name_is_one_thing_wherever_it_is_imported_from(self, name: str) -> None:
        found = [getattr(module, name) for module in MODULES if hasattr(module, name)]
        assert all(one is found[0] for one in found)

    @pytest.mark.parametrize(("cls", "names"), MEMBERS)
    def test_member_is_there(self, cls: type, names: list[str]) -> None:
        assert set(names) <= set(dir(cls))

    def test_transports_are_consumers_of_channels(self) -> None:
        assert issubclass(LongPollingConsumer, AsyncHttpConsumer)
        assert issubclass(EngineIOWebSocketConsumer, AsyncWebsocketConsumer)

    def test_consumer_routes_each_scope_to_its_transport(self) -> None:
        """`as_asgi` of both transports is an ASGI application, as that of the consumer."""
        for cls in (LongPollingConsumer, EngineIOWebSocketConsumer, sio.SocketIOConsumer):
            assert inspect.iscoroutinefunction(cls.as_asgi())

    @pytest.mark.parametrize("data", ["text", b"\x00\xff", ""])
    def test_helpers_decode_what_they_encode(self, data: str | bytes) -> None:
        packets = importlib.import_module("sio.engineio.packets")
        encoded = packets.EncodedPacket.message(data)
        assert packets.decode_packet(encoded.data) == packets.Packet(packets.PacketType.MESSAGE, data)
        body = packets.encode_payload([encoded, encoded])
        assert list(packets.decode_payload(body)) == [packets.Packet(packets.PacketType.MESSAGE, data)] * 2

    def test_packet_of_socketio_has_a_type_a_namespace_and_data(self) -> None:
        packet = SocketIOParser(SocketIOOptions()).feed('2/chat,["x",1]')
        assert isinstance(packet, SocketIOPacket)
        assert (packet.type, packet.namespace, packet.data) == (2, "/chat", ["x", 1])


class TestServerOfTheProcess:
    """`get_socketio_server` and `set_engineio_app`."""

    def test_server_becomes_the_application_of_engineio(self) -> None:
        server = get_socketio_server()
        assert isinstance(server, SocketIOServer)
        assert get_engineio_app() is server
        assert get_socketio_server() is server

    def test_application_is_replaced(self) -> None:
        server, app = get_socketio_server(), EngineIOApplication()
        set_engineio_app(app)
        assert get_socketio_server() is server
        assert get_engineio_app() is app
        set_engineio_app(server)
        assert get_engineio_app() is server

    def test_none_is_the_echo(self) -> None:
        set_engineio_app(EngineIOApplication())
        set_engineio_app(None)
        assert isinstance(get_engineio_app(), EchoApplication)


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
