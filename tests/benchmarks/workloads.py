"""The workloads: what the load generator does, and how its cost is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

#: The default of Engine.IO, and the one at which heartbeats are measured: nobody waits for the default.
DEFAULT_PING_INTERVAL_MS = 25_000
SHORT_PING_INTERVAL_MS = 5_000


class Cost(Enum):
    """What is told of a workload; the value is its unit."""

    CPU = "µs"
    #: Of idle connections, for each.
    MEMORY = "kB"
    #: Of all connections' heartbeats at the default interval, in percent of a core.
    HEARTBEAT = "% of a core"


@dataclass(frozen=True)
class Workload:
    name: str
    #: What it is called in tables, and what one operation is.
    title: str
    operation: str
    #: The function of the load generator, and its arguments.
    load: str
    operations: int
    connections: int
    options: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost = Cost.CPU
    ping_interval_ms: int = DEFAULT_PING_INTERVAL_MS
    #: Whether a second process of the same server tells the measured one what to broadcast.
    through_redis: bool = False
    #: Servers that cannot do it.
    absent: frozenset[str] = frozenset()

    def job(self, url: str, trigger: str | None) -> dict[str, Any]:
        """Returns what the load generator is told."""
        sizes = {"operations": self.operations, "connections": self.connections}
        return {"load": self.load, "url": url, "trigger": trigger, **sizes, **self.options}

    def longer(self, times: int) -> Workload:
        """The same with so many times the operations, but not the connections that stay."""
        return replace(self, operations=self.operations * times) if self.load != "idle" else self

    def miniature(self) -> Workload:
        """The same with a few connections and operations, for tests."""
        options = {name: min(value, 4) if name == "warmUp" else value for name, value in self.options.items()}
        small = replace(self, operations=40, connections=min(self.connections, 4), options=options)
        if self.cost is Cost.HEARTBEAT:
            return replace(small, operations=8, ping_interval_ms=200)
        return small


#: Members of a room.
ROOM = 200
SMALL = 64

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "event",
            "event with ack",
            "an event and its acknowledgement, with 64 bytes, on one of 50 WebSockets with 4 in flight each",
            load="event",
            operations=20_000,
            connections=50,
            options={"payload": SMALL, "inFlight": 4},
        ),
        Workload(
            "broadcast",
            "broadcast",
            "a delivery, with 64 bytes, to one of 200 WebSockets in a room, 4 broadcasts in flight",
            load="broadcast",
            operations=500 * ROOM,
            connections=ROOM,
            options={"payload": SMALL, "inFlight": 4},
        ),
        Workload(
            "polling",
            "polling round trip",
            "a POST with an event and then the GET of its acknowledgement, with 64 bytes, of one of 20 clients",
            load="polling",
            operations=4_000,
            connections=20,
            options={"payload": SMALL},
            absent=frozenset({"channels"}),
        ),
        Workload(
            "waiting",
            "polling round trip, with a poll waiting",
            "a POST with an event while a GET waits for its acknowledgement, as with the official client",
            load="polling",
            operations=4_000,
            connections=20,
            options={"payload": SMALL, "waiting": True},
            absent=frozenset({"channels"}),
        ),
        Workload(
            "connect",
            "connect",
            "a new WebSocket that joins a namespace, up to 50 at a time",
            load="connect",
            operations=1_500,
            connections=0,
        ),
        Workload(
            "memory",
            "memory per idle connection",
            "one of 5,000 WebSockets in a namespace: growth of the resident set, after 200 came and went",
            load="idle",
            operations=5_000,
            connections=0,
            options={"warmUp": 200},
            cost=Cost.MEMORY,
        ),
        Workload(
            "heartbeat",
            "heartbeats of 5,000 idle connections",
            "a ping and its answer, on one of 5,000 WebSockets in a namespace",
            load="heartbeat",
            operations=10_000,
            connections=5_000,
            cost=Cost.HEARTBEAT,
            ping_interval_ms=SHORT_PING_INTERVAL_MS,
        ),
        Workload(
            "binary",
            "binary event with ack, 64 kB",
            "an event and its acknowledgement, with an attachment of 64 kB each, on one of 10 WebSockets",
            load="binary",
            operations=2_000,
            connections=10,
            options={"payload": 64 * 1024, "inFlight": 1},
        ),
        Workload(
            "redis",
            "broadcast through Redis",
            "a delivery as in a broadcast that another process asked for, with 1 broadcast in flight;"
            " what is counted is the process with the room",
            load="broadcast",
            operations=300 * ROOM,
            connections=ROOM,
            options={"payload": SMALL, "inFlight": 1},
            through_redis=True,
            absent=frozenset({"node"}),
        ),
    )
}
