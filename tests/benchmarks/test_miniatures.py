"""The benchmark in miniature: every workload on every server counts what was asked for.

Nothing is said of times, or of the load of the machine: both are its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .__main__ import plan
from .catalog import SERVERS, serve
from .measure import LoadGenerator, Measurement, bring_load, measure
from .processes import SERVER_CORE, Process
from .workloads import WORKLOADS, Cost, Workload

ASGI_SERVER = "uvicorn"
MINIATURES = {name: workload.miniature() for name, workload in WORKLOADS.items()}
ALONE = [name for name, workload in MINIATURES.items() if not workload.through_redis]
PING_INTERVAL_MS = MINIATURES["heartbeat"].ping_interval_ms


class Pair:
    """A server and a load generator, which do workloads one after another.

    They are started for the first one, and again for the next one after one that failed: either may be broken.
    """

    def __init__(self, server: str, asgi_server: str = ASGI_SERVER) -> None:
        self.server = server
        self._asgi_server = asgi_server
        self._stack = ExitStack()
        self._running: tuple[Process, str, LoadGenerator] | None = None

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._running = None
        self._stack.close()

    def do(self, workload: Workload) -> Measurement:
        process, url, load = self._running = self._running or self._start()
        try:
            return bring_load(load, workload, self.server, process, workload.job(url, None))
        except BaseException:
            self.close()
            raise

    def _start(self) -> tuple[Process, str, LoadGenerator]:
        served = serve(self.server, self._asgi_server, SERVER_CORE, PING_INTERVAL_MS)
        process, url = self._stack.enter_context(served)
        # The connections of this one end before the server does.
        return process, url, self._stack.enter_context(LoadGenerator())


@pytest.fixture(scope="module", params=SERVERS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with Pair(request.param) as pair:
        yield pair


def check(measurement: Measurement) -> None:
    workload = MINIATURES[measurement.workload]
    assert measurement.operations == workload.operations
    assert measurement.throughput > 0
    assert measurement.cpu_us >= 0  # where the kernel counts in ticks, it may be none
    assert math.isfinite(measurement.cost)
    if workload.cost is Cost.CPU:
        assert measurement.p50_us is not None
        assert measurement.p99_us is not None
        assert 0 <= measurement.p50_us <= measurement.p99_us <= math.ceil(measurement.seconds * 1e6)


@pytest.mark.parametrize("name", ALONE)
def test_server_does_workload(pair: Pair, name: str) -> None:
    workload = MINIATURES[name]
    if pair.server in workload.absent:
        assert (name, pair.server) not in plan([name], [pair.server], 0)
    else:
        check(pair.do(workload))


@pytest.mark.parametrize("kind", sorted(set(SERVERS) - WORKLOADS["redis"].absent))
def test_broadcast_comes_through_redis(kind: str) -> None:
    check(measure(MINIATURES["redis"], kind, ASGI_SERVER))


@pytest.mark.parametrize("asgi_server", ["daphne", "granian"])
def test_floor_runs_on_other_asgi_servers(asgi_server: str) -> None:
    with Pair("floor", asgi_server) as pair:
        for name in ("event", "polling", "heartbeat"):
            check(pair.do(MINIATURES[name]))


def test_load_that_fails_is_told_and_the_next_one_is_done() -> None:
    impossible = Workload("event", "", "", load="nothing", operations=1, connections=0)
    with Pair("floor") as pair:
        with pytest.raises(RuntimeError, match=r"(?s)ended before it was ready.*is not a function"):
            pair.do(impossible)
        check(pair.do(MINIATURES["event"]))
