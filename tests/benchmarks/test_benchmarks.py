"""What is made of measurements: the plan of a round, medians and multiples, and the pages."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docutils.core import publish_doctree

from . import pages
from .__main__ import names, plan
from .chart import chart
from .measure import Measurement
from .processes import ROOT
from .results import Results, results, summary

ASGI_SERVER = "uvicorn"


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


def test_summary_has_what_the_readme_shows(found: Results) -> None:
    short = summary(found)
    assert "measurements" not in short
    assert short["medians"]["event"] == {
        "floor": {"cost": 12.0, "multiple": 1.0},
        "sio": {"cost": 24.0, "multiple": 2.0},
    }
    assert (pages.section(short), chart(short)) == (pages.section(found), chart(found))


@pytest.mark.parametrize(("cost", "expected"), [(2 / 3, 0.66667), (123_456.7, 123_460.0), (0.0, 0.0)])
def test_summary_has_five_digits(cost: float, expected: float) -> None:
    short = summary(results([[measured("sio", cost)]], ASGI_SERVER))
    assert short["medians"]["event"]["sio"] == {"cost": expected, "multiple": None}


class TestCommitted:
    """The run that the README shows."""

    RESULTS = json.loads((pages.RESULTS / "results.json").read_text())

    def test_one_file_has_its_figures_and_the_chart_is_made_of_it(self) -> None:
        assert {path.name for path in pages.RESULTS.iterdir()} == {"results.json", "chart.svg"}
        assert (pages.RESULTS / "chart.svg").read_text() == chart(self.RESULTS)

    def test_it_is_a_summary(self) -> None:
        assert summary(self.RESULTS) == self.RESULTS
        assert sum(path.stat().st_size for path in pages.RESULTS.iterdir()) < 20_000

    def test_readme_shows_it(self) -> None:
        shown = pages.PLACE.search((ROOT / "README.rst").read_text())
        assert shown is not None
        assert shown[0] == f"\n{pages.section(self.RESULTS)}\n\n"


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
        pages.write_section(tmp_path, readme, tmp_path / "committed")
    text = readme.read_text()
    assert text.startswith("a\n\n.. benchmark: begin\n\n.. image:: ")
    assert text.endswith("\n\n.. benchmark: end\n\nz\n")
    assert "old" not in text
    assert "24.0" not in text  # no absolute figure
    assert json.loads((tmp_path / "committed" / "results.json").read_text()) == summary(found)
    assert (tmp_path / "committed" / "chart.svg").read_text() == (tmp_path / "chart.svg").read_text()


def test_page_without_a_place_is_an_error(found: Results, tmp_path: Path) -> None:
    pages.write(found, tmp_path)
    readme = tmp_path / "README.rst"
    readme.write_text("no marks")
    with pytest.raises(ValueError, match=r"benchmark: begin"):
        pages.write_section(tmp_path, readme, tmp_path / "copies")
    assert readme.read_text() == "no marks"
