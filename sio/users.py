"""Whose session it is: requests of other users are refused, and users who may not stay are disconnected.

A user is what `channels.auth.AuthMiddlewareStack`, or middleware like it, left in the scope of each request. Nothing
here applies to an application without such middleware.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import defaultdict
from collections.abc import MutableMapping
from typing import Any, Final

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import LazyObject, empty

from . import conf
from .engineio.app import get_engineio_app
from .engineio.faults import raise_if_final
from .engineio.handshake import ErrorCode, HandshakeError
from .engineio.registry import registry
from .engineio.socket import EngineIOSocket
from .engineio.tasks import unfinished

logger = logging.getLogger("sio.engineio")

#: The identity of who is not logged in.
ANONYMOUS: Final = object()

#: Sessions whose other users the log knows of.
_told: weakref.WeakSet[EngineIOSocket] = weakref.WeakSet()
#: Loops whose sessions are looked through, and whether the last look failed.
_watched: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
_is_failing = False


def get_scope_user(scope: MutableMapping[str, Any]) -> Any:
    """Returns the user of a request. Raises ImproperlyConfigured if no middleware has looked for one."""
    try:
        return scope["user"]
    except KeyError:
        raise ImproperlyConfigured(
            f"socket.user needs channels.auth.AuthMiddlewareStack around the application that is routed for "
            f"{scope['type']!r}, or other middleware that puts a user into the scope."
        ) from None


def identify(scope: MutableMapping[str, Any]) -> Any:
    """Returns what tells a user from others: the primary key, or ANONYMOUS; None if it cannot be told."""
    user = scope.get("user")
    if isinstance(user, LazyObject):
        # One that was not looked up yet stays so: this is no place to wait for a database.
        user = None if user._wrapped is empty else user._wrapped
    is_authenticated = getattr(user, "is_authenticated", None)
    if is_authenticated is None:
        return None
    return getattr(user, "pk", None) if is_authenticated else ANONYMOUS


def check_owner(socket: EngineIOSocket, scope: MutableMapping[str, Any]) -> None:
    """Raises HandshakeError (FORBIDDEN) for a request by another user than the one who opened the session, and for one
    that does not show whose it is.

    The session goes on for its owner. Who logged in or out meanwhile is another user too: the client reconnects, and
    is then who it is now. What a handler does to the scope of the session, such as `channels.auth.login`, does not
    count: the cookies of the client stay what they are.
    """
    if socket.owner is None:
        return  # there was no middleware that knows users
    user = identify(scope)
    if user is None:
        user = identify({"user": _looked_up(scope.get("user"))})
    if user == socket.owner:
        return
    is_first = socket not in _told
    _told.add(socket)
    raise HandshakeError(
        ErrorCode.FORBIDDEN,
        f"it is sent by {_name(user)}, and the session was opened by {_name(socket.owner)}",
        is_loud=is_first,
    )


def _looked_up(user: Any) -> Any:
    """Returns a user whom middleware left to be looked up on first use, if that needs no database."""
    try:
        bool(getattr(user, "is_authenticated", None))
    except Exception:  # SynchronousOnlyOperation
        return None
    return user


def _name(user: Any) -> str:
    if user is None:
        return (
            "nobody whom the server knows (is there the same middleware, such as AuthMiddlewareStack, around HTTP and "
            "WebSocket?)"
        )
    return "nobody who is logged in" if user is ANONYMOUS else f"the user {user!r}"


def watch() -> None:
    """Looks up the users of all sessions again, every SIO_USER_CHECK_INTERVAL_MS. Called for each session; does
    something only if that is not done already. It ends when no session is left.
    """
    loop = asyncio.get_running_loop()
    if loop not in _watched:
        _watched.add(loop)
        _arm(loop)


def _arm(loop: asyncio.AbstractEventLoop) -> None:
    interval = conf.get_settings().user_check_interval
    if interval is None or not len(registry):
        _watched.discard(loop)
    else:
        loop.call_later(interval / 1000, _begin, loop)


def _begin(loop: asyncio.AbstractEventLoop) -> None:
    task = loop.create_task(_check_all())
    unfinished.add(task)  # a shutdown waits for what is asked of the database
    task.add_done_callback(lambda _: _end(loop, task))


def _end(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    unfinished.discard(task)
    _arm(loop)


async def _check_all() -> None:
    """Looks up one user after the other. One who is on several sessions of the same login is looked up once."""
    global _is_failing
    by_key: defaultdict[str, list[EngineIOSocket]] = defaultdict(list)
    for socket in registry:
        if key := _session_key(socket):
            by_key[key].append(socket)
    was_failing, _is_failing = _is_failing, False
    for key, sockets in by_key.items():
        try:
            await _check(key, sockets)
        except BaseException as error:
            raise_if_final(error)
            # A database that is away says nothing about anybody, and a session that is broken nothing about others.
            if not was_failing and not _is_failing:
                logger.exception("A user cannot be looked up, and is not disconnected")
            _is_failing = True


def _session_key(socket: EngineIOSocket) -> str | None:
    """Returns the key of the Django session that a socket's user may come from."""
    session = socket.scope.get("session")
    if not socket.is_open or not isinstance(session, SessionBase) or identify(socket.scope) in (None, ANONYMOUS):
        return None
    return session.session_key


async def _check(key: str, sockets: list[EngineIOSocket]) -> None:
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
        logger.info("Disconnecting %d sessions: %s is logged out", len(over), _name(identify(over[0].scope)))
    for socket in over:
        socket.owner = user  # whose requests, on polling, fetch the news
        get_engineio_app().dismiss(socket)
