"""Transcripts and deviations, as they are in the files."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Transcript:
    """One case: of a table, one row, on one transport."""

    name: str
    #: Where the behaviour comes from, such as "semantics 8". All of them, if there are several.
    clauses: tuple[str, ...]
    #: The steps, one a line, as written.
    steps: tuple[str, ...]
    #: The transport that `open` opens.
    transport: str
    #: The settings of the server, by their name in `servers.SETTINGS`.
    settings: str
    #: Why the official server is not asked. Empty: it is, and must pass.
    not_on_the_reference: str
    #: Whether what the ASGI server itself does is seen in it. It is played on each of them then, in every run.
    shows_server: bool

    @property
    def clause(self) -> str:
        return ", ".join(self.clauses)


@dataclass(frozen=True)
class Deviation:
    """Steps that servers are not held to, and what is asserted instead."""

    reason: str
    servers: tuple[str, ...]
    transcripts: tuple[str, ...]
    #: What stands instead of a step: any number of steps. A key that ends in `…` is the beginning of a step.
    steps: Mapping[str, tuple[str, ...]]
    #: What a server may show wherever it is seen, and what of the official server it stands for.
    seen: Mapping[str, str]

    def applies(self, transcript: Transcript, server: str) -> bool:
        return any(fnmatch.fnmatchcase(server, kind) for kind in self.servers) and any(
            fnmatch.fnmatchcase(transcript.name, name) for name in self.transcripts
        )

    def instead(self, step: str) -> tuple[str, ...] | None:
        """The steps in the place of a step, if it is one of those."""
        for key, steps in self.steps.items():
            if step == key or (key.endswith("…") and step.startswith(key[:-1])):
                return steps
        return None


def load_transcripts(directory: Path) -> list[Transcript]:
    """All cases of the files in a directory. Raises ValueError where two have the same name."""
    cases = [case for path in sorted(directory.glob("*.toml")) for case in _cases(path)]
    names = [case.name for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{directory}: used twice: {', '.join(sorted(twice))}")
    return cases


def load_deviations(directory: Path) -> list[Deviation]:
    """All deviations of the files in a directory."""
    return [
        Deviation(
            _one_line(entry["reason"]),
            tuple(entry["servers"]),
            tuple(entry.get("transcripts", ["*"])),
            {step: _lines(instead) for step, instead in entry.get("steps", {}).items()},
            entry.get("seen", {}),
        )
        for path in sorted(directory.glob("*.toml"))
        for entry in tomllib.loads(path.read_text())["deviation"]
    ]


_KEYS = {"name", "clause", "steps", "transports", "rows", "settings", "not_on_the_reference", "shows_server"}


def _cases(path: Path) -> Iterator[Transcript]:
    document = tomllib.loads(path.read_text())
    defaults = {"settings": "calm", "shows_server": False, **document}
    transcripts = defaults.pop("transcript")
    for entry in transcripts:
        if unknown := entry.keys() - _KEYS:
            raise ValueError(f"{path}: {entry['name']}: unknown keys {unknown}")
        for transport in entry.get("transports", [""]):
            yield from _rows({**defaults, **entry}, transport)


def _rows(entry: Mapping[str, Any], transport: str) -> Iterator[Transcript]:
    name = entry["name"] + (f" on {transport}" if transport else "")
    for row_name, row in entry.get("rows", {"": ""}).items():
        yield Transcript(
            name=f"{name}: {row_name}" if row_name else name,
            clauses=tuple([entry["clause"]] if isinstance(entry["clause"], str) else entry["clause"]),
            steps=tuple(_row_steps(_lines(entry["steps"]), row)),
            transport=transport or "polling",
            settings=entry["settings"],
            not_on_the_reference=_one_line(entry.get("not_on_the_reference", "")),
            shows_server=entry["shows_server"],
        )


def _row_steps(steps: Sequence[str], row: str | Sequence[str]) -> Iterator[str]:
    """The steps with the row in its places: `{row}` is its text, or `{row.0}`, `{row.1}` … those of a list.

    A step that is nothing but `{row}` is as many steps as the row has lines.
    """
    for step in steps:
        if step == "{row}":
            yield from _lines(row) if isinstance(row, str) else row
        elif isinstance(row, str):
            yield step.replace("{row}", row)
        else:
            for index, value in enumerate(row):
                step = step.replace(f"{{row.{index}}}", value)
            yield step


def _lines(text: str | Sequence[str]) -> tuple[str, ...]:
    """The steps of a text. Lines that begin with `#` are comments."""
    lines = text.splitlines() if isinstance(text, str) else text
    return tuple(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
