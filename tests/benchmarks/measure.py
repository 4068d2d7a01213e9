"""One measurement: a workload on a server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .catalog import redis_server, serve
from .processes import LOAD_CORE, SERVER_CORE, Process
from .workloads import DEFAULT_PING_INTERVAL_MS, Cost, Workload

LOAD = Path(__file__).parent / "load.js"


@dataclass(frozen=True)
class Measurement:
    """What was counted while a server did a workload."""

    workload: str
    server: str
    operations: int
    seconds: float
    #: Of the server's CPU, for an operation.
    cpu_us: float
    #: By which the server's resident memory grew, for an operation.
    memory_kb: float
    #: What the workload is about, in the unit of its `Cost`.
    cost: float
    #: Latency in microseconds; None where it has no meaning.
    p50_us: int | None
    p99_us: int | None

    @property
    def throughput(self) -> float:
        """Operations in a second."""
        return self.operations / self.seconds


def measure(workload: Workload, server: str, asgi_server: str) -> Measurement:
    """Starts a server and brings the load to it."""
    with running(workload, server, asgi_server) as (process, url, trigger):
        return bring_load(workload, server, process, workload.job(url, trigger))


@contextlib.contextmanager
def running(workload: Workload, server: str, asgi_server: str) -> Iterator[tuple[Process, str, str | None]]:
    """Runs a server. Yields its process, its URL, and that of the other process which the workload needs."""
    interval = workload.ping_interval_ms
    with contextlib.ExitStack() as stack:
        redis_url = stack.enter_context(redis_server()) if workload.through_redis else ""
        process, url = stack.enter_context(serve(server, asgi_server, SERVER_CORE, interval, redis_url))
        trigger = None
        if workload.through_redis:
            _, trigger = stack.enter_context(serve(server, asgi_server, LOAD_CORE, interval, redis_url))
        yield process, url, trigger


def bring_load(workload: Workload, server: str, process: Process, job: dict[str, Any]) -> Measurement:
    with Process(["node", LOAD, json.dumps(job)], LOAD_CORE, talks=True) as load:
        hear(load, process, "ready")
        if workload.cost is Cost.MEMORY:
            process.wait_for_rest()
        cpu, memory = process.cpu_seconds(), process.resident_kb()
        tell(load, "go")
        result = hear(load, process, "done")
        cpu = process.cpu_seconds() - cpu
        if workload.cost is Cost.MEMORY:
            process.wait_for_rest()
        memory = process.resident_kb() - memory
    return measurement(workload, server, result, cpu, memory)


def measurement(workload: Workload, server: str, result: dict[str, Any], cpu: float, memory: float) -> Measurement:
    operations = result["operations"]
    cpu_us, memory_kb = cpu * 1e6 / operations, memory / operations
    costs = {
        Cost.CPU: cpu_us,
        Cost.MEMORY: memory_kb,
        # The share of each connection is what its heartbeat costs, once in an interval.
        Cost.HEARTBEAT: 100 * cpu_us / 1e6 * workload.connections / (DEFAULT_PING_INTERVAL_MS / 1000),
    }
    return Measurement(
        workload=workload.name,
        server=server,
        operations=operations,
        seconds=result["seconds"],
        cpu_us=cpu_us,
        memory_kb=memory_kb,
        cost=costs[workload.cost],
        p50_us=result.get("p50"),
        p99_us=result.get("p99"),
    )


def tell(load: Process, line: str) -> None:
    assert load.popen.stdin is not None
    load.popen.stdin.write(f"{line}\n")
    load.popen.stdin.flush()


def hear(load: Process, server: Process, phase: str) -> dict[str, Any]:
    """Waits until the load generator says that it is in a phase. Returns what it says."""
    assert load.popen.stdout is not None
    line = load.popen.stdout.readline()
    if not line:
        load.popen.wait()
        raise load.fail(f"the load ended before it was {phase}, with the server's log\n{server.output()}\n")
    said: dict[str, Any] = json.loads(line)
    assert said["phase"] == phase, said
    return said
