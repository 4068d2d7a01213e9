"""What the tests stand on: times that grow, time that is virtual, groups of workers, processes that may not run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import pace, virtual_time
from tests.conformance.fairness import kept_waiting
from tests.conftest import ROOT, free_port
from tests.scheduling import group


def pace_with(**environment: str) -> float:
    """The pace that a process finds in which these variables are set."""
    command = [sys.executable, "-c", "from tests.pace import PACE; print(PACE)"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True)
    return float(done.stdout)


class TestPace:
    def test_times_grow_with_the_variable_and_the_calibration(self) -> None:
        one_worker = {"PYTEST_XDIST_WORKER_COUNT": "0", "SIO_TESTS_CALIBRATION": "1"}
        assert pace_with(**one_worker) == 1
        assert pace_with(**one_worker, SIO_TESTS_PACE="3") == 3
        assert pace_with(**{**one_worker, "SIO_TESTS_CALIBRATION": "2.5"}) == 2.5

    def test_fast_machine_makes_no_timer_shorter(self) -> None:
        assert pace_with(PYTEST_XDIST_WORKER_COUNT="0", SIO_TESTS_CALIBRATION="0.1") == 1

    def test_workers_that_share_a_core_have_more_time(self) -> None:
        cores = len(os.sched_getaffinity(0))
        assert pace_with(PYTEST_XDIST_WORKER_COUNT=str(4 * cores), SIO_TESTS_CALIBRATION="1") == 6

    def test_timers_grow_together(self) -> None:
        assert pace.ms(300) / pace.ms(100) == pytest.approx(3, abs=0.1)


class TestVirtualTime:
    async def test_hours_pass_in_a_moment(self) -> None:
        loop, started = asyncio.get_running_loop(), time.monotonic()
        before = loop.time()
        await asyncio.sleep(3600)
        assert loop.time() - before == 3600
        assert time.monotonic() - started < 60

    async def test_stands_still_for_a_thread(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.to_thread(time.sleep, 0.01)
        assert loop.time() == before

    async def test_stands_still_until_the_last_thread(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(2) as threads:
            naps = [loop.run_in_executor(threads, time.sleep, 0.01 * number) for number in (1, 2)]
            async with asyncio.timeout(1):
                await asyncio.gather(*naps)

    def test_waiting_for_nothing_is_an_error(self) -> None:
        async def wait() -> None:
            await asyncio.get_running_loop().create_future()

        with pytest.raises(RuntimeError, match="nothing will ever happen"):
            virtual_time.run(wait(), [])

    def test_turning_until_time_passes_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(virtual_time, "_MAX_TURNS", 1_000)

        async def turn() -> None:
            while asyncio.get_running_loop().time() < 1:
                await asyncio.sleep(0)

        with pytest.raises(RuntimeError, match="it stands still"):
            virtual_time.run(turn(), [])


def test_process_that_may_not_run_is_seen() -> None:
    """Two loops on one core: each is kept waiting by the other."""
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"]
    loops = [subprocess.Popen(command) for _ in range(2)]
    try:
        while kept_waiting(loops[0].pid) < 0.01:
            assert loops[0].poll() is None
            time.sleep(0.01)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_port_is_none_that_connections_get_by_themselves() -> None:
    assert all(11_000 <= free_port() < 32_000 for _ in range(50))


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/unit/test_a.py::TestB::test_c[x-y]", "tests/unit/test_a.py"),
        ("tests/browser/test_a.py::test_c", "tests/browser/"),
        (
            "tests/conformance/test_hostile.py::test_it[a-b: c-uvicorn-wsproto]",
            "tests/conformance/test_hostile.py uvicorn-wsproto",
        ),
        (
            "tests/conformance/test_scenarios.py::test_scenario[order-daphne-node-polling]",
            "tests/conformance/test_scenarios.py daphne",
        ),
    ],
)
def test_group(test: str, expected: str) -> None:
    assert group(test) == expected
