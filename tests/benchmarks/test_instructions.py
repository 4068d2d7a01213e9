"""An operation costs no more instructions, for one of the floor's, than `bounds.toml` says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import bounds
from .bounds import Bounds
from .instructions import COUNTED, SERVERS, Results, ratios, results, table

PACKAGES = dict.fromkeys(bounds.PACKAGES, "1.2.3")
BOUNDS = Bounds(
    ratios={"3.11": {"event": 2.0, "connect": 1.5}, "3.12": {"event": 1.0, "connect": 2.0}},
    packages={"3.11": PACKAGES, "3.12": PACKAGES},
)


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles")


@pytest.fixture(scope="module")
def found(profiles: Path) -> Results:
    return results(profiles)


@pytest.mark.parametrize("name", COUNTED)
def test_ratio_is_within_its_bound(found: Results, name: str) -> None:
    row, versions = found["workloads"][name], found["versions"]
    known = bounds.read()
    assert row["ratio"] <= known.for_versions(versions)[name], (
        f"{row['sio']} instructions where the floor has {row['floor']}. If they are worth it, {bounds.PATH.name} says"
        f" how to renew the bounds. Counted with other versions: {known.differences(versions) or 'none'}"
    )


def test_counts_are_told(found: Results, profiles: Path) -> None:
    lines = table(found).splitlines()
    for name, row in found["workloads"].items():
        assert any(line.startswith(row["operation"]) and f"{row['ratio']:.3f}" in line for line in lines), name
    assert re.fullmatch(r"\d+\.\d+.*", found["versions"]["valgrind"])
    written = {path.name for path in profiles.iterdir()}
    assert written == {f"{server}-{name}.callgrind" for server in SERVERS for name in COUNTED}


def test_bounds_are_of_what_is_counted() -> None:
    for counted in bounds.read().ratios.values():
        assert list(counted) == list(COUNTED)


@pytest.mark.parametrize(
    ("python", "packages", "allowed"),
    [
        pytest.param("3.11.7", {}, {"event": 2.06, "connect": 1.545}, id="counted with these"),
        pytest.param("3.12.0", {}, {"event": 1.03, "connect": 2.06}, id="another Python that was counted"),
        pytest.param("3.11.7", {"uvicorn": "1.2.9"}, {"event": 2.06, "connect": 1.545}, id="a patch release"),
        pytest.param("3.11.7", {"uvicorn": "1.3.0"}, {"event": 2.2, "connect": 1.65}, id="a minor release"),
        pytest.param("3.14.0", {}, {"event": 2.2, "connect": 2.2}, id="a Python that was not counted"),
    ],
)
def test_room_depends_on_versions(python: str, packages: dict[str, str], allowed: dict[str, float]) -> None:
    assert BOUNDS.for_versions({"Python": python, **PACKAGES, **packages}) == pytest.approx(allowed)


def test_differences_are_named() -> None:
    assert BOUNDS.differences({"Python": "3.11.0", **PACKAGES}) == []
    assert BOUNDS.differences({"Python": "3.11.0", **PACKAGES, "django": "2.0"}) == ["django 2.0 and not 1.2.3"]
    assert BOUNDS.differences({"Python": "3.20.0", **PACKAGES}) == ["Python 3.20, of which nothing was counted"]


def test_bounds_are_renewed(found: Results, tmp_path: Path) -> None:
    path = tmp_path / "bounds.toml"
    path.write_text(bounds.PATH.read_text())
    before = bounds.read(path)
    bounds.renew({**found["versions"], "Python": "3.9.1"}, ratios(found), path)
    after = bounds.read(path)
    assert list(after.ratios) == ["3.9", *before.ratios]
    assert after.ratios == {"3.9": ratios(found), **before.ratios}
    assert after.packages["3.9"]["uvicorn"] == found["versions"]["uvicorn"]
    bounds.renew({**found["versions"], "Python": "3.9.2"}, before.ratios["3.11"], path)
    assert bounds.read(path).ratios["3.9"] == before.ratios["3.11"]
    assert path.read_text().startswith(bounds.PATH.read_text().partition("[python")[0])
