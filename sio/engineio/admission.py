"""How many sessions a server has room for, and which ones take it."""

from __future__ import annotations

from collections.abc import Hashable, Sized

from ..exceptions import Unavailable
from .log import Log
from .protocol.options import EngineIOOptions

#: When to come back to a full server, in seconds: official clients wait that long at most (`reconnectionDelayMax`).
_RETRY_AFTER = 5


class Admission:
    """Counts the places that are taken: by live sessions, by those that are over and of which something still runs, and
    by handshakes that are not decided yet.
    """

    def __init__(self, sessions: Sized) -> None:
        self._sessions = sessions
        #: Handshakes that were refused because there were too many sessions.
        self.refused = 0
        #: Handshakes that wait for somebody to decide about them.
        self.undecided = 0
        #: Sessions that the application has not established yet.
        self._unestablished: set[Hashable] = set()
        #: Sessions that are over, and of which something still runs.
        self._lingering: set[Hashable] = set()
        #: The settings whose bound was reached and logged.
        self._logged: set[str] = set()

    def check(self, options: EngineIOOptions) -> None:
        """Raises Unavailable if one more session would be too many."""
        if options.max_sessions is not None:
            places = len(self._sessions) + len(self._lingering) + self.undecided
            self._check_bound("SIO_MAX_SESSIONS", places, options.max_sessions)
        if options.max_unestablished_sessions is not None:
            places = len(self._unestablished) + self.undecided
            self._check_bound("SIO_MAX_UNJOINED_SESSIONS", places, options.max_unestablished_sessions)

    def _check_bound(self, setting: str, count: int, limit: int) -> None:
        if count >= limit:
            self.refused += 1
            if setting not in self._logged:
                self._logged.add(setting)
                Log.FULL.log(setting, limit, self._describe_lingering())
            raise Unavailable(f"{setting} is reached", _RETRY_AFTER)
        # Logged again when the bound is reached again, but not for each session that leaves a full server.
        if count <= limit * 0.9:
            self._logged.discard(setting)

    def _describe_lingering(self) -> str:
        count = len(self._lingering)
        return f" ({count} of them are over, but for handlers that run, or clients that do not read)" if count else ""

    def open(self, session: Hashable) -> None:
        """A session opened."""
        self._unestablished.add(session)

    def establish(self, session: Hashable) -> None:
        """The application has established a session. Idempotent, and nothing for one that is over."""
        self._unestablished.discard(session)

    def linger(self, session: Hashable) -> None:
        """A session is over, and keeps its place until `release`."""
        self._lingering.add(session)

    def release(self, session: Hashable) -> None:
        """Nothing is left of a session. Idempotent."""
        self._lingering.discard(session)
        self._unestablished.discard(session)
