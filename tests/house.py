"""The storeys of the package, which `unit/test_architecture.py` enforces (see `sio/__init__.py` for a drawing).

    python -m tests.house

prints the files whose branches are all tested, as coverage takes them: those without I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sio

ROOT = Path(sio.__file__).parent


@dataclass(frozen=True)
class Storey:
    """A room of the package. `imports` are the packages from outside of the standard library that it may use."""

    name: str
    is_sans_io: bool = False
    imports: frozenset[str] = frozenset()


#: From the bottom to the top. An import points to the same room, or to one further down.
STOREYS = (
    Storey("sio.exceptions", is_sans_io=True),
    Storey("sio.aio"),
    Storey("sio.engineio.protocol", is_sans_io=True),
    Storey("sio.engineio", imports=frozenset({"channels"})),
    Storey("sio.socketio.protocol", is_sans_io=True),
    Storey("sio.socketio"),
    Storey("sio.cluster", imports=frozenset({"channels"})),
    Storey("sio", imports=frozenset({"asgiref", "channels", "django"})),
)
#: Rooms on whose own floor nothing else is imported than their parts: what a storey may use of those below it.
BELOW = {
    "sio.exceptions": set(),
    "sio.aio": {"sio.exceptions"},
    "sio.engineio.protocol": {"sio.exceptions"},
    "sio.engineio": {"sio.engineio.protocol", "sio.aio", "sio.exceptions"},
    "sio.socketio.protocol": {"sio.exceptions"},
    "sio.socketio": {"sio.socketio.protocol", "sio.engineio", "sio.engineio.protocol", "sio.aio", "sio.exceptions"},
}


def module_name(path: Path) -> str:
    """Returns the dotted name of a module of the package."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


#: All modules by their name.
MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def storey_of(module: str) -> Storey:
    """Returns the room that a module is in: the innermost one whose name it begins with."""
    return max(
        (storey for storey in STOREYS if module == storey.name or module.startswith(f"{storey.name}.")),
        key=lambda storey: len(storey.name),
    )


def sans_io_files() -> list[str]:
    """Returns the paths of the modules without I/O."""
    return [
        str(path.relative_to(ROOT.parent))
        for name, path in MODULES.items()
        if storey_of(name).is_sans_io and path.name != "__init__.py"
    ]


if __name__ == "__main__":
    print(",".join(sans_io_files()))
