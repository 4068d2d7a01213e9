"""The tests of an application whose handlers use the ORM, in both of Django's classes for tests with a database.

A `TestCase` runs each test in a transaction that is rolled back: a connection that is closed meanwhile takes it with
it. Its file has a name that pytest does not look for.
"""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import TestCase, TransactionTestCase

from sio import NamespaceSocket, SocketIOConsumer
from sio.integration.database import close_old_connections
from sio.socketio.server import reset_socketio_server
from tests.asgi import Poller
from tests.client import SocketIOClient
from tests.pace import TIMEOUT


def add(name: str) -> None:
    with transaction.atomic():
        User.objects.create(username=name)


class PeopleConsumer(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        return await User.objects.filter(username="ada").aexists()

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        await User.objects.acreate(username="left")

    async def event_add(self, socket: NamespaceSocket, name: str) -> None:
        await sync_to_async(add)(name)

    async def event_who(self, socket: NamespaceSocket) -> str:
        return str(socket.user.username)

    async def event_names(self, socket: NamespaceSocket) -> list[str]:
        return [name async for name in User.objects.order_by("pk").values_list("username", flat=True)]


def physical_connection() -> Any:
    return connection.connection


class Handlers:
    """What works in each of the classes."""

    async def enter(self) -> SocketIOClient:
        reset_socketio_server()
        await User.objects.acreate(username="ada")
        client = await SocketIOClient(PeopleConsumer.as_asgi()).open()
        await client.connect()
        return client

    async def names(self, client: SocketIOClient) -> str:
        client.emit("/", "names", ack_id=1)
        return str(await client.receive())

    async def test_handlers_and_the_test_see_the_same(self) -> None:
        client = await self.enter()
        client.emit("/", "add", "grace", ack_id=0)
        assert await client.receive() == "30[]"
        assert await self.names(client) == '31[["ada","grace"]]'
        assert await User.objects.acount() == 2
        client.leave()
        await client.websocket.finished()
        async with asyncio.timeout(TIMEOUT):
            while not await User.objects.filter(username="left").aexists():
                await asyncio.sleep(0.01)

    async def test_database_error_of_a_handler_takes_nothing_with_it(self) -> None:
        client = await self.enter()
        before = await sync_to_async(physical_connection)()
        client.emit("/", "add", "ada")
        assert await self.names(client) == '31[["ada"]]'
        after = await sync_to_async(physical_connection)()
        assert (before is after) is isinstance(self, TestCase)
        try:
            await sync_to_async(add)("ada")
        except IntegrityError:
            client.leave()
            await client.websocket.finished()
        else:
            raise AssertionError("the database is not what it was")

    async def test_polling(self) -> None:
        client = await self.enter()
        poller = Poller(PeopleConsumer.as_asgi())
        await poller.open()
        await poller.post("40")
        assert (await poller.get()).text.startswith("40{")
        await poller.post('421["names"]')
        assert (await poller.get()).text == '431[["ada"]]'
        client.leave()
        await client.websocket.finished()


class InATransaction(Handlers, TestCase):
    """All that is done is undone."""


class WithoutATransaction(Handlers, TransactionTestCase):
    """All that is done is committed, and deleted."""


@mock.patch("channels.db.close_old_connections", close_old_connections)
class WithUsers(TestCase):
    """Channels looks users up with a function of its own, which closes any connection: this is what the README says."""

    async def test_user_of_the_test_is_found(self) -> None:
        reset_socketio_server()
        ada = await User.objects.acreate(username="ada")
        await self.async_client.aforce_login(ada)
        cookie = f"sessionid={self.async_client.cookies['sessionid'].value}".encode()
        client = await SocketIOClient(AuthMiddlewareStack(PeopleConsumer.as_asgi()), [(b"cookie", cookie)]).open()
        await client.connect()
        client.emit("/", "who", ack_id=1)
        assert await client.receive() == '31["ada"]'
        client.leave()
        await client.websocket.finished()
