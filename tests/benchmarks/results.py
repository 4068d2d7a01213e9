"""The results of a run: all measurements, and their medians as multiples of the floor.

As JSON::

    {"machine": {…}, "versions": {…}, "asgi_server": "uvicorn", "rounds": 3,
     "workloads": {"event": {"title": …, "operation": …, "unit": …}, …},
     "measurements": [{"round": 1, "workload": "event", "server": "floor", …}, …],
     "medians": {"event": {"floor": {"cost": …, "multiple": 1.0, …}, …}, …}}

`results/results.json` has the summary of the run that the README shows: no single measurements, of medians the cost and
its multiple only, and no more digits than anybody reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from .catalog import SERVERS
from .machine import machine, versions
from .measure import Measurement
from .workloads import WORKLOADS

Results = dict[str, Any]

FLOOR = "floor"
#: What medians are of.
FIGURES = ("cost", "cpu_us", "memory_kb", "throughput", "p50_us", "p99_us")
#: What a summary has of them, with so many significant digits, and of the description of a workload.
SUMMARY_FIGURES, SUMMARY_DIGITS = ("cost", "multiple"), 5
SUMMARY_DESCRIPTION = ("title", "unit")


def results(rounds: Sequence[Sequence[Measurement]], asgi_server: str) -> Results:
    measurements = [
        {"round": number, **asdict(one), "throughput": one.throughput}
        for number, members in enumerate(rounds, start=1)
        for one in members
    ]
    names = [name for name in WORKLOADS if any(entry["workload"] == name for entry in measurements)]
    return {
        "machine": machine(),
        "versions": versions(asgi_server),
        "asgi_server": asgi_server,
        "rounds": len(rounds),
        "workloads": {name: description(name) for name in names},
        "measurements": measurements,
        "medians": {name: medians([one for one in measurements if one["workload"] == name]) for name in names},
    }


def description(name: str) -> dict[str, str]:
    workload = WORKLOADS[name]
    return {"title": workload.title, "operation": workload.operation, "unit": workload.cost.value}


def medians(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the medians of a workload, for each server in the order of tables."""
    servers = [server for server in SERVERS if any(entry["server"] == server for entry in entries)]
    rows = {server: middle(entry for entry in entries if entry["server"] == server) for server in servers}
    floor = rows.get(FLOOR, {}).get("cost")
    for row in rows.values():
        # In a run without the floor, or too small for it to cost anything, there is nothing to compare with.
        row["multiple"] = row["cost"] / floor if floor and floor > 0 else None
    return rows


def middle(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    entries = list(entries)
    return {
        figure: None if entries[0][figure] is None else median(entry[figure] for entry in entries) for figure in FIGURES
    }


def summary(results: Results) -> Results:
    """Returns what the README and its chart show of a run."""
    conditions = {name: results[name] for name in ("machine", "versions", "asgi_server", "rounds")}
    workloads = {name: {key: entry[key] for key in SUMMARY_DESCRIPTION} for name, entry in results["workloads"].items()}
    medians = {
        workload: {server: {name: rounded(entry[name]) for name in SUMMARY_FIGURES} for server, entry in row.items()}
        for workload, row in results["medians"].items()
    }
    return {**conditions, "workloads": workloads, "medians": medians}


def rounded(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.{SUMMARY_DIGITS}g}")
