"""What makes the machine busy while a command runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.busy import LOOP
from tests.conftest import ROOT
from tests.flood import processor_time
from tests.pace import TIMEOUT

#: Ends when it is told to.
COMMAND = "import sys; sys.exit(3 if sys.stdin.readline() else 0)"

Busy = subprocess.Popen[bytes]


@pytest.fixture
def busy() -> Iterator[Busy]:
    command = [sys.executable, "-m", "tests.busy", sys.executable, "-c", COMMAND]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def loops(process: Busy) -> list[int]:
    """The loops that a process has started, and that have run for a while: waits for one on each core."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found: list[int] = []

    def all_run() -> bool:
        found[:] = filter(_is_loop, map(int, children.read_text().split()))
        return len(found) == len(os.sched_getaffinity(0)) and all(processor_time(pid) > 0.02 for pid in found)

    until(all_run)
    return found


def _is_loop(pid: int) -> bool:
    return LOOP in Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or nothing is left of it but its exit status, which nobody asks for."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_loops_run_as_long_as_the_command_whose_status_is_handed_on(busy: Busy) -> None:
    pids = loops(busy)
    busy.communicate(b"\n")
    assert busy.returncode == 3
    assert all(map(has_ended, pids))


def test_loops_end_although_what_started_them_is_killed(busy: Busy) -> None:
    pids = loops(busy)
    busy.kill()
    until(lambda: all(map(has_ended, pids)))
