"""The report of the harness as tables: on the terminal, as a page in reStructuredText, and its summary in the README.

An entry is what `report.py` gathers: the fields of a `Case`, with `outcome` and `reasons`.

    python -m tests.conformance.pages build/conformance/report.json README.rst

writes the summary of a report into a file, between the comments that mark its place.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

Entry = Mapping[str, Any]

MARKS = {"pass": "✓", "fail": "✗"}
PLACE = re.compile(r"(?<=\.\. conformance: begin\n).*(?=\.\. conformance: end\n)", re.DOTALL)
#: What the first columns are of.
ROW_NAMES = {
    ("clause_row", False): ("clause",),
    ("case_row", False): ("case", "clause"),
    ("clause_row", True): ("scenario", "client"),
    ("case_row", True): ("scenario", "client"),
}
TITLE = "Conformance report"
#: The order of tables, and of their columns. Without a server: what is tested in the process of the tests.
AREAS = ("Vectors", "Parsers", "Transcripts", "Scenarios", "Hostile input")
SERVERS = ("uvicorn", "uvicorn-wsproto", "daphne", "hypercorn", "granian", "node", "")
COUNTS = "Cases as the reference has them or the clause requires, + those with a named deviation."
LEGEND = "✓ as the reference does or the clause requires, ✗ not. A letter: a deviation, asserted in its stead."


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Sorted by area and server, whatever the order of the tests was."""
    return sorted(entries, key=lambda entry: (AREAS.index(entry["area"]), SERVERS.index(entry["server"])))


def column(entry: Entry) -> str:
    return " ".join(filter(None, (entry["server"], entry["transport"]))) or "sio"


def by_clause(entries: Iterable[Entry]) -> list[Entry]:
    """The same, with a case of several clauses under each."""
    return [{**entry, "clause": clause} for entry in entries for clause in entry["clause"].split(", ")]


def clause_row(entry: Entry) -> tuple[str, ...]:
    """Rows of the terminal: all cases of a clause in one, but each scenario and its client."""
    return (entry["title"], entry["client"]) if entry["client"] else (entry["clause"],)


def case_row(entry: Entry) -> tuple[str, ...]:
    return (entry["title"], entry["client"]) if entry["client"] else (entry["title"], entry["clause"])


def table(entries: Sequence[Entry], row: Callable[[Entry], tuple[str, ...]] = clause_row) -> str:
    """All areas, a row for each clause and a column for each server and transport."""
    entries = in_order(entries)
    letters = reason_letters(entries)
    parts = []
    shown = by_clause(entries) if row is clause_row else entries
    for area, members in grouped(shown, lambda entry: entry["area"]).items():
        parts += [heading(area, "-"), area_table(members, row, letters)]
    return "\n\n".join([*parts, heading("Deviations", "-"), LEGEND, deviations(letters)])


def area_table(entries: Sequence[Entry], row: Callable[[Entry], tuple[str, ...]], letters: Mapping[str, str]) -> str:
    columns = list(dict.fromkeys(map(column, entries)))
    rows = dict(sorted(grouped(entries, row).items(), key=lambda item: natural(item[0])))
    names = ROW_NAMES[row.__name__, bool(entries[0]["client"])]
    body = []
    for labels, members in rows.items():
        cells = grouped(members, column)
        body.append([*labels, *(cell(cells.get(name, []), letters) for name in columns)])
    return simple_table([*names, *columns], body)


def natural(labels: Sequence[str]) -> list[Any]:
    """The order of rows: "semantics 9" is before "semantics 10"."""
    return [[(part.isdecimal(), part.zfill(9)) for part in re.split(r"(\d+)", label)] for label in labels]


def cell(entries: Sequence[Entry], letters: Mapping[str, str]) -> str:
    """One mark for what may be several cases: the worst of them."""
    if not entries:
        return "·"
    if any(entry["outcome"] == "fail" for entry in entries):
        return MARKS["fail"]
    reasons = {reason for entry in entries for reason in entry["reasons"]}
    return (
        " ".join(sorted((letters[reason] for reason in reasons), key=lambda name: (len(name), name))) or MARKS["pass"]
    )


def reason_letters(entries: Iterable[Entry]) -> dict[str, str]:
    """A letter for each deviation: a, b, … z, aa, ab, …"""
    reasons = dict.fromkeys(reason for entry in entries for reason in entry["reasons"])
    first = ["", *ascii_lowercase]
    names = [one + two for one in first for two in ascii_lowercase]
    return dict(zip(reasons, names, strict=False))


def deviations(letters: Mapping[str, str]) -> str:
    return "\n".join(f"{letter}\n    {escaped(reason)}" for reason, letter in letters.items()) or "None."


def summary(entries: Sequence[Entry]) -> str:
    """For each area, or client, and server: how its cases ended."""
    entries = in_order(entries)
    servers = sorted(dict.fromkeys(entry["server"] for entry in entries), key=SERVERS.index)
    rows = []
    for (area, client), members in grouped(entries, lambda entry: (entry["area"], entry["client"])).items():
        cases = grouped(members, lambda entry: entry["server"])
        rows.append([f"{area}: {client}" if client else area, *(tally(cases.get(server, [])) for server in servers)])
    table = simple_table(["cases", *(server or "no server" for server in servers)], rows)
    return f"{table}\n\n{COUNTS}"


def tally(entries: Sequence[Entry]) -> str:
    """How many cases are as the reference, with how many named deviations beside them, and how many failed."""
    outcomes = Counter(entry["outcome"] for entry in entries)
    parts = [str(outcomes["pass"])] if entries else ["·"]
    parts += [f"+ {outcomes['deviation']}"] if outcomes["deviation"] else []
    parts += [f"({outcomes['fail']} failed)"] if outcomes["fail"] else []
    return " ".join(parts)


def simple_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A simple table of reStructuredText. Texts never wrap: lines are as long as they must be."""
    cleaned = [[escaped(text) for text in row] for row in rows]
    widths = [max(len(text) for text in texts) for texts in zip(names, *cleaned, strict=True)]
    ruler = "  ".join("=" * width for width in widths)
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in [names, *cleaned]]
    return "\n".join([ruler, lines[0].rstrip(), ruler, *(line.rstrip() for line in lines[1:]), ruler])


def escaped(text: str) -> str:
    """Text as it stands, on one line: control characters are shown, and markup is none."""
    shown = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return re.sub(r"[\\*`|]|_(?!\w)", r"\\\g<0>", shown) or "\\ "


def heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def page(entries: Sequence[Entry]) -> str:
    """The page: every case."""
    return f"{heading(TITLE, '=')}\n\n{summary(entries)}\n\n{table(entries, case_row)}\n"


def grouped(entries: Iterable[Entry], key: Callable[[Entry], Any]) -> dict[Any, list[Entry]]:
    groups: dict[Any, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return groups


def write(entries: Sequence[Entry], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "report.json").write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    (directory / "report.rst").write_text(page(entries))


def write_summary(entries: Sequence[Entry], path: Path) -> None:
    """Writes the summary into a page that has a place for it. Raises ValueError if it has none."""
    text, count = PLACE.subn(lambda _: f"\n{summary(entries)}\n\n", path.read_text())
    if count != 1:
        raise ValueError(f"{path} needs one place for the summary: .. conformance: begin, .. conformance: end")
    path.write_text(text)


if __name__ == "__main__":
    write_summary(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
