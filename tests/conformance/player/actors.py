"""Who acts in a transcript: connections, by their names."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from tests.pace import PACE

from ..http import Connection, Response
from ..servers import Server
from ..wire import Polling, Session, WebSocket
from .cases import Deviation

K = TypeVar("K", bound="Session | Connection")


@dataclass
class Actor:
    """One name of a transcript: a session, a request that waits for its answer, or both."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    session: Polling | WebSocket | None = None
    request: Connection | None = None
    response: Response | None = None
    #: The answer to a WebSocket that was refused.
    response_of_websocket: Response | None = None

    @property
    def member(self) -> Session:
        assert self.session is not None, f"{self.name} has no session"
        return self.session

    @property
    def connection(self) -> Connection:
        assert self.request is not None, f"{self.name} has sent no request"
        return self.request


class Player:
    """The actors of one transcript on one server, and what they share. Closes their connections at its end."""

    def __init__(self, server: Server, transport: str, deviations: Sequence[Deviation] = ()) -> None:
        self.server = server
        #: Why what was seen differs from the reference, so far.
        self.reasons: list[str] = []
        self.transport = transport
        #: What was captured. The sid and the socket id of the actor `b` are `b.sid` and `b.id`; those of the actor
        #: without a name, `sid` and `id`. Those of the server are there from the beginning.
        self.variables: dict[str, str] = {
            "port": str(server.port),
            "ping_interval": str(server.settings.get("SIO_ENGINEIO_PING_INTERVAL_MS", 25_000)),
            "ping_timeout": str(server.settings.get("SIO_ENGINEIO_PING_TIMEOUT_MS", 20_000)),
        }
        #: When the last two steps began, on this process's monotonic clock, and when `watch` did.
        self.began = self.began_before = time.monotonic()
        self.watched: float | None = None
        #: How much longer the server's timers are than in the transcripts: short ones grow, and others do not.
        self.stretch = PACE if "SIO_ENGINEIO_PING_INTERVAL_MS" in server.settings else 1.0
        self.fences = 0
        self.first_line = len(server.lines)
        self._deviations = deviations
        self._actors: dict[str, Actor] = {}
        self._kept: list[Any] = []
        self._own_servers: list[Server] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await asyncio.gather(*(kept.close() for kept in self._kept))
        finally:
            await asyncio.gather(*(server.stop() for server in self._own_servers))

    async def own_server(self) -> None:
        """Goes to a server that nobody else uses, and that may be broken."""
        self.server = Server(self.server.kind, self.server.settings)
        self._own_servers.append(self.server)
        self.variables["port"] = str(self.server.port)
        await self.server.serve()

    def begin_step(self) -> None:
        self.began_before, self.began = self.began, time.monotonic()

    def deviates(self, deviation: Deviation) -> None:
        if deviation.reason not in self.reasons:
            self.reasons.append(deviation.reason)

    def in_the_words_of_the_reference(self, seen: str) -> str:
        for deviation in self._deviations:
            if seen in deviation.seen:
                self.deviates(deviation)
                return deviation.seen[seen]
        return seen

    def actor(self, name: str) -> Actor:
        return self._actors.setdefault(name, Actor(name))

    def name(self, actor: Actor, what: str, value: str) -> None:
        self.variables[f"{actor.name}.{what}" if actor.name else what] = value

    def keep(self, connection: K) -> K:
        """Closes it at the end."""
        self._kept.append(connection)
        return connection

    def target(self, target: str) -> str:
        return target if target.startswith("/") else self.server.path + target
