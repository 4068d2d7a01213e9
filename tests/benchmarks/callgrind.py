"""Counts the instructions of a process (valgrind's callgrind): the same number on any machine, however busy it is.

The process begins at a quarter of its speed; from `Callgrind.begin` on, when instructions are counted, it is ten to
fifty times slower. The kernel's instructions are not counted.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.ensure_services import find

from .processes import TIMEOUT, Process

_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def command(directory: Path, name: str) -> list[str | Path]:
    """Returns what is to stand before the command of a process, whose counts are written into a directory."""
    valgrind = find("valgrind")
    assert valgrind, "valgrind is missing: 'make bench-instructions' sets it up"
    files = [f"--callgrind-out-file={directory / name}.out", f"--vgdb-prefix={directory / name}-vgdb"]
    return [valgrind, "--quiet", "--tool=callgrind", "--instr-atstart=no", *files]


class Callgrind:
    """What counts in a process that `command` started."""

    def __init__(self, process: Process, directory: Path, name: str) -> None:
        self._process = process
        self._directory = directory
        self._name = name
        self._dumps = 0

    def begin(self) -> None:
        """From now on the process is slow, and its instructions are counted."""
        self._say("instrumentation", "on")

    def zero(self) -> None:
        """Waits until the process rests, and forgets what was counted."""
        self._process.wait_for_rest()
        self._say("zero")

    def take(self, label: str) -> int:
        """Waits until the process rests. Returns the number of instructions since `zero`.

        What they were is in a file for `callgrind_annotate`: `<name>-<label>.callgrind`.
        """
        self._process.wait_for_rest()
        self._say("dump")
        self._dumps += 1
        dump = self._directory / f"{self._name}.out.{self._dumps}"
        if not dump.exists():
            raise self._process.fail("callgrind wrote nothing")
        total = _TOTAL.search(dump.read_text())
        dump.rename(self._directory / f"{self._name}-{label}.callgrind")
        assert total is not None
        return int(total[1])

    def _say(self, *words: str) -> None:
        pid, prefix = self._process.popen.pid, self._directory / f"{self._name}-vgdb"
        vgdb = ["vgdb", f"--pid={pid}", f"--vgdb-prefix={prefix}", *words]
        try:
            subprocess.run(vgdb, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            # It wakes a process that sleeps by ptrace.
            raise self._process.fail(f"vgdb cannot reach it ({error}); does this system allow ptrace?") from error
