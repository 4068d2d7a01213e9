"""One failure is one failure: what a test broke is there again for the next one, and the report names the test."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.pace import TIMEOUT

from .conftest import Bystanders
from .report import NOTES
from .servers import Farm, running

TESTS = """
import pytest

def test_good():
    pass

def test_bad():
    assert False

@pytest.fixture
def broken():
    yield
    raise RuntimeError

def test_broken_afterwards(broken):
    pass
"""


def item(name: str) -> Any:
    """What is asked of a test."""
    return SimpleNamespace(nodeid=name, stash=pytest.Stash())


async def test_bystander_that_was_lost_is_another_one_for_the_next_test() -> None:
    bystanders, later = Bystanders(), item("later")
    async with running("uvicorn") as server:
        async with bystanders.on(server, item("earlier")) as first:
            await first.check()
        first._session.reset()
        await first._reader
        async with bystanders.on(server, later) as second:
            await second.check()
        assert second is not first
        await bystanders.close()
    (note,) = later.stash[NOTES]
    assert note.startswith("after earlier the bystander on uvicorn was closed 1006")


async def test_bystander_that_a_test_harmed_is_not_kept() -> None:
    bystanders, later = Bystanders(), item("later")
    async with running("uvicorn") as server:
        with pytest.raises(LookupError):
            async with bystanders.on(server, item("earlier")):
                raise LookupError
        async with bystanders.on(server, later) as second:
            await second.check()
        await bystanders.close()
    assert NOTES not in later.stash


async def test_server_that_a_test_ended_is_started_again() -> None:
    farm = Farm()
    first = await farm.get("uvicorn")
    assert await farm.get("uvicorn") is first
    first.send_signal(signal.SIGKILL)
    await first.ended()
    second = await farm.get("uvicorn")
    assert second is not first
    assert second.is_running
    await farm.stop()


def test_failures_are_named_as_they_happen_and_files_when_they_are_done(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_next.py").write_text("def test_good():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-ptests.progress", "-pno:cacheprovider", "-pno:cov"]
    done = subprocess.run(
        [*command, "--rootdir", tmp_path, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT
    )
    lines = [line.strip() for line in done.stdout.splitlines()]
    shown = lines[lines.index("FAILED test_it.py::test_bad") :]
    assert shown[1] == "ERROR at teardown of test_it.py::test_broken_afterwards"
    assert shown[2].startswith("75 %  test_it.py  3 tests, 2 failed")
    assert shown[3].startswith("100 %  test_next.py  1 tests")
    assert "1 failed, 3 passed, 1 error" in lines[-1]


async def test_process_that_says_nothing_is_shown_with_its_output() -> None:
    async with running("uvicorn") as server:
        with pytest.raises(AssertionError, match="not in the output") as caught:
            await server.line(lambda line: "never" in line, timeout=0.01)
        assert "Uvicorn running on" in str(caught.value)
