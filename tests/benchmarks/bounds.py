"""What `sio` may cost at most, in instructions of the floor: `bounds.toml`, and what it is worth for other versions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "bounds.toml"
#: By how much a ratio may pass its bound: with the versions for which it was counted, and with others.
ROOM, ROOM_ELSEWHERE = 0.03, 0.10
#: What the floor and `sio` are made of.
PACKAGES = ("uvicorn", "uvloop", "httptools", "websockets", "django", "channels")


def minor(version: str) -> str:
    """Returns the first two numbers of a version."""
    return ".".join(version.split(".")[:2])


@dataclass(frozen=True)
class Bounds:
    """The ratios of each version of Python, and the versions of packages for which they were counted."""

    ratios: Mapping[str, Mapping[str, float]]
    packages: Mapping[str, Mapping[str, str]]

    def for_versions(self, versions: Mapping[str, str]) -> dict[str, float]:
        """Returns what the ratio of each workload may be at most."""
        room = ROOM_ELSEWHERE if self.differences(versions) else ROOM
        known = self.ratios.get(minor(versions["Python"]))
        return {name: ratio * (1 + room) for name, ratio in (self._highest() if known is None else known).items()}

    def differences(self, versions: Mapping[str, str]) -> list[str]:
        """Returns what is not as it was when the bounds were counted, a patch release apart."""
        python = minor(versions["Python"])
        if python not in self.ratios:
            return [f"Python {python}, of which nothing was counted"]
        counted = self.packages[python]
        return [
            f"{name} {versions[name]} and not {counted[name]}"
            for name in PACKAGES
            if minor(versions[name]) != minor(counted[name])
        ]

    def _highest(self) -> dict[str, float]:
        names = dict.fromkeys(name for ratios in self.ratios.values() for name in ratios)
        return {name: max(ratios[name] for ratios in self.ratios.values()) for name in names}


def read(path: Path = PATH) -> Bounds:
    tables = tomllib.loads(path.read_text())["python"]
    return Bounds(
        ratios={python: table["ratios"] for python, table in tables.items()},
        packages={python: table["packages"] for python, table in tables.items()},
    )


def renew(versions: Mapping[str, str], ratios: Mapping[str, float], path: Path = PATH) -> None:
    """Writes the bounds of this version of Python, and keeps the others and the comment at the top."""
    text = path.read_text()
    tables = tomllib.loads(text)["python"]
    tables[minor(versions["Python"])] = {
        "ratios": dict(ratios),
        "packages": {name: versions[name] for name in PACKAGES},
    }
    comment = text[: text.index("[python.")]
    path.write_text(comment + "\n".join(section(python, tables[python]) for python in sorted(tables, key=in_order)))


def in_order(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))


def section(python: str, table: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the tables of a version of Python as TOML."""
    lines = [f'[python."{python}".ratios]', *(f"{name} = {ratio}" for name, ratio in table["ratios"].items()), ""]
    lines += [f'[python."{python}".packages]', *(f'{name} = "{text}"' for name, text in table["packages"].items()), ""]
    return "\n".join(lines)
