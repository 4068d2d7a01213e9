"""Processes on a core of their own, and what the kernel counts of them (Linux's /proc)."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
PROC = Path("/proc")

#: The first core is for the server that is measured, the last one for all else. With one core they share it.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

#: What no process needs to start, to come to rest or to end, in seconds, however slow the machine is.
TIMEOUT = 240.0
POLL = 0.01
#: A process rests when it is seen asleep so many times in a row.
REST_LOOKS = 5


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Runs this thread on one core. A process that it starts there stays there, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Process:
    """A process whose threads all run on one core. It is killed at the end of the `with` block."""

    def __init__(
        self,
        command: Sequence[str | Path],
        core: int,
        environment: Mapping[str, str] | None = None,
        talks: bool = False,
    ) -> None:
        self.log: IO[str] = tempfile.TemporaryFile("w+")
        pipe = subprocess.PIPE if talks else None
        with on_core(core):
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or self.log,
                stderr=self.log,
                text=True,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        self.popen.terminate()
        try:
            self.popen.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for stream in (self.popen.stdin, self.popen.stdout, self.log):
            if stream is not None:
                stream.close()

    def output(self) -> str:
        """Returns the end of what it logged."""
        self.log.seek(0)
        return self.log.read()[-4000:]

    def fail(self, why: str) -> RuntimeError:
        command = " ".join(map(str, self.popen.args))  # type: ignore[arg-type]
        return RuntimeError(f"{why}: {command}\n{self.output()}")

    def _check_that_it_runs(self) -> None:
        if self.popen.poll() is not None:
            raise self.fail(f"ended with {self.popen.returncode}")

    def wait_for_port(self, port: int) -> None:
        """Waits until it listens."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            self._check_that_it_runs()
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(POLL)
        raise self.fail("does not listen")

    def wait_for_rest(self) -> None:
        """Waits until it has nothing to do.

        What it uses of a core says nothing: that depends on the machine, and on what else runs there. A process that
        has something to do is running or waits for a core, and neither is to be asleep.
        """
        deadline = time.monotonic() + TIMEOUT
        looks = 0
        while time.monotonic() < deadline:
            self._check_that_it_runs()
            looks = looks + 1 if self.is_asleep() else 0
            if looks == REST_LOOKS:
                return
            time.sleep(POLL)
        raise self.fail("does not come to rest")

    def is_asleep(self) -> bool:
        """Whether all its threads, and those of its children, wait for something that is not a core or a disk."""
        return all(state == "S" for pid in family(self.popen.pid) for state in states(pid))

    def cpu_seconds(self) -> float:
        """Returns the CPU time of all its threads, and of those of its children."""
        return sum(map(cpu_nanoseconds, family(self.popen.pid))) / 1e9

    def resident_kb(self) -> float:
        """Returns its resident memory, and that of its children."""
        return sum(map(resident_kb, family(self.popen.pid)))


def family(pid: int) -> Iterator[int]:
    """Yields a process and its descendants: Granian serves in a child."""
    yield pid
    for children in (PROC / str(pid) / "task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def states(pid: int) -> Iterator[str]:
    """Yields the state of each thread: S is asleep, R runs or could run."""
    for path in (PROC / str(pid) / "task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended just now
            yield after_name(path)[0]


def after_name(path: Path) -> list[str]:
    """Returns the fields of a `stat` from the state on. The name before it may contain anything."""
    return path.read_text().rpartition(")")[2].split()


def cpu_nanoseconds(pid: int) -> int:
    try:
        return sum(int(path.read_text().split()[0]) for path in (PROC / str(pid) / "task").glob("*/schedstat"))
    except FileNotFoundError:  # a thread that ended just now, or a kernel without these numbers
        return cpu_ticks(pid) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_ticks(pid: int) -> int:
    """Returns user and system time, which are the 14th and 15th field."""
    fields = after_name(PROC / str(pid) / "stat")
    return int(fields[11]) + int(fields[12])


def resident_kb(pid: int) -> int:
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1])
    raise ValueError(f"no resident set of process {pid}")
