"""The ledger: what either side wrote down of each session, and whether the two go together.

A stream is what goes one way in one session, under running numbers: the client's events, the server's own ones, and
what is said in a room while the session is in it. What arrived must be what was sent, from its first number on and
without a gap, a repetition or a swap. It may be shorter, because the session ended, but only at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .runs import Run, expand

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Violation:
    """What must not happen, and to whom."""

    session: str
    client: str
    problem: str

    def __str__(self) -> str:
        return f"{self.session} ({self.client}): {self.problem}"


class Ledger:
    """Takes the records of both sides as they come, one by one."""

    def __init__(self) -> None:
        self.connects: Counter[str] = Counter()
        self.servers: dict[str, list[Record]] = {}
        self.clients: dict[str, list[Record]] = {}

    def add(self, record: Record) -> None:
        session = record["id"]
        if record["side"] == "client":
            self.clients.setdefault(session, []).append(record)
        elif record["hook"] == "connect":
            self.connects[session] += 1
        else:
            self.servers.setdefault(session, []).append(record)

    def violations(self) -> list[Violation]:
        """Everything that is wrong, once all have left."""
        sessions = {**self.connects, **self.servers, **self.clients}
        return [
            Violation(session, self._who(session), problem)
            for session in sessions
            for problem in self._problems(session)
        ]

    def _who(self, session: str) -> str:
        for record in self.clients.get(session, ()):
            return f"{record['kind']}, {record['plan']}, ended on {record['transport']}: {record['reason']}"
        return "never told its client"

    def _problems(self, session: str) -> Iterable[str]:
        servers, clients = self.servers.get(session, []), self.clients.get(session, [])
        yield from self._wrong_hooks(session)
        if len(clients) > 1:
            yield f"{len(clients)} clients had it"
        for record in [*servers, *clients]:
            yield from record["faults"]
        if servers and clients:
            yield from compare(servers[0], clients[0])

    def _wrong_hooks(self, session: str) -> Iterable[str]:
        connects, disconnects = self.connects[session], len(self.servers.get(session, ()))
        if connects != 1:
            yield f"{connects} connect hooks"
        # Who left before the answer was never accepted, and has no disconnect hook.
        if disconnects > 1 or (not disconnects and session in self.clients):
            yield f"{disconnects} disconnect hooks"


def compare(server: Record, client: Record) -> Iterable[str]:
    """What does not go together in the two records of a session."""
    streams = [
        ("events to the server", [(0, client["sent"] - 1)], server["took"]),
        ("events to the client", [(0, server["sent"] - 1)], client["got"]),
    ]
    for room in sorted({*server["rooms"], *client["rooms"]}):
        streams.append((f"room {room}", server["rooms"].get(room, []), client["rooms"].get(room, [])))
    for name, sent, received in streams:
        if problem := difference(sent, received):
            yield f"{name}: {problem}"
    handled = sum(1 for _ in expand(server["took"]))
    if client["acked"] >= handled:
        yield f"events to the server: {client['acked']} was acknowledged, but only {handled} were handled"


def difference(sent: Iterable[Run], received: Iterable[Run]) -> str | None:
    """Says how what arrived is no beginning of what was sent. None if it is."""
    expected, got = list(expand(sent)), list(expand(received))
    if got == expected[: len(got)]:
        return None
    at = next((at for at, pair in enumerate(zip(expected, got, strict=False)) if pair[0] != pair[1]), len(expected))
    return _explain(expected, got, at)


def _explain(expected: list[int], got: list[int], at: int) -> str:
    number, before = got[at], got[at - 1] if at else None
    after = "at the beginning" if before is None else f"after {before}"
    if number in got[:at]:
        return f"{number} came twice, again {after}"
    if number not in expected:
        return f"{number} came {after}, and was not sent"
    if expected[at] in got:
        return f"{number} came {after}, and {expected[at]} later"
    return f"{expected[at]} is missing: {number} came {after}"
