"""Measures: `make bench`, or `python -m tests.benchmarks --help`."""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .catalog import ASGI_SERVERS, SERVERS
from .measure import Measurement, measure
from .pages import multiples, table, write
from .processes import ROOT
from .results import results
from .workloads import WORKLOADS


def names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Returns the parser of an argument with some of these names; empty for all."""

    def parse(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
        return [name for name in known if name in chosen or not chosen]

    return parse


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures servers side by side.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=ASGI_SERVERS, default="uvicorn", help="the ASGI server of those in Python")
    parser.add_argument("--only", type=names(list(WORKLOADS)), default="", help=f"of {','.join(WORKLOADS)}")
    parser.add_argument("--against", type=names(list(SERVERS)), default="", help=f"of {','.join(SERVERS)}")
    parser.add_argument("--longer", type=int, default=1, help="so many times the operations: for a profiler")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "benchmarks", help="a directory")
    return parser.parse_args()


def plan(workloads: Sequence[str], servers: Sequence[str], turn: int) -> Iterator[tuple[str, str]]:
    """Yields the measurements of a round: servers side by side, and in each round another one first."""
    turn %= len(servers)
    for workload in workloads:
        for server in [*servers[turn:], *servers[:turn]]:
            if server not in WORKLOADS[workload].absent:
                yield workload, server


def line(number: int, entry: Measurement) -> str:
    unit = WORKLOADS[entry.workload].cost.value
    latency = "" if entry.p50_us is None else f"   p50 {entry.p50_us} µs, p99 {entry.p99_us} µs"
    cost = f"{entry.cost:10.2f} {unit:12}"
    return f"{number}  {entry.workload:10} {entry.server:16} {cost} {entry.throughput:8.0f} op/s{latency}"


def run_round(turn: int, options: argparse.Namespace) -> Iterator[Measurement | None]:
    """Measures, and tells it. Yields None for what failed: the others go on."""
    number = turn + 1
    for workload, server in plan(options.only, options.against, turn):
        try:
            measurement = measure(WORKLOADS[workload].longer(options.longer), server, options.server)
        except RuntimeError as error:
            print(f"{number}  {workload:10} {server:16} failed: {error}", flush=True)
            yield None
        else:
            print(line(number, measurement), flush=True)
            yield measurement


def main() -> int:
    options = arguments()
    # A connection is a file, and 5,000 of them are more than what is allowed at first.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rounds = [list(run_round(turn, options)) for turn in range(options.rounds)]
    found = results([list(filter(None, measurements)) for measurements in rounds], options.server)
    write(found, options.output)
    print(f"\n{table(found)}\n\n{multiples(found)}\n\nWritten to {options.output}")
    return int(any(None in measurements for measurements in rounds))


if __name__ == "__main__":
    sys.exit(main())
