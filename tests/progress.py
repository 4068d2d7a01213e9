"""What a run prints: a line for each file when its last test has ended, and each failure as it happens.

A pytest plugin. It replaces the letters, which name nothing, and which many workers would print in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from .pace import PACE


class Progress:
    """Counts the tests of each file, wherever they run."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._tests: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:  # in the process that shows the tests of others, there are none
            self._expect([item.nodeid for item in session.items])

    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        self._expect(ids)

    def _expect(self, ids: Sequence[str]) -> None:
        self._tests = Counter(map(_file, ids))

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """No letters, but all counts."""
        if report.when == "call":
            return (report.outcome, "", "") if not hasattr(report, "wasxfail") else None
        return ("error", "", "") if report.failed else ("skipped", "", "") if report.skipped else ("", "", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = _file(report.nodeid)
        self._seconds[file] += report.duration
        if report.failed:
            self._failed[file] += 1
            phase = "FAILED" if report.when == "call" else f"ERROR at {report.when} of"
            self._write(f"{phase} {report.nodeid}", red=True)
        if report.when == "teardown":
            self._ended[file] += 1
            if self._ended[file] == self._tests[file]:
                self._show(file)

    def _show(self, file: str) -> None:
        failed = f", {self._failed[file]} failed" if self._failed[file] else ""
        share = 100 * self._ended.total() // self._tests.total()
        self._write(f"{share:3} %  {file}  {self._tests[file]} tests{failed}, {self._seconds[file]:.1f} s")

    def _write(self, line: str, *, red: bool = False) -> None:
        self._reporter.write_line(line, red=red)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def pytest_report_header() -> str:
    return f"pace: times of the tests are multiplied by {PACE:.1f} on this machine"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and config.get_verbosity() == 0 and not hasattr(config, "workerinput"):
        reporter.showfspath = False
        config.pluginmanager.register(Progress(config), "progress of the tests")
