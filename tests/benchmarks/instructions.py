"""Counts instructions for an operation: `make bench-instructions`, or `python -m tests.benchmarks.instructions --help`.

One client does one operation at a time, and nothing happens because time passes: so it is the same work in every run,
and what is counted differs by some per mille. The results as JSON::

    {"versions": {…}, "asgi_server": "uvicorn",
     "workloads": {"event": {"operation": …, "operations": 200, "floor": 87776, "sio": 176003, "ratio": 2.005}, …}}
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import check_output
from typing import Any

from tests.conformance.pages import simple_table

from . import bounds
from .callgrind import Callgrind, command
from .catalog import serve_under
from .machine import versions
from .measure import LoadGenerator
from .processes import ROOT, SERVER_CORE
from .workloads import WORKLOADS, Workload

ASGI_SERVER = "uvicorn"
SERVERS = ("floor", "sio")
Results = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much of a workload is counted. Before it, Python gets its chance to specialize what it runs often."""

    operations: int
    warm_up: int
    connections: int = 1

    def of(self, workload: Workload) -> Workload:
        """The workload in this size, with one operation at a time."""
        options = {**workload.options, "inFlight": 1, "concurrent": 1, "warmUp": self.warm_up}
        return replace(workload, operations=self.operations, connections=self.connections, options=options)


#: Of a broadcast, as in `workloads`, an operation is a delivery: there are 20 broadcasts to 50 members.
SIZES = {
    "event": Size(200, 60),
    "broadcast": Size(20 * 50, 5 * 50, connections=50),
    "polling": Size(100, 30),
    "connect": Size(100, 20),
}
COUNTED = {name: size.of(WORKLOADS[name]) for name, size in SIZES.items()}


def count(server: str, directory: Path, names: Sequence[str] = tuple(COUNTED)) -> dict[str, int]:
    """Counts the instructions of a server, for an operation of each workload."""
    with serve_under(command(directory, server), server, SERVER_CORE) as (process, url), LoadGenerator() as load:
        callgrind = Callgrind(process, directory, server)
        callgrind.begin()
        counts = {}
        for name in names:
            workload = COUNTED[name]
            load.prepare(workload.job(url, None), process)
            callgrind.zero()
            load.run(process)
            counts[name] = round(callgrind.take(name) / workload.operations)
    return counts


def results(directory: Path) -> Results:
    """Counts all of both servers. Files for `callgrind_annotate` are written to a directory."""
    with tempfile.TemporaryDirectory() as temporary:
        counts = {server: count(server, Path(temporary)) for server in SERVERS}
        directory.mkdir(parents=True, exist_ok=True)
        for profile in Path(temporary).glob("*.callgrind"):
            (directory / profile.name).write_bytes(profile.read_bytes())
    return {
        "versions": {**versions(ASGI_SERVER), "valgrind": valgrind_version()},
        "asgi_server": ASGI_SERVER,
        "workloads": {name: entry(workload, counts) for name, workload in COUNTED.items()},
    }


def entry(workload: Workload, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    floor, sio = (counts[server][workload.name] for server in SERVERS)
    sizes = {"operation": WORKLOADS[workload.name].title, "operations": workload.operations}
    return {**sizes, "floor": floor, "sio": sio, "ratio": round(sio / floor, 3)}


def valgrind_version() -> str:
    return check_output(["valgrind", "--version"], text=True).strip().removeprefix("valgrind-")


def ratios(found: Results) -> dict[str, float]:
    return {name: row["ratio"] for name, row in found["workloads"].items()}


def table(found: Results) -> str:
    allowed = bounds.read().for_versions(found["versions"])
    rows = [
        [row["operation"], f"{row['floor']:,}", f"{row['sio']:,}", f"{row['ratio']:.3f}", f"{allowed[name]:.3f}"]
        for name, row in found["workloads"].items()
    ]
    return simple_table(["instructions for an operation", *SERVERS, "ratio", "at most"], rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.instructions", description="Counts instructions for an operation."
    )
    parser.add_argument("--renew", action="store_true", help=f"write the ratios to {bounds.PATH.name}, as new bounds")
    output = ROOT / "build" / "benchmarks" / "instructions"
    parser.add_argument("--output", type=Path, default=output, help="a directory")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    found = results(options.output)
    if options.renew:
        bounds.renew(found["versions"], ratios(found))
    (options.output / "instructions.json").write_text(json.dumps(found, indent=1) + "\n")
    (options.output / "instructions.rst").write_text(f"{table(found)}\n")
    print(f"{table(found)}\n\nPython {found['versions']['Python']}. Written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
