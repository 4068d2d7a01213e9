"""Keeps Django's database connections usable for hooks and handlers, which are no requests.

Around each request, Django closes connections that broke, or are older than `CONN_MAX_AGE`. A socket is one request for
days, and the ORM runs for all of them in the one thread that `sync_to_async` keeps for code that must not change
threads. So a connection that the database server dropped would fail for ever there, in every handler.

That thread does one thing after the other, so what is handed to it before an `await` of the ORM is done before it. A
connection within `atomic` is left alone. One of an `aiterator` with a server-side cursor may be closed between two of
its chunks, as by any `database_sync_to_async`, which `AuthMiddleware` uses in the same thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import time

import django.db
from asgiref.sync import sync_to_async

from ..aio.eager import eager_start
from ..socketio.upkeep import Upkeep
from .log import HandlersLog

#: How long connections are left alone while nothing fails, in seconds: so often, at most, a handler finds one closed
#: that could still be used. With the default CONN_MAX_AGE of 0, that is any.
_INTERVAL = 10.0
#: How many errors back the cause of an error is looked for.
_MAX_CAUSES = 10


class DatabaseUpkeep(Upkeep):
    """Closes connections that are broken or too old: at once after a database error, else every few seconds."""

    def __init__(self, interval: float = _INTERVAL) -> None:
        self._interval = interval
        self._due = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def starting(self) -> None:
        """As the first request after a pause, the first handler after one gets no connection that is too old."""
        if time.monotonic() >= self._due:
            self._close_old_connections()

    def failed(self, error: BaseException) -> None:
        if _is_database_error(error):
            self._close_old_connections()

    def _close_old_connections(self) -> None:
        self._due = time.monotonic() + self._interval
        # It marks the context that it runs in as one that waits for the thread.
        context = contextvars.copy_context()
        try:
            # Begun here and not in a task of its own: the handler, which comes next, must not come to the thread first.
            rest = context.run(eager_start, sync_to_async(close_old_connections)())
        except RuntimeError as error:  # the thread is gone, at the end of the process
            HandlersLog.DATABASE_LEFT_ALONE.log(error=error)
            return
        if rest is not None:
            task = rest.create_task(context)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def close_old_connections() -> None:
    """Does as Django's function of this name, but for connections within `atomic`, which that would close: the tests of
    a `TestCase` run in a transaction, and would find it gone.
    """
    for connection in django.db.connections.all(initialized_only=True):
        if connection.in_atomic_block:
            continue
        try:
            connection.close_if_unusable_or_obsolete()
        except Exception as error:  # a driver that cannot even close
            HandlersLog.DATABASE_NOT_CLOSED.log(error=error)


def _is_database_error(error: BaseException | None) -> bool:
    """Whether an error is one of the database, or was raised because of one."""
    for _ in range(_MAX_CAUSES):
        if error is None or isinstance(error, django.db.Error):
            break
        error = error.__cause__ or error.__context__
    return isinstance(error, django.db.Error)


def make_upkeep() -> Upkeep:
    """Returns what this project needs: nothing, if it has no database."""
    engines = {database["ENGINE"] for database in django.db.connections.settings.values()}
    return DatabaseUpkeep() if engines - {"django.db.backends.dummy"} else Upkeep()
