"""The server of a Django process has the project's settings, channel layer, databases and users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from channels.layers import channel_layers
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import override_settings

from sio.cluster.adapter import ChannelLayerAdapter
from sio.engineio import EngineIOOptions
from sio.integration.database import DatabaseUpkeep
from sio.integration.policy import DjangoPolicy
from sio.integration.server import make_server
from sio.socketio.protocol.options import SocketIOOptions
from sio.socketio.server import SocketIOServer
from sio.socketio.upkeep import Upkeep
from tests.unit.cluster.layers import Layer, time_of


class TestSettings:
    """The options in force are asked for again and again."""

    @pytest.mark.parametrize(
        ("setting", "option"),
        [
            ("SIO_ENGINEIO_PING_INTERVAL_MS", "ping_interval"),
            ("SIO_ENGINEIO_MAX_PAYLOAD_BYTES", "max_payload"),
            ("SIO_MAX_SESSIONS", "max_sessions"),
        ],
    )
    def test_engineio_has_those_of_the_project(self, setting: str, option: str) -> None:
        server = make_server().engineio
        assert server.options() == EngineIOOptions()
        with override_settings(**{setting: 123}):
            assert getattr(server.options(), option) == 123

    @pytest.mark.parametrize(
        ("setting", "option"), [("SIO_MAX_ROOMS", "max_rooms"), ("SIO_CONNECT_TIMEOUT_MS", "connect_timeout")]
    )
    def test_socketio_has_those_of_the_project(self, setting: str, option: str) -> None:
        server = make_server()
        with override_settings(**{setting: 123}):
            assert getattr(server._shared.options(), option) == 123
        assert getattr(server._shared.options(), option) == getattr(SocketIOOptions(), option)

    def test_wrong_one_is_an_error(self) -> None:
        server = make_server().engineio
        with override_settings(SIO_MAX_SESSIONS=0), pytest.raises(ImproperlyConfigured):
            server.options()


class TestChannelLayer:
    @pytest.fixture
    async def layer(self) -> AsyncIterator[Layer]:
        layer = Layer()
        channel_layers.set("default", layer)
        yield layer
        channel_layers.backends.pop("default")

    def test_rooms_are_kept_by_its_adapter(self) -> None:
        assert isinstance(make_server().adapter, ChannelLayerAdapter)

    @pytest.mark.parametrize("milliseconds", [123, 4_000])
    async def test_timeout_is_a_setting(self, layer: Layer, milliseconds: int) -> None:
        layer.hang()
        with override_settings(SIO_CHANNEL_LAYER_TIMEOUT_MS=milliseconds):
            assert await time_of(make_server().emit("x")) == pytest.approx(milliseconds / 1_000)
        await layer.go_on()

    @pytest.mark.parametrize("milliseconds", [456, 10_000])
    async def test_time_between_two_probes_is_a_setting(self, layer: Layer, milliseconds: int) -> None:
        with override_settings(SIO_CHANNEL_LAYER_CHECK_MS=milliseconds):
            adapter = make_server().adapter
            adapter.on_room_created("/", "room")
            await adapter.settle()
            layer.calls.clear()
            await asyncio.sleep(milliseconds / 1_000 * 10.5)
            assert layer.count("send") == 10
            await adapter.close()


class TestDatabases:
    @pytest.fixture
    def database(self) -> Iterator[None]:
        engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        connections.settings["other"] = connections.configure_settings({"default": engine})["default"]
        yield
        del connections.settings["other"]

    @pytest.mark.usefixtures("database")
    def test_connections_are_kept_usable(self) -> None:
        assert isinstance(make_server()._shared.upkeep, DatabaseUpkeep)

    def test_project_without_a_database_has_none_to_keep(self) -> None:
        assert type(make_server()._shared.upkeep) is Upkeep


class TestParts:
    def test_user_is_the_one_that_middleware_found(self) -> None:
        users = make_server()._shared.users
        assert users.get({"type": "http", "user": "ada"}) == "ada"
        with pytest.raises(ImproperlyConfigured, match="AuthMiddlewareStack"):
            users.get({"type": "http"})

    def test_policy_is_djangos(self) -> None:
        assert isinstance(make_server().engineio.policy, DjangoPolicy)

    def test_two_servers_share_nothing(self) -> None:
        one, other = make_server(), make_server()
        assert isinstance(one, SocketIOServer)
        pairs: list[tuple[Any, Any]] = [
            (one.adapter, other.adapter),
            (one.engineio, other.engineio),
            (one.engineio.registry, other.engineio.registry),
            (one.engineio.policy, other.engineio.policy),
        ]
        assert all(first is not second for first, second in pairs)

    def test_it_is_the_application_of_its_engineio_server(self) -> None:
        server = make_server()
        assert server.engineio.app is server

    def test_options_may_be_its_own(self) -> None:
        engineio, socketio = EngineIOOptions(ping_interval=1), SocketIOOptions(max_rooms=1)
        server = make_server(engineio, socketio)
        assert server.engineio.options() is engineio
        assert server._shared.options() is socketio
