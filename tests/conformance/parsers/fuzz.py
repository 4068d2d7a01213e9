"""Looks for inputs on which `sio` and the official parsers disagree.

    python -m tests.conformance.parsers.fuzz N SEED

N inputs in all, of every kind as many. A disagreement is shrunk, printed, and added to `vectors/found.json`. There it
is a case of the conformance tests, which fails until it is mended. The exit status is 1 if there was one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, islice
from pathlib import Path
from random import Random
from typing import Any

from . import tagged
from .kinds import KINDS, Kind, Result
from .oracle import Oracle
from .shrink import shrink
from .vectors import FOUND

#: Inputs that are judged at once.
BATCH = 2_000


def inputs(kind: Kind, number: int, seed: str) -> Iterator[Any]:
    """Yields random inputs. Each has a seed of its own, so that a larger number begins with the same ones."""
    for index in range(number):
        yield kind.generate(Random(f"{seed} {kind.name} {index}"))


def judged(kind: Kind, oracle: Oracle, number: int, seed: str) -> Iterator[Result]:
    """Yields what became of each of the inputs."""
    waiting = inputs(kind, number, seed)
    while batch := list(islice(waiting, BATCH)):
        yield from kind.judge(kind.layer, oracle, batch)


def shrunk(kind: Kind, oracle: Oracle, found: Result) -> Result:
    """Returns the shortest disagreement that is found from this one."""

    def disagree(candidates: Sequence[Any]) -> list[bool]:
        possible = [kind.is_input(candidate) for candidate in candidates]
        results = iter(kind.judge(kind.layer, oracle, list(compress(candidates, possible))))
        return [is_possible and next(results).comparison.disagrees for is_possible in possible]

    (result,) = kind.judge(kind.layer, oracle, [shrink(found.input, disagree)])
    return result


def fuzz(kinds: Iterable[Kind], oracle: Oracle, number: int, seed: str, file: Path) -> list[str]:
    """Judges inputs of each kind. Adds the first disagreement of each to the file, and returns what it says of them."""
    reports = []
    for kind in kinds:
        first = next((result for result in judged(kind, oracle, number, seed) if result.comparison.disagrees), None)
        if first is not None:
            reports.append(kept(kind, oracle, first, seed, file))
    return reports


def kept(kind: Kind, oracle: Oracle, found: Result, seed: str, file: Path) -> str:
    """Shrinks a disagreement, and adds it to the file. Returns what it says of it."""
    result = shrunk(kind, oracle, found)
    add(file, kind, result, seed)
    return report(kind, result, seed)


def report(kind: Kind, result: Result, seed: str) -> str:
    values = {"input": result.input, "sio": result.ours, kind.layer.package: result.theirs}
    lines = [f"  {name:<16} {tagged.dumps(value)}" for name, value in values.items()]
    return "\n".join([f"Disagreement, {kind.name}, seed {seed}:", *lines])


def add(file: Path, kind: Kind, result: Result, seed: str) -> None:
    """Adds a disagreement to the vectors, once."""
    entries = tagged.loads(file.read_text())
    entry = {"name": f"{kind.name}: {tagged.dumps(result.input)}", "clause": f"fuzz, seed {seed}"}
    if entry["name"] not in [each["name"] for each in entries]:
        entries.append({**entry, "kind": kind.name, "input": result.input})
        file.write_text(tagged.dumps(entries, indent=2) + "\n")


def main(number: int, seed: str) -> int:
    with Oracle() as oracle:
        reports = fuzz(KINDS.values(), oracle, -(-number // len(KINDS)), seed, FOUND)
    print("\n".join(reports) or f"{number} inputs, seed {seed}: no disagreement")
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
