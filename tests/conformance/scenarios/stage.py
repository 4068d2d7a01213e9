"""What a scenario is given, and the table that scenarios are registered in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.servers import CALM, Server

from .agents import Agent
from .client import Client
from .limits import reason_against

TRANSPORTS = ("polling", "websocket", "upgrade")


@dataclass
class Stage:
    """A server, and the kind and transport of the clients in a scenario."""

    server: Server
    agent: Agent
    #: A key of `agents.PROCESSES`, or "chromium".
    kind: str
    transport: str
    #: Restarts the server, once all that use it have asked for it.
    restart: Callable[[], Awaitable[None]] | None = None
    #: Why something else was asserted than with other clients.
    reasons: list[str] = field(default_factory=list)
    _clients: list[Client] = field(default_factory=list)

    @property
    def last_transport(self) -> str:
        return "polling" if self.transport == "polling" else "websocket"

    @property
    def is_javascript(self) -> bool:
        return not self.kind.startswith("python")

    def lacks(self, feature: str) -> bool:
        """Whether the client cannot do something, which is noted."""
        reason = reason_against(feature, self.kind, self.transport)
        if reason and reason not in self.reasons:
            self.reasons.append(reason)
        return reason is not None

    def goodbyes(self) -> set[str]:
        """The reasons that the server may give when a client leaves a namespace."""
        reasons = {"client namespace disconnect"}
        if self.lacks("goodbye"):
            reasons.add("transport close")
        if self.lacks("goodbye after a post"):
            reasons.add("ping timeout")
        return reasons

    def new(self, transport: str = "", **options: Any) -> Client:
        """A client that is not connected."""
        client = Client(self.agent, self.server.url, transport or self.transport, **options)
        self._clients.append(client)
        return client

    async def client(self, *namespaces: str, auth: Any = None, **options: Any) -> Client:
        """One that is connected, and on the transport that it stays on."""
        client = self.new(**options)
        await client.connect(*namespaces, auth=auth)
        await client.ends_on(self.last_transport)
        return client

    async def check_reason(self, client: Client, reasons: tuple[str, str], namespace: str = "/") -> None:
        """Waits until a client has lost a namespace, and checks why it thinks it has: in JavaScript, or in Python."""
        expected = None if self.lacks("reasons") else reasons[0 if self.is_javascript else 1]
        assert await client.disconnected(namespace) == expected

    def check_events(self, seen: Sequence[Any], expected: Sequence[Any]) -> None:
        """Checks that all events came, and in their order."""
        if self.lacks("order"):
            seen, expected = sorted(seen, key=repr), sorted(expected, key=repr)
        assert seen == expected

    async def leave(self) -> None:
        """Ends all clients."""
        await asyncio.gather(*(client.drop() for client in self._clients))


@dataclass(frozen=True)
class Scenario:
    """A row of the table."""

    perform: Callable[[Stage], Awaitable[None]]
    title: str
    clause: str
    settings: Mapping[str, Any]
    #: Whether it waits for time to pass, and is performed with all clients at a time.
    waits: bool
    #: Whether it takes a server of its own, which is restarted.
    restarts: bool
    #: Whether the official server of the tests can have it.
    on_reference: bool

    @property
    def name(self) -> str:
        return self.perform.__name__


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    clause: str,
    *,
    settings: Mapping[str, Any] = CALM,
    waits: bool = False,
    restarts: bool = False,
    on_reference: bool = True,
) -> Callable[[Callable[[Stage], Awaitable[None]]], Callable[[Stage], Awaitable[None]]]:
    """Puts a scenario in the table. Its title is its docstring."""

    def register(perform: Callable[[Stage], Awaitable[None]]) -> Callable[[Stage], Awaitable[None]]:
        row = Scenario(perform, perform.__doc__ or "", clause, settings, waits, restarts, on_reference)
        SCENARIOS[row.name] = row
        return perform

    return register
