"""Disconnects users who may not stay: what `SIO_USER_CHECK_INTERVAL_MS` asks for."""

from __future__ import annotations

import asyncio
import weakref
from collections import defaultdict

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

from .. import conf
from ..aio.cancellation import raise_if_final
from ..engineio.server import EngineIOServer
from ..engineio.socket import EngineIOSocket
from .log import Log
from .users import ANONYMOUS, describe, identify, remember_owner


class UserChecks:
    """Looks up the users of all sessions of a server again and again, as long as it has any."""

    def __init__(self, server: EngineIOServer) -> None:
        self._server = server
        #: Loops whose sessions are looked through.
        self._loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        #: Whether the last look failed.
        self._is_failing = False

    def start(self) -> None:
        """A session opens on the running loop. Does nothing if the loop's sessions are looked through already."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            self._loops.add(loop)
            self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        interval = conf.get_settings().user_check_interval
        if interval is None:
            self._loops.discard(loop)
        else:
            loop.call_later(interval / 1000, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        task = loop.create_task(self._check_all())
        self._server.unfinished.add(task)  # a shutdown waits for what is asked of the database
        task.add_done_callback(lambda _: self._end(loop, task))

    def _end(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
        self._server.unfinished.discard(task)
        if len(self._server.registry):
            self._arm(loop)
        else:
            self._loops.discard(loop)

    async def _check_all(self) -> None:
        """Looks up one user after the other. A user with several sessions of one login is looked up once."""
        by_key: defaultdict[str, list[EngineIOSocket]] = defaultdict(list)
        for socket in self._server.sockets:
            if key := _session_key(socket):
                by_key[key].append(socket)
        was_failing, self._is_failing = self._is_failing, False
        for key, sockets in by_key.items():
            try:
                await self._check(key, sockets)
            except BaseException as error:
                raise_if_final(error)
                # A database that is away says nothing about any user, and a broken session nothing about others.
                if not was_failing and not self._is_failing:
                    Log.USER_UNKNOWN.log(error=error)
                self._is_failing = True

    async def _check(self, key: str, sockets: list[EngineIOSocket]) -> None:
        """Disconnects the sockets if the user of their Django session is no longer theirs."""
        session = sockets[0].scope["session"]
        # A user whom other middleware knows, by a token for example, is not in the session.
        if not await database_sync_to_async(session.has_key)(SESSION_KEY):
            return
        # Read anew, and by the same rules as for a request: the backend decides who is active.
        user = identify({"user": await get_user({"session": session.__class__(key)})})
        # A handler may have logged somebody in or out in the meantime.
        over = [socket for socket in sockets if _session_key(socket) == key and identify(socket.scope) != user]
        if over:
            Log.LOGGED_OUT.log(len(over), describe(identify(over[0].scope)))
        for socket in over:
            remember_owner(socket, user)  # whose polls fetch the packet that says so
            self._server.app.on_revoked(socket)


def _session_key(socket: EngineIOSocket) -> str | None:
    """Returns the key of the Django session that a socket's user may come from."""
    session = socket.scope.get("session")
    if not socket.is_open or not isinstance(session, SessionBase) or identify(socket.scope) in (None, ANONYMOUS):
        return None
    return session.session_key
