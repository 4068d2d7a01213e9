"""Database connections that broke, or are too old, are replaced between handlers: here, those of SQLite."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import DatabaseError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.transaction import atomic

from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer, SocketIOServer, as_asgi
from sio.integration.database import DatabaseUpkeep, make_upkeep
from sio.socketio.upkeep import Upkeep
from tests.client import SocketIOClient
from tests.pace import TIMEOUT

ALIAS = "dropped"
#: No time in which a test runs.
NEVER = 3600.0


class Database(DatabaseWrapper):
    """SQLite that can be lost, as a database server can: Django's own wrapper believes that it always works."""

    def is_usable(self) -> bool:
        try:
            self.connection.execute("SELECT 1")
        except self.Database.Error:
            return False
        return True

    def drop(self) -> None:
        """The server goes away, and the client does not know yet."""
        self.ensure_connection()
        assert self.connection is not None
        self.connection.close()


def query() -> int:
    """What the ORM does in its thread. Returns which connection answered."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")
    return id(connections[ALIAS].connection)


def install(kind: type[Database]) -> Database:
    """Makes the connection of a thread, which no other may use."""
    connections[ALIAS] = database = kind(connections.settings[ALIAS], ALIAS)
    return database


def uninstall() -> None:
    connections[ALIAS].close()
    del connections[ALIAS]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the thread in which handlers use the ORM."""
    connections.settings[ALIAS] = connections.configure_settings(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db"), "CONN_MAX_AGE": None}}
    )["default"]
    yield await sync_to_async(install)(Database)
    await sync_to_async(uninstall)()
    del connections.settings[ALIAS]


class Consumer(SocketIOConsumer):
    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        if auth.get("refuse"):
            try:
                await sync_to_async(query)()
            except DatabaseError as error:
                raise ConnectionRefused("later") from error
        if auth.get("query"):
            await sync_to_async(query)()
        return True

    async def event_query(self, socket: NamespaceSocket) -> int:
        return await sync_to_async(query)()

    async def event_wrap(self, socket: NamespaceSocket) -> None:
        try:
            await sync_to_async(query)()
        except DatabaseError as error:
            raise LookupError("no such thing") from error

    async def event_swallow(self, socket: NamespaceSocket) -> None:
        try:
            await sync_to_async(query)()
        except DatabaseError:
            return

    async def event_fail(self, socket: NamespaceSocket) -> None:
        raise LookupError("none of the database's business")

    async def event_ask(self, socket: NamespaceSocket) -> None:
        await socket.emit("question", callback=sync_to_async(query))


class Member:
    """A client of a server with an upkeep of a test's own."""

    def __init__(self, upkeep: Upkeep) -> None:
        server = SocketIOServer(upkeep=upkeep)
        self._application = as_asgi(Consumer, server=server)

    async def join(self) -> Member:
        self.client = await SocketIOClient(self._application).open()
        await self.client.connect()
        return self

    async def query(self) -> int:
        """Has a handler use the database. Returns which connection answered."""
        self.client.emit("/", "query", ack_id=1)
        return int((await self.client.receive())[3:-1])

    async def answer_late(self) -> None:
        """Has the server ask, and answers."""
        self.client.emit("/", "ask")
        question = await self.client.receive()
        self.client.send("3", ack_id=question[1 : question.index("[")], data=[])

    async def be_refused(self, **auth: bool) -> None:
        """Tries to join once more."""
        other = await SocketIOClient(self._application).open()
        other.send("0", data=auth)
        assert str(await other.receive()).startswith("4{")


@pytest.fixture
async def member(database: Database) -> Member:
    return await Member(DatabaseUpkeep(NEVER)).join()


def events(*names: str) -> Callable[[Member], Any]:
    async def send(member: Member) -> None:
        for name in names:
            member.client.emit("/", name)

    return send


async def logged(caplog: pytest.LogCaptureFixture, text: str, times: int = 1) -> None:
    async with asyncio.timeout(TIMEOUT):
        while sum(text in message for message in caplog.messages) < times:
            await asyncio.sleep(0.001)


class TestBrokenConnection:
    async def test_without_upkeep_it_would_fail_for_ever(
        self, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        member = await Member(Upkeep()).join()
        await sync_to_async(database.drop)()
        for _ in range(3):
            member.client.emit("/", "query", ack_id=1)
        member.client.emit("/", "swallow", ack_id=2)
        await member.client.received("32[]")
        await logged(caplog, "event_query raised")

    @pytest.mark.parametrize(
        "fail",
        [
            events("query"),
            events("query", "fail"),
            events("wrap"),
            Member.answer_late,
            lambda member: member.be_refused(query=True),
            lambda member: member.be_refused(refuse=True),
        ],
        ids=["handler", "another one fails too", "its cause", "callback", "connect raises", "connect refuses"],
    )
    async def test_is_replaced_before_the_next_query(
        self, member: Member, database: Database, fail: Callable[..., Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        await sync_to_async(database.drop)()
        await fail(member)
        if fail is Member.answer_late:  # the callback runs beside the handlers
            await logged(caplog, "callback")
        await member.query()
        assert await sync_to_async(database.is_usable)()

    async def test_is_replaced_in_time_if_the_handler_says_nothing(
        self, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        member = await Member(DatabaseUpkeep(0)).join()
        await sync_to_async(database.drop)()
        member.client.emit("/", "swallow")
        member.client.emit("/", "fail")
        await logged(caplog, "event_fail raised")
        await member.query()
        assert await sync_to_async(database.is_usable)()

    async def test_error_that_is_none_of_the_database_leaves_it_alone(self, member: Member, database: Database) -> None:
        await member.query()
        database.close_at = time.monotonic()
        member.client.emit("/", "fail")
        await member.query()
        assert database.close_at is not None

    async def test_transaction_is_left_alone(self, database: Database) -> None:
        """Django's own `close_old_connections` closes it: within `atomic`, autocommit is not what it should be."""
        transaction = atomic(using=ALIAS)
        await sync_to_async(transaction.__enter__)()
        before = database.connection
        DatabaseUpkeep(NEVER).failed(DatabaseError())
        await sync_to_async(lambda: None)()
        assert (database.connection is before, await sync_to_async(database.is_usable)()) == (True, True)
        await sync_to_async(transaction.__exit__)(None, None, None)


class TestAge:
    async def test_connection_that_is_too_old_is_replaced_before_the_handler(self, database: Database) -> None:
        member = await Member(DatabaseUpkeep(0)).join()
        await member.query()
        before = database.connection
        database.close_at = time.monotonic()
        await member.query()
        assert database.connection is not before

    async def test_it_is_looked_for_only_now_and_then(self, member: Member, database: Database) -> None:
        await member.query()
        before = database.connection
        database.close_at = time.monotonic()
        await member.query()
        assert database.connection is before


class TestUpkeep:
    async def test_driver_that_cannot_close_is_logged(
        self, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Stubborn(Database):
            def close_if_unusable_or_obsolete(self) -> None:
                raise OSError("stuck")

        await sync_to_async(install)(Stubborn)
        DatabaseUpkeep().starting()
        await sync_to_async(lambda: None)()
        assert "could not be closed" in caplog.text

    async def test_no_thread_is_needed(self, caplog: pytest.LogCaptureFixture) -> None:
        """As at the end of a process. Nothing is raised to the socket that has something to do."""
        caplog.set_level("DEBUG", "sio.socketio")
        token = SyncToAsync.deadlock_context.set(True)
        DatabaseUpkeep().starting()
        SyncToAsync.deadlock_context.reset(token)
        assert "alone" in caplog.text

    @pytest.mark.parametrize(("causes", "is_closed"), [(1, True), (10, True), (11, False)])
    async def test_cause_is_looked_for_not_too_far(self, database: Database, causes: int, is_closed: bool) -> None:
        await sync_to_async(database.ensure_connection)()
        database.close_at = time.monotonic()
        error: Exception = DatabaseError()
        for _ in range(causes):
            outer = LookupError()
            outer.__context__, error = error, outer
        DatabaseUpkeep().failed(error)
        await sync_to_async(lambda: None)()
        assert (database.connection is None) is is_closed

    def test_project_without_a_database_needs_none(self) -> None:
        assert [database["ENGINE"] for database in connections.settings.values()] == ["django.db.backends.dummy"]
        assert type(make_upkeep()) is Upkeep

    async def test_project_with_a_database_does(self, database: Database) -> None:
        assert isinstance(make_upkeep(), DatabaseUpkeep)
