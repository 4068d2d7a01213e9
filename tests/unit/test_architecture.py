"""The three rings: an import points inward or downward, never up or out."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sio
from tests.rings import RINGS

ROOT = Path(sio.__file__).parent

#: What ring 1 does without: waiting, clocks and the network.
NOT_SANS_IO = {"asyncio", "concurrent", "multiprocessing", "queue", "sched", "select", "selectors", "socket", "ssl"}
NOT_SANS_IO |= {"subprocess", "threading", "time"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports(name: str) -> Iterator[str]:
    """Yields the modules that a module imports anywhere in it, but for those that are only for type checkers."""
    for node in walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = absolute(name, node)
            yield from [module_of(source, alias.name) for alias in node.names]


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walks through a tree, but not into the body of `if TYPE_CHECKING`."""
    yield node
    is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    for child in node.orelse if is_for_types else ast.iter_child_nodes(node):
        yield from walk(child)


def absolute(name: str, node: ast.ImportFrom) -> str:
    """Returns the module that a `from … import` names."""
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return ".".join(filter(None, [package if node.level else "", node.module]))


def module_of(source: str, name: str) -> str:
    """Returns the module that `from source import name` depends on: a module of that name, or `source` itself."""
    return f"{source}.{name}" if f"{source}.{name}" in MODULES else source


def foreign(name: str) -> set[str]:
    """Returns the top-level packages, other than `sio`, that a module imports."""
    return {module.partition(".")[0] for module in imports(name)} - {"sio"}


def own(name: str) -> set[str]:
    """Returns the modules of `sio` that a module imports."""
    return {module for module in imports(name) if module.partition(".")[0] == "sio"}


def ring(*rings: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name in MODULES if RINGS.get(name) in rings])


def test_every_module_is_in_a_ring() -> None:
    assert set(MODULES) <= set(RINGS)


def test_imports_are_seen() -> None:
    """Relative ones, those of packages, of modules by their name, inside functions; not those for type checkers."""
    assert {"sio.conf", "sio.engineio.app", "sio.engineio.state", "logging"} <= set(imports("sio.engineio.request"))
    assert "sio.socketio.server" in set(imports("sio"))
    assert {"sio.checks", "sio.socketio.channel_layer", "django.apps"} <= set(imports("sio.apps"))
    assert "sio.engineio.socket" not in set(imports("sio.engineio.registry"))


@pytest.mark.parametrize("name", MODULES)
def test_import_does_not_point_outward(name: str) -> None:
    outward = {other for other in own(name) if RINGS.get(other, 3) > RINGS.get(name, 1)}
    assert outward == set()


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("sio.engineio")])
def test_engineio_does_not_import_socketio(name: str) -> None:
    assert {other for other in own(name) if other.startswith("sio.socketio")} == set()


@ring(1, 2)
def test_inner_rings_import_the_standard_library_only(name: str) -> None:
    assert foreign(name) <= sys.stdlib_module_names


@ring(1)
def test_innermost_ring_does_no_io_and_has_no_clock(name: str) -> None:
    assert foreign(name) & NOT_SANS_IO == set()


def test_no_module_reads_settings_but_conf() -> None:
    """But for the CSRF settings of Django, which `origins` obeys, and the names that `checks` looks for."""
    readers = {name for name in MODULES if "django.conf" in set(imports(name))}
    assert readers <= {"sio.conf", "sio.engineio.origins", "sio.checks"}
