"""`EngineIOServer`: the sessions of one application, with what they share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from ..aio.log_limits import Repeats
from ..exceptions import Unavailable
from .admission import Admission
from .application import EchoApplication, EngineIOApplication
from .asgi import Scope
from .connection import EngineIOConnection
from .lag import LagWatch
from .log import logger
from .policy import Policy
from .protocol.options import EngineIOOptions
from .protocol.state import Transport
from .registry import InMemorySessionRegistry, SessionRegistry
from .shutdown import Shutdown
from .socket import EngineIOSocket
from .turns import LongPackets
from .upgrades import UpgradeWatch

#: When the next server may be there, in seconds.
_RETRY_AFTER_SHUTDOWN = 1


class EngineIOServer:
    """The sessions of one application, their registry, their places, and their shutdown.

    `options` gives the options in force, and is asked for each request; `app` gets the messages (by default, they are
    sent back); `policy` decides who may connect; `registry` keeps the sessions. Two servers share nothing.
    """

    def __init__(
        self,
        options: Callable[[], EngineIOOptions] = EngineIOOptions,
        app: EngineIOApplication | None = None,
        policy: Policy | None = None,
        registry: SessionRegistry[EngineIOConnection] | None = None,
    ) -> None:
        self.options = options
        #: The application of all sessions that open from now on.
        self.app = EchoApplication() if app is None else app
        self.policy = Policy() if policy is None else policy
        self.registry: SessionRegistry[EngineIOConnection] = (
            InMemorySessionRegistry() if registry is None else registry  # not `or`: one without sessions is false
        )
        self.admission = Admission(self.registry)
        self.shutdown = Shutdown(self)
        #: Tasks that outlive their session, hooks most of all: a shutdown waits for them.
        self.unfinished: set[asyncio.Task[Any]] = set()
        #: Sessions that were ended because their client took too little of what it was sent.
        self.slow_consumers = 0
        self.long_packets = LongPackets()
        self.lag = LagWatch()
        self.upgrades = UpgradeWatch()
        self.repeats = Repeats(logger)
        self.policy.bind(self)

    @property
    def sockets(self) -> Iterator[EngineIOSocket]:
        """The live sessions."""
        return iter([connection.socket for connection in self.registry])

    def check_admission(self, options: EngineIOOptions) -> None:
        """Raises Unavailable if no session may open now."""
        if self.shutdown.is_under_way:
            raise Unavailable("the server is shutting down", _RETRY_AFTER_SHUTDOWN)
        self.admission.check(options)

    def open(self, transport: Transport, options: EngineIOOptions, scope: Scope) -> EngineIOConnection:
        """Opens the session that a handshake asks for. Raises Unavailable."""
        # Nothing waits between the check and the end: as many come in as there are places, and none after the last.
        self.check_admission(options)
        connection = EngineIOConnection(self, transport, options, scope)
        try:
            self.policy.session_opens(connection.socket)
            connection.open()
        except BaseException:
            connection.abandon()
            raise
        return connection
