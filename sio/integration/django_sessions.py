"""Keeps requests that wait from writing back a Django session as it was before they waited.

The session middleware of Channels saves the session when the answer begins: all of it, if anything in it changed, or
for every request with SESSION_SAVE_EVERY_REQUEST. A poll waits for up to half a minute with what it read, and would
undo what views stored meanwhile. It would also set the cookie of a session that a login has replaced.
"""

from __future__ import annotations

import functools

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import SessionBase, UpdateError

from .. import conf
from ..engineio.asgi import Scope
from .log import Log


async def protect(scope: Scope) -> None:
    """To be called before a request waits. What middleware has changed in its session until then is saved now. From
    then on, a session that does not change is not saved, and no cookie is set. One that is deleted meanwhile is no
    error.
    """
    session = scope["session"]
    store = getattr(session, "_wrapped", session)
    if not isinstance(store, SessionBase):
        return
    # Of this request only, and without a function that refers to it: it would then live until the next collection.
    store.__class__ = _protected(type(store))
    if not store.modified:
        # An empty session, which it is taken for, has its cookie deleted, if it came with one.
        scope.get("cookies", {}).pop(conf.session_cookie_name(), None)
    elif not store.is_empty():  # as it is after a logout: its cookie is to be deleted
        await sync_to_async(store.save)()
        store.saved_data = store.serialized()  # type: ignore[attr-defined]


class _Protected(SessionBase):
    """What a session of any backend does differently."""

    #: Its data that are saved already, in the form in which they are.
    saved_data: bytes | None = None

    def serialized(self) -> bytes:
        data: bytes = self.serializer().dumps(self._session)  # type: ignore[attr-defined]
        return data

    def has_changed(self) -> bool:
        return self.modified and self.serialized() != self.saved_data

    def is_empty(self) -> bool:
        # Which is why no cookie is set: the answer would come too late with it.
        return not self.modified or super().is_empty()

    def save(self, must_create: bool = False) -> None:
        """Saves what has changed, unless the session was deleted meanwhile."""
        if must_create or self.has_changed():
            try:
                super().save(must_create)
            except UpdateError:
                Log.SESSION_DELETED.log()

    async def asave(self, must_create: bool = False) -> None:
        if must_create or self.has_changed():
            await sync_to_async(self.save)(must_create)


@functools.cache
def _protected(kind: type[SessionBase]) -> type[SessionBase]:
    return type(kind.__name__, (_Protected, kind), {"__module__": kind.__module__})
