"""Which tests coverage is measured of. A pytest plugin.

A tracer is called for each line of Python, also of what is not measured, and makes a test take twice as long. It sees
nothing where servers are processes of their own, nor where tests are collected and shown.
"""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from coverage import Coverage

#: Tests that talk to processes.
_ELSEWHERE = ("tests/conformance/", "tests/browser/", "tests/benchmarks/", "tests/soak/")
#: Files of them that call `sio` themselves.
HERE = ("test_parsers.py", "test_vectors.py")
#: Files that do what others do once again and again, in each order or cut off at each place.
AGAIN = ("test_cancellation.py", "test_endings.py", "test_interleavings.py")


def is_measured(nodeid: str) -> bool:
    """Whether a test runs lines of `sio` in its own process that no other one does."""
    file = nodeid.partition("::")[0].rpartition("/")[2]
    return file in HERE if nodeid.startswith(_ELSEWHERE) else file not in AGAIN


class Tracing:
    """Stops the tracer where it sees nothing, and starts it again."""

    def __init__(self) -> None:
        self._stopped: Coverage | None = None

    def stop(self) -> None:
        """Stops what is measured, and what goes on under it: a worker of pytest-cov begins twice."""
        while running := Coverage.current():
            self._stopped = self._stopped or running
            running.stop()

    def start(self) -> None:
        if self._stopped is not None:
            self._stopped.start()
            self._stopped = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if is_measured(item.nodeid):
            self.start()
        else:
            self.stop()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    tracing = Tracing()
    session.config.pluginmanager.register(tracing, "tracing")
    if session.config.getoption("numprocesses", None):
        # It runs no test, but tells for all of its workers what an import of the package runs.
        import_all()
        tracing.stop()
    elif hasattr(session.config, "workerinput"):
        tracing.stop()


def import_all() -> None:
    """Imports each module of the package, if that is measured."""
    if Coverage.current():
        package = importlib.import_module("sio")
        for module in pkgutil.walk_packages(package.__path__, "sio."):
            importlib.import_module(module.name)
