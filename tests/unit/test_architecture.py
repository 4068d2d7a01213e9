"""The architecture of the package: imports point down, never in a circle, and no module reaches into another."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import BELOW, MODULES, STOREYS, Storey, storey_of

#: What code without I/O does without: waiting, clocks and the network.
NOT_SANS_IO = {"asyncio", "concurrent", "multiprocessing", "queue", "sched", "select", "selectors", "socket", "ssl"}
NOT_SANS_IO |= {"subprocess", "threading", "time"}

#: Private names of other libraries that have no public one: those of asyncio's tasks and futures, of the exit of
#: threads, and of Django's lazy objects, requests and sessions.
FOREIGN_PRIVATE = {"_asyncio_future_blocking", "_meta", "_register_atexit", "_session", "_wrapped"}

#: Modules that have no test file of their own: tables and types without behaviour, and documented import paths.
WITHOUT_TESTS = {
    "sio.cluster.log",
    "sio.engineio.asgi",
    "sio.engineio.log",
    "sio.engineio.packets",
    "sio.engineio.protocol.options",
    "sio.integration.log",
    "sio.socketio.log",
    "sio.socketio.packets",
    "sio.socketio.parser",
    "sio.socketio.protocol.options",
    "sio.socketio.shared",
}


def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def imports(name: str) -> Iterator[str]:
    """Yields the modules that a module imports anywhere in it, those for type checkers only among them."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = absolute(name, node)
            yield from [module_of(source, alias.name) for alias in node.names]


def absolute(name: str, node: ast.ImportFrom) -> str:
    """Returns the module that a `from … import` names."""
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return ".".join(filter(None, [package if node.level else "", node.module]))


def module_of(source: str, name: str) -> str:
    """Returns the module that `from source import name` depends on: a module of that name, or `source` itself."""
    return f"{source}.{name}" if f"{source}.{name}" in MODULES else source


def packages_of(module: str) -> Iterator[str]:
    """Yields the packages that a module is in."""
    while module := module.rpartition(".")[0]:
        yield module


def runs(name: str) -> set[str]:
    """Returns the modules of `sio` that an import of a module runs: what it imports, and the `__init__` of the packages
    which that is in, unless the module is in them too.
    """
    own = {name, *packages_of(name)}
    imported = {module for module in imports(name) if module.partition(".")[0] == "sio"}
    return {module for target in imported for module in (target, *packages_of(target))} - own


def foreign(name: str) -> set[str]:
    """Returns the top-level packages, other than `sio`, that a module imports."""
    return {module.partition(".")[0] for module in imports(name)} - {"sio"}


def test_imports_are_seen() -> None:
    """Relative ones, those of packages, of modules by their name, inside functions, and the `__init__` of packages."""
    assert {"sio.conf", "sio.engineio.policy", "sio.integration.users"} <= runs("sio.integration.policy")
    assert "sio.socketio.server" in runs("sio")
    assert {"sio.checks", "sio.integration.mounts", "sio.integration.server"} <= runs("sio.apps")
    assert {"sio.engineio", "sio.engineio.protocol"} <= runs("sio.socketio.adapter")
    assert "sio.engineio" not in runs("sio.engineio.transports.polling")
    assert "channels" in foreign("sio.engineio.transports.polling")


def test_there_is_no_circle() -> None:
    """Not of modules at run time, the `__init__` of packages followed, nor of those that are imported for types."""
    tuple(graphlib.TopologicalSorter({name: runs(name) for name in MODULES}).static_order())


@pytest.mark.parametrize("name", MODULES)
def test_import_does_not_point_up(name: str) -> None:
    storey = storey_of(name)
    reached = {storey_of(module) for module in runs(name)} - {storey}
    assert not {other.name for other in reached if STOREYS.index(other) > STOREYS.index(storey)}
    if storey.name in BELOW:
        assert {other.name for other in reached} <= BELOW[storey.name]


@pytest.mark.parametrize("name", MODULES)
def test_import_of_another_library_has_a_reason(name: str) -> None:
    assert foreign(name) - sys.stdlib_module_names <= storey_of(name).imports


def test_only_the_transports_of_engineio_are_channels_consumers() -> None:
    users = {name for name in MODULES if name.startswith("sio.engineio") and "channels" in foreign(name)}
    assert users == {"sio.engineio.transports.polling", "sio.engineio.transports.websocket"}


def sans_io() -> list[str]:
    return [name for name in MODULES if storey_of(name).is_sans_io]


@pytest.mark.parametrize("name", sans_io())
def test_module_without_io_does_none_and_has_no_clock(name: str) -> None:
    assert foreign(name) & NOT_SANS_IO == set()


def test_protocols_are_without_io() -> None:
    assert {"sio.engineio.protocol.session", "sio.socketio.protocol.parser", "sio.exceptions"} <= set(sans_io())


def test_storey_is_the_innermost_room() -> None:
    rooms = ["sio.conf", "sio.engineio.server", "sio.engineio.protocol.state", "sio.socketio"]
    assert [storey_of(name).name for name in rooms] == ["sio", "sio.engineio", "sio.engineio.protocol", "sio.socketio"]
    assert isinstance(storey_of("sio"), Storey)


def test_no_module_reads_settings_but_conf() -> None:
    """But for the CSRF settings of Django, which `origins` obeys, and the names that `checks` looks for."""
    readers = {name for name in MODULES if "django.conf" in set(imports(name))}
    assert readers <= {"sio.conf", "sio.integration.origins", "sio.checks"}


def private_names(name: str) -> tuple[set[str], set[str]]:
    """Returns the private names that a module reaches in other objects than `self`, and those that it defines."""
    reached, defined = set(), set(FOREIGN_PRIVATE)
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            (defined if is_own else reached).add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
    return reached, defined


@pytest.mark.parametrize("name", MODULES)
def test_module_does_not_reach_into_another(name: str) -> None:
    reached, defined = private_names(name)
    assert reached <= defined


@pytest.mark.parametrize("name", MODULES)
def test_module_says_what_it_is(name: str) -> None:
    assert ast.get_docstring(tree(name))


@pytest.mark.parametrize("name", MODULES)
def test_module_has_a_test_file_of_its_own_name(name: str) -> None:
    path = MODULES[name]
    if path.name == "__init__.py" or name in WITHOUT_TESTS:
        return
    parts = name.split(".")[1:]
    assert Path(__file__).parent.joinpath(*parts[:-1], f"test_{parts[-1]}.py").exists()


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.parent.rglob("*.py")), ids=lambda path: path.name)
def test_test_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500
