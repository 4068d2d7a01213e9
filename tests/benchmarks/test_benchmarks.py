"""The benchmark in miniature: every workload on every server counts what was asked for, and the pages are written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docutils.core import publish_doctree

from . import pages
from .__main__ import names, plan
from .catalog import SERVERS, serve
from .measure import Measurement, bring_load, measure
from .processes import SERVER_CORE, Process
from .results import Results, results
from .workloads import WORKLOADS, Cost

ASGI_SERVER = "uvicorn"
MINIATURES = {name: workload.miniature() for name, workload in WORKLOADS.items()}
ALONE = [name for name, workload in MINIATURES.items() if not workload.through_redis]
PING_INTERVAL_MS = MINIATURES["heartbeat"].ping_interval_ms

#: A server and its process, which do all workloads one after another.
Running = tuple[str, Process, str]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with serve(request.param, ASGI_SERVER, SERVER_CORE, PING_INTERVAL_MS) as (process, url):
        yield request.param, process, url


def check(measurement: Measurement) -> None:
    workload = MINIATURES[measurement.workload]
    assert measurement.operations == workload.operations
    assert measurement.throughput > 0
    assert measurement.cpu_us > 0
    assert math.isfinite(measurement.cost)
    if workload.cost is Cost.CPU:
        assert measurement.p50_us is not None
        assert measurement.p99_us is not None
        assert 0 < measurement.p50_us <= measurement.p99_us < measurement.seconds * 1e6


@pytest.mark.parametrize("name", ALONE)
def test_server_does_workload(server: Running, name: str) -> None:
    kind, process, url = server
    workload = MINIATURES[name]
    if kind in workload.absent:
        assert (name, kind) not in plan([name], [kind], 0)
    else:
        check(bring_load(workload, kind, process, workload.job(url, None)))


@pytest.mark.parametrize("kind", sorted(set(SERVERS) - WORKLOADS["redis"].absent))
def test_broadcast_comes_through_redis(kind: str) -> None:
    check(measure(MINIATURES["redis"], kind, ASGI_SERVER))


@pytest.mark.parametrize("asgi_server", ["daphne", "granian"])
def test_floor_runs_on_other_asgi_servers(asgi_server: str) -> None:
    with serve("floor", asgi_server, SERVER_CORE, PING_INTERVAL_MS) as (process, url):
        for workload in (MINIATURES[name] for name in ("event", "polling", "heartbeat")):
            check(bring_load(workload, "floor", process, workload.job(url, None)))


def test_server_that_fails_is_told_with_its_log() -> None:
    with (
        pytest.raises(RuntimeError, match="No module named") as caught,
        Process(["node", "-e", "console.error('No module named x'); process.exit(3)"], SERVER_CORE) as process,
    ):
        process.wait_for_port(1)
    assert "ended with 3" in str(caught.value)


def test_each_round_begins_with_another_server() -> None:
    first = [list(plan(["event", "polling"], ["floor", "sio", "channels"], turn)) for turn in range(4)]
    assert first[0] == [
        *(("event", "floor"), ("event", "sio"), ("event", "channels")),
        *(("polling", "floor"), ("polling", "sio")),
    ]
    assert [order[0][1] for order in first] == ["floor", "sio", "channels", "floor"]


def test_names_are_in_the_order_of_tables() -> None:
    assert names(["a", "b", "c"])("c, a") == ["a", "c"]
    assert names(["a", "b", "c"])("") == ["a", "b", "c"]


def measured(server: str, cost: float, workload: str = "event") -> Measurement:
    return Measurement(workload, server, 10, 2.0, cost, 0.0, cost, p50_us=5, p99_us=9)


@pytest.fixture
def found() -> Results:
    costs = [(10.0, 20.0), (12.0, 30.0), (50.0, 24.0)]
    return results([[measured("floor", floor), measured("sio", sio)] for floor, sio in costs], ASGI_SERVER)


def test_medians_are_compared_with_the_floor(found: Results) -> None:
    medians = found["medians"]["event"]
    assert (medians["floor"]["cost"], medians["sio"]["cost"]) == (12.0, 24.0)
    assert medians["sio"]["multiple"] == 2.0
    assert medians["sio"]["throughput"] == 5.0


def test_run_without_the_floor_has_no_multiples() -> None:
    found = results([[measured("sio", 3.0)]], ASGI_SERVER)
    assert found["medians"]["event"]["sio"]["multiple"] is None
    assert "event with ack          ·" in pages.multiples(found)


def test_results_are_written(found: Results, tmp_path: Path) -> None:
    pages.write(found, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["medians"] == found["medians"]
    document = publish_doctree(
        (tmp_path / "results.rst").read_text(), settings_overrides={"halt_level": 2, "report_level": 2}
    )
    assert "2.00" in [node.astext() for node in document.findall() if node.tagname == "entry"]
    drawing = ElementTree.fromstring((tmp_path / "chart.svg").read_text())
    assert ["sio", "2.00"] == [node.text for node in drawing.iter() if node.get("class") in ("name", "value")]


def test_section_is_written_between_its_marks(found: Results, tmp_path: Path) -> None:
    pages.write(found, tmp_path)
    readme = tmp_path / "README.rst"
    readme.write_text("a\n\n.. benchmark: begin\n\nold\n\n.. benchmark: end\n\nz\n")
    for _ in range(2):
        pages.write_section(tmp_path, readme, tmp_path / "copies")
    text = readme.read_text()
    assert text.startswith("a\n\n.. benchmark: begin\n\n.. image:: ")
    assert text.endswith("\n\n.. benchmark: end\n\nz\n")
    assert "old" not in text
    assert "24.0" not in text  # no absolute figure
    assert (tmp_path / "copies" / "results.json").exists()
    assert (tmp_path / "copies" / "chart.svg").read_text() == (tmp_path / "chart.svg").read_text()


def test_page_without_a_place_is_an_error(found: Results, tmp_path: Path) -> None:
    pages.write(found, tmp_path)
    readme = tmp_path / "README.rst"
    readme.write_text("no marks")
    with pytest.raises(ValueError, match=r"benchmark: begin"):
        pages.write_section(tmp_path, readme, tmp_path / "copies")
    assert readme.read_text() == "no marks"
