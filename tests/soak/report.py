"""What a run comes to: its faults, its table, and its JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from .ledger import Record
from .soak import Outcome, leftovers

#: How much more memory the server may have at the end than after the warm-up.
GROWTH = 0.05
#: The warm-up of a short run is too short for the allocator of C to have found its size: up to so many seconds, the
#: memory may grow by so many kB in any case. What Python itself has is bound in any run.
SHORT, SLACK_KB = 300.0, 8 * 1024
#: Objects of a class of `sio` that there may be more of than after the warm-up: some are created once for a process.
MORE_OBJECTS = 20
#: What there is while clients are there, so that it means something if there is none at the end.
SEEN = ("sessions", "tasks", "timers", "clients", "rooms")
#: What a server may do until it answers somebody with a good network, in seconds of processor time: twice what it may
#: do for one client that floods it, since it has 40 others. Daphne needs longer to parse tiny frames, by itself.
LONGEST_WAIT = {"uvicorn": 0.5, "daphne": 2.0}
#: Failures that are shown.
SHOWN = 40


def failures(outcome: Outcome) -> list[str]:
    """Everything that must not be, in words."""
    found = [str(violation) for violation in outcome.ledger.violations()]
    found += [f"left at the end: {count} {name}" for name, count in leftovers(outcome.end).items()]
    found += [f"{count} more {name} than after the warm-up" for name, count in more_objects(outcome).items()]
    found += grown(outcome)
    unseen = [name for name in SEEN if not outcome.busy["left"][name]]
    found += [f"no {name} were seen when there must have been some" for name in unseen]
    found += outcome.witness.faults
    if outcome.witness.longest > LONGEST_WAIT[outcome.server]:
        found.append(f"a client with a good network waited while the server worked for {outcome.witness.longest:.2f} s")
    return found + [f"logged: {line}" for line in outcome.troubles]


def grown(outcome: Outcome) -> list[str]:
    """How the server has grown since the warm-up, if it has grown too much."""
    slack = SLACK_KB if outcome.seconds < SHORT else 0
    bounds = {"rss": ("kB of memory", slack), "blocks": ("blocks of Python's memory", 0)}
    found = []
    for name, (unit, more) in bounds.items():
        before, after = outcome.warm["memory"][name], outcome.end["memory"][name]
        if after > before * (1 + GROWTH) + more:
            found.append(f"the server grew from {before} to {after} {unit}")
    return found


def more_objects(outcome: Outcome) -> dict[str, int]:
    before, after = Counter(outcome.warm["objects"]), Counter(outcome.end["objects"])
    return {name: count for name, count in (after - before).items() if count > MORE_OBJECTS}


def summary(outcome: Outcome) -> dict[str, Any]:
    """The figures of a run."""
    ledger = outcome.ledger
    clients, servers = _flat(ledger.clients.values()), _flat(ledger.servers.values())
    before, after = outcome.warm["memory"], outcome.end["memory"]
    return {
        "server": outcome.server,
        "seed": outcome.seed,
        "seconds": outcome.seconds,
        "clients": outcome.clients,
        "sessions": len(clients),
        "sessions that never told their client": len(ledger.servers.keys() - ledger.clients.keys()),
        "connects given up before they were accepted": len(ledger.connects.keys() - ledger.servers.keys()),
        "sessions by client": _count(clients, "kind", "plan"),
        "sessions that ended on": _count(clients, "transport"),
        "events sent to the server": sum(record["sent"] for record in clients),
        "events handled": sum(_length(record["took"]) for record in servers),
        "acknowledgements to clients": sum(record["acks"] for record in clients),
        "messages sent to one client": sum(record["sent"] for record in servers),
        "messages that came": sum(_length(record["got"]) for record in clients),
        "broadcasts that came": sum(_length(runs) for record in clients for runs in record["rooms"].values()),
        "answers of clients to the server": _add(record["outcomes"] for record in servers),
        "answers to a client with a good network": outcome.witness.answers,
        "the longest that it waited, processor seconds": round(outcome.witness.longest, 3),
        "network": dict(sorted(outcome.deeds.items())),
        "reasons of the server": _count(servers, "reason"),
        "reasons of the clients": _count(clients, "reason"),
        "memory before anybody came, kB": outcome.idle["memory"]["rss"],
        "memory after the warm-up, kB": before["rss"],
        "memory at the end, kB": after["rss"],
        "memory, change in %": round((after["rss"] / before["rss"] - 1) * 100, 2),
        "blocks of Python, change in %": round((after["blocks"] / before["blocks"] - 1) * 100, 2),
        "seconds until all had left": outcome.leaving,
        "counted while clients were there": outcome.busy["left"],
        "left at the end": leftovers(outcome.end),
    }


def _flat(records: Iterable[list[Record]]) -> list[Record]:
    return [record for several in records for record in several]


def _length(runs: Iterable[Any]) -> int:
    return sum(last - first + 1 for first, last in runs)


def _count(records: Iterable[Record], *names: str) -> dict[str, int]:
    return dict(sorted(Counter(", ".join(str(record[name]) for name in names) for record in records).items()))


def _add(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def as_table(figures: dict[str, Any]) -> str:
    """A line for each figure."""
    return "\n".join(f"{name:46} {_show(value)}" for name, value in figures.items())


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(f"{name} {count}" for name, count in value.items()) or "nothing"
    return f"{value:,}" if isinstance(value, int) else str(value)
