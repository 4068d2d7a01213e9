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
    with running(workload, server, asgi_server) as (process, url, trigger), LoadGenerator() as load:
        return bring_load(load, workload, server, process, workload.job(url, trigger))


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


class LoadGenerator(Process):
    """The process that brings loads to servers, one after another."""

    def __init__(self) -> None:
        super().__init__(["node", LOAD], LOAD_CORE, talks=True)

    def prepare(self, job: dict[str, Any], server: Process) -> None:
        """Brings a server to the point where a workload can be measured."""
        self._tell(json.dumps(job))
        self._hear("ready", server)

    def run(self, server: Process) -> dict[str, Any]:
        """Has the operations done. Returns what was counted."""
        self._tell("go")
        return self._hear("done", server)

    def _tell(self, line: str) -> None:
        assert self.popen.stdin is not None
        # That it ended is seen, with the reason, when an answer is waited for.
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.write(f"{line}\n")
            self.popen.stdin.flush()

    def _hear(self, phase: str, server: Process) -> dict[str, Any]:
        """Waits until it says that it is in a phase. Returns what it says."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            self.popen.wait()
            raise self.fail(f"the load ended before it was {phase}, with the server's log\n{server.output()}\n")
        said: dict[str, Any] = json.loads(line)
        assert said["phase"] == phase, said
        return said


def bring_load(
    load: LoadGenerator, workload: Workload, server: str, process: Process, job: dict[str, Any]
) -> Measurement:
    load.prepare(job, process)
    if workload.cost is Cost.MEMORY:
        process.wait_for_rest()
    cpu, memory = process.cpu_seconds(), process.resident_kb()
    result = load.run(process)
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
