"""The report of the harness: what becomes of a test's outcome, and how it is shown."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from docutils.core import publish_doctree

from tests.conftest import ROOT

from . import pages

TESTS = """
import pytest

def test_good(verdict):
    verdict.of("Transcripts", "clause 1", "good", server="uvicorn")

def test_other(verdict):
    verdict.of("Transcripts", "clause 2", "other", server="uvicorn")
    verdict.deviates("because")

def test_bad(verdict):
    verdict.of("Transcripts", "clause 1", "bad_one", server="daphne")
    verdict.deviates("no excuse")
    assert False

@pytest.fixture
def broken(verdict):
    verdict.of("Scenarios", "clause 3", "broken", client="one 1.0", server="uvicorn", transport="polling")
    yield
    raise RuntimeError

def test_broken_afterwards(broken):
    pass

def test_of_nothing(verdict):
    pass

def test_ordinary():
    pass
"""


def entry(outcome: str = "pass", *reasons: str, **fields: str) -> dict[str, Any]:
    case = {"area": "Transcripts", "clause": "c", "title": "t", "server": "uvicorn", "client": "", "transport": ""}
    return {**case, **fields, "outcome": outcome, "reasons": list(reasons)}


async def test_outcomes_are_those_of_the_tests(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_it.py").write_text(TESTS)
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-p", "tests.conformance.report", "-p", "no:cacheprovider", "-p", "no:cov"),
        *("--rootdir", str(tmp_path), "--conformance-report", str(tmp_path / "out"), "--conformance-table", tmp_path),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output = (await run.communicate())[0].decode()
    assert run.returncode == 1
    entries = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {(entry["title"], entry["outcome"]) for entry in entries} == {
        ("good", "pass"),
        ("other", "deviation"),
        ("bad_one", "fail"),
        ("broken", "fail"),
    }
    assert pages.table(entries) in output


def test_table_has_a_row_for_each_clause_and_the_worst_of_its_cases() -> None:
    shown = pages.table(
        [entry(title="a"), entry("deviation", "why", title="b"), entry("fail", title="c", server="daphne")]
    )
    assert "c       a        ✗" in shown
    assert "a\n    why" in shown


def test_scenarios_have_a_row_for_each_client_and_a_column_for_each_transport() -> None:
    shown = pages.table(
        [
            entry(area="Scenarios", client="one 1.0", transport="polling"),
            entry("fail", area="Scenarios", client="two 1.0", transport="websocket"),
        ]
    )
    assert "scenario  client   uvicorn polling  uvicorn websocket" in shown
    assert "t         one 1.0  ✓                ·" in shown
    assert "t         two 1.0  ·                ✗" in shown


def test_rows_are_in_the_order_of_their_numbers() -> None:
    shown = pages.table([entry(clause=f"bad input {number}") for number in (10, 9, 106)])
    assert [line.split()[2] for line in shown.splitlines() if line.startswith("bad input")] == ["9", "10", "106"]


def test_summary_counts() -> None:
    entries = [entry("pass"), entry("fail"), entry("deviation", "why", server="daphne"), entry(client="one 1.0")]
    shown = pages.summary(entries)
    assert "Transcripts           1 (1 failed)  0 + 1" in shown
    assert "Transcripts: one 1.0  1             ·" in shown


def test_deviations_have_a_letter_each() -> None:
    letters = pages.reason_letters([entry("deviation", *map(str, range(30)))])
    assert list(letters.values())[:2] == ["a", "b"]
    assert list(letters.values())[25:28] == ["z", "aa", "ab"]


def test_page_is_restructuredtext() -> None:
    titles = ["`|*_ \\", "\x1e", 'a [1]_ ["é"]', ""]
    entries = [entry("deviation", "`why_", title=title) for title in titles]
    document = publish_doctree(pages.page(entries), settings_overrides={"halt_level": 2, "report_level": 2})
    cells = [cell.astext() for cell in document.findall() if cell.tagname == "entry"]
    assert set(titles[:1] + titles[2:3] + ["\\x1e"]) <= set(cells)


def test_summary_is_written_into_its_place(tmp_path: Path) -> None:
    readme = tmp_path / "README.rst"
    readme.write_text("Before\n\n.. conformance: begin\nold\n.. conformance: end\n\nAfter\n")
    for _ in range(2):
        pages.write_summary([entry(), entry("deviation", "why")], readme)
    text = readme.read_text()
    assert text.startswith("Before\n\n.. conformance: begin\n\n====")
    assert text.endswith(f"{pages.COUNTS}\n\n.. conformance: end\n\nAfter\n")
    assert "cases        uvicorn" in text
    assert "Transcripts  1 + 1" in text
    (tmp_path / "other.rst").touch()
    with pytest.raises(ValueError, match="needs one place"):
        pages.write_summary([entry()], tmp_path / "other.rst")
