"""What pip would install, of what is installed here: for environments that have as much, and no more."""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def files_of(told: Sequence[str], but: str) -> set[Path]:
    """Return the files and directories of distributions and of all that they require, but for those of one.

    Scripts are not among them.
    """
    parts: set[Path] = set()
    for name in _names(told) - {but}:
        distribution = importlib.metadata.distribution(name)
        top = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
        parts |= {Path(str(distribution.locate_file(part))) for part in top}
    return parts


def _names(told: Sequence[str]) -> set[str]:
    queue = [Requirement(text) for text in told]
    seen: set[tuple[str, frozenset[str]]] = set()
    while queue:
        wanted = queue.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key not in seen:
            seen.add(key)
            queue += _requirements(wanted)
    return {name for name, _ in seen}


def _requirements(wanted: Requirement) -> list[Requirement]:
    extras = [{"extra": extra} for extra in ("", *wanted.extras)]
    every = map(Requirement, importlib.metadata.requires(wanted.name) or ())
    return [required for required in every if required.marker is None or any(map(required.marker.evaluate, extras))]
