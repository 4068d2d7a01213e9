"""The results as tables: on the terminal, as a page in reStructuredText, and their section in the README.

    python -m tests.benchmarks.pages build/benchmarks README.rst

writes the section of a run into a file, between the comments that mark its place, and to `results/` the summary that it
is made of, with the chart.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conformance.pages import heading, simple_table

from .chart import chart
from .results import Results, summary

RESULTS = Path(__file__).parent / "results"
PLACE = re.compile(r"(?<=\.\. benchmark: begin\n).*(?=\.\. benchmark: end\n)", re.DOTALL)
CHART = "tests/benchmarks/results/chart.svg"
NAMES = ("workload", "server", "cost", "unit", "of floor", "CPU µs/op", "op/s", "p50 µs", "p99 µs")
ABSENT = "·"


def table(results: Results) -> str:
    """A row for each workload and server, with all figures."""
    return simple_table(NAMES, list(rows(results)))


def rows(results: Results) -> Iterator[list[str]]:
    for workload, servers in results["medians"].items():
        unit = results["workloads"][workload]["unit"]
        for server, entry in servers.items():
            yield [workload, server, f"{entry['cost']:.2f}", unit, multiple(entry), *more(entry)]


def multiple(entry: Mapping[str, Any] | None) -> str:
    return ABSENT if entry is None or entry["multiple"] is None else f"{entry['multiple']:.2f}"


def more(entry: Mapping[str, Any]) -> list[str]:
    latencies = [ABSENT if entry[name] is None else f"{entry[name]:.0f}" for name in ("p50_us", "p99_us")]
    return [f"{entry['cpu_us']:.1f}", f"{entry['throughput']:.0f}", *latencies]


def multiples(results: Results) -> str:
    """A row for each workload and a column for each server, in multiples of the floor."""
    servers = list(dict.fromkeys(server for row in results["medians"].values() for server in row))
    body = [
        [results["workloads"][workload]["title"], *(multiple(row.get(server)) for server in servers)]
        for workload, row in results["medians"].items()
    ]
    return simple_table(["multiples of the floor", *servers], body)


def conditions(results: Results) -> str:
    """The machine and the versions, as a sentence."""
    machine = ", ".join(f"{name} {text}" for name, text in results["machine"].items())
    versions = ", ".join(f"{name} {text}" for name, text in results["versions"].items())
    rounds = results["rounds"]
    times = "one round" if rounds == 1 else f"the medians of {rounds} rounds"
    return wrapped(f"These are {times} on {results['asgi_server']}. Machine: {machine}. Versions: {versions}.")


def wrapped(text: str, indent: int = 0) -> str:
    return textwrap.fill(text, 120, subsequent_indent=" " * indent, break_on_hyphens=False)


def operations(results: Results) -> str:
    return "\n".join(f"{entry['title']}\n    {entry['operation']}." for entry in results["workloads"].values())


def page(results: Results) -> str:
    parts = [heading("Benchmark", "="), multiples(results), conditions(results)]
    parts += [heading("All figures", "-"), table(results), heading("Operations", "-"), operations(results)]
    return "\n\n".join(parts) + "\n"


def section(results: Results) -> str:
    """What the README has: ratios, and no times."""
    alt = wrapped(f"   :alt: {' '.join(alternative(results))}", indent=6)
    image = f".. image:: {CHART}\n{alt}"
    return "\n\n".join([image, multiples(results), conditions(results)])


def alternative(results: Results) -> Iterator[str]:
    """What the chart shows, in words."""
    yield "Cost in multiples of the floor."
    for workload, row in results["medians"].items():
        figures = ", ".join(f"{server} {multiple(entry)}" for server, entry in row.items())
        yield f"{results['workloads'][workload]['title']}: {figures}."


def write(results: Results, directory: Path) -> None:
    write_data(results, directory)
    (directory / "results.rst").write_text(page(results))


def write_data(results: Results, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (directory / "chart.svg").write_text(chart(results))


def write_section(directory: Path, path: Path, committed: Path = RESULTS) -> None:
    """Writes the section into a page that has a place for it. Raises ValueError if it has none."""
    results = summary(json.loads((directory / "results.json").read_text()))
    text, count = PLACE.subn(lambda _: f"\n{section(results)}\n\n", path.read_text())
    if count != 1:
        raise ValueError(f"{path} needs one place for the section: .. benchmark: begin, .. benchmark: end")
    write_data(results, committed)
    path.write_text(text)


if __name__ == "__main__":
    write_section(Path(sys.argv[1]), Path(sys.argv[2]))
