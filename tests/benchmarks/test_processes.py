"""What is said of processes: that they rest, and what the kernel counts of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import pytest

from .processes import SERVER_CORE, Process

#: Works until it gets a signal, and then has nothing to do.
WORKS = """
import signal

class Told(Exception):
    pass

def tell(*_):
    raise Told

signal.signal(signal.SIGUSR1, tell)
try:
    print("works", flush=True)
    while True:
        pass
except Told:
    pass
signal.pause()
"""

#: Uses its core for a while, in its own time, says so, and waits.
USES_CPU = """
import time
while time.process_time() < 0.2:
    pass
print("used", flush=True)
input()
"""

USES_MEMORY = """
print("small", flush=True)
input()
large = b"x" * 16_000_000
print("large", flush=True)
input()
"""


def python(program: str) -> Process:
    return Process([sys.executable, "-c", program], SERVER_CORE, talks=True)


def in_a_child(program: str) -> Process:
    # With a second command, the shell does not become the first.
    return Process(["sh", "-c", '"$0" -c "$1"; true', sys.executable, program], SERVER_CORE, talks=True)


def wait_for(process: Process, line: str) -> None:
    assert process.popen.stdout is not None
    assert process.popen.stdout.readline() == f"{line}\n", process.output()


def go_on(process: Process) -> None:
    assert process.popen.stdin is not None
    process.popen.stdin.write("\n")
    process.popen.stdin.flush()


def test_process_rests_when_it_has_nothing_to_do() -> None:
    with python(WORKS) as process:
        wait_for(process, "works")
        assert not any(process.is_asleep() for _ in range(100))
        process.popen.send_signal(signal.SIGUSR1)
        process.wait_for_rest()


@pytest.mark.parametrize("start", [python, in_a_child])
def test_cpu_time_is_counted(start: Callable[[str], Process]) -> None:
    with start(USES_CPU) as process:
        wait_for(process, "used")
        process.wait_for_rest()
        assert process.cpu_seconds() > 0.19  # a tick less, where the kernel counts in ticks
        go_on(process)


@pytest.mark.parametrize("start", [python, in_a_child])
def test_memory_is_counted(start: Callable[[str], Process]) -> None:
    with start(USES_MEMORY) as process:
        wait_for(process, "small")
        before = process.resident_kb()
        go_on(process)
        wait_for(process, "large")
        assert process.resident_kb() - before > 15_000
        go_on(process)


@pytest.mark.parametrize("wait", [lambda process: process.wait_for_port(1), Process.wait_for_rest])
def test_server_that_fails_is_told_with_its_log(wait: Callable[[Process], None]) -> None:
    with Process(["node", "-e", "console.error('No module named x'); process.exit(3)"], SERVER_CORE) as process:
        process.popen.wait()
        with pytest.raises(RuntimeError, match="No module named") as caught:
            wait(process)
    assert "ended with 3" in str(caught.value)
