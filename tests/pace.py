"""How long tests wait, on this machine and beside whatever else it does.

No test measures the machine. A wait ends by an event, and `TIMEOUT` is what no wait comes near. Where a server needs
short timers, `ms` makes them longer on a slow machine, for server and client alike.

`SIO_TESTS_PACE=3 make test` makes all of them three times as long. What a run finds out about the machine is in
`SIO_TESTS_CALIBRATION` for the processes that it starts.
"""

from __future__ import annotations

import os
import time

#: What `_work` takes on the machine for which the times in the tests are written, in seconds.
_REFERENCE = 0.004
_ROUNDS = 20
#: How many cores a test and the server that it talks to keep busy. Less than that, and each waits for the other.
_PROCESSES = 1.5
#: Beyond this, timers would outlast `TIMEOUT`s that do not grow.
_SLOWEST = 10.0


def _work() -> int:
    """What an interpreter does all the time: calls, dictionaries, strings."""
    counts: dict[str, int] = {}
    for number in range(25_000):
        key = str(number % 1000)
        counts[key] = counts.get(key, 0) + len(key)
    return sum(counts.values())


def calibrate() -> float:
    """How many times longer this machine takes now, for whatever reason: its processor, or what else it runs."""
    started = time.perf_counter()
    for _ in range(_ROUNDS):
        _work()
    return (time.perf_counter() - started) / (_ROUNDS * _REFERENCE)


def _calibration() -> float:
    """What the first process of the run has found out."""
    if "SIO_TESTS_CALIBRATION" not in os.environ:
        os.environ["SIO_TESTS_CALIBRATION"] = f"{calibrate():.2f}"
    return max(1.0, float(os.environ["SIO_TESTS_CALIBRATION"]))


def _crowding() -> float:
    """How many processes of the tests want one core."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    return max(1.0, _PROCESSES * workers / len(os.sched_getaffinity(0)))


#: All times of the tests are multiplied by this.
PACE = min(_SLOWEST, float(os.environ.get("SIO_TESTS_PACE", 1)) * _calibration() * _crowding())

#: What no wait comes near, in seconds: waiting longer is a failure.
TIMEOUT = 30.0 * PACE


def ms(milliseconds: int) -> int:
    """A short timer, in milliseconds, as long as this machine needs it to be."""
    return round(milliseconds * PACE)
