"""What the harness found: a pytest plugin that gathers one entry for each case.

A test says which case it is with the fixture `verdict`, and whether it saw a named deviation. Its outcome is pytest's.
Tests that do not use the fixture are ordinary tests, and are in no report.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from . import pages

PASS, DEVIATION, FAIL = "pass", "deviation", "fail"


@dataclass(frozen=True)
class Case:
    """What is tested, and with whom."""

    #: The table it is in: "Vectors", "Parsers", "Transcripts", "Scenarios", "Hostile input".
    area: str
    #: Where the behaviour comes from: "engine.io-protocol v4 suite L312", "semantics 8", "bad input 12".
    clause: str
    #: The row of the table.
    title: str
    #: The server under test: "uvicorn", "daphne", …, "node" for the official one. Empty without one.
    server: str = ""
    #: The client and its version, such as "socket.io-client 4.8.4". Empty for the harness's own.
    client: str = ""
    #: "polling", "websocket" or "upgrade". Empty where it is all one, or part of the title.
    transport: str = ""


class Verdict:
    """What a test says of itself."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.reasons: list[str] = []

    def of(self, *case: str, **details: str) -> None:
        """Says which case this is. The arguments are those of `Case`."""
        self.case = Case(*case, **details)

    def deviates(self, reason: str) -> None:
        """Says that a named deviation from the reference was seen, instead of what the reference does."""
        if reason not in self.reasons:
            self.reasons.append(reason)


VERDICT = pytest.StashKey[Verdict]()
ENTRIES = pytest.StashKey[dict[str, dict[str, Any]]]()
NOTES = pytest.StashKey[list[str]]()


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Verdict:
    return request.node.stash.setdefault(VERDICT, Verdict())


def note(item: pytest.Item, text: str) -> None:
    """Has the end of the run say something that is no fault of this test."""
    item.stash.setdefault(NOTES, []).append(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to each report what the test said: it may be made in another process than the one that shows it."""
    report = yield
    verdict = item.stash.get(VERDICT, None)
    report.conformance_notes = item.stash.get(NOTES, []) if report.when == "teardown" else []
    report.conformance_case = None
    if verdict is not None and verdict.case is not None:
        report.conformance_case = {**asdict(verdict.case), "reasons": list(verdict.reasons)}
    return report


class Gatherer:
    """Gathers the entries of the run, in the process that shows them."""

    def __init__(self, config: pytest.Config) -> None:
        self._entries = config.stash.setdefault(ENTRIES, {})
        self._notes = config.stash.setdefault(NOTES, [])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._notes += getattr(report, "conformance_notes", [])
        if case := getattr(report, "conformance_case", None):  # none of a worker that crashed
            entry = self._entries.setdefault(report.nodeid, {"outcome": PASS})
            entry |= case
            if report.outcome != "passed":  # a failed setup or teardown too, and a skipped test: nothing was shown
                entry["outcome"] = FAIL
            elif entry["outcome"] == PASS and entry["reasons"]:
                entry["outcome"] = DEVIATION


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Gatherer(config))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--conformance-report", metavar="DIRECTORY", help="write report.json and report.rst there")
    group.addoption(
        "--everywhere",
        action="store_true",
        help="run each case on each server and with each client, also where that shows nothing that others do not",
    )
    group.addoption("--quick", action="store_true", help="one server only, with the official client")
    group.addoption("--conformance-table", action="store_true", help="print the whole report, not just its summary")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if notes := config.stash[NOTES]:
        terminalreporter.section("harmed")
        terminalreporter.write_line("\n".join(notes))
    entries = list(config.stash[ENTRIES].values())
    if not entries:
        return
    terminalreporter.section("conformance")
    if config.option.conformance_table:
        terminalreporter.write_line(pages.table(entries) + "\n")
    terminalreporter.write_line(pages.summary(entries))
    if directory := config.option.conformance_report:
        pages.write(entries, Path(directory))
        terminalreporter.write_line(f"\nWritten to {directory}: report.json, report.rst")
