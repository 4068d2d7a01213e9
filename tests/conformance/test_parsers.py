"""The parsers of `sio` and the official ones on random packets and on mutated wire forms, always the same ones here.

`python -m tests.conformance.parsers.fuzz` takes any number and seed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sio.engineio.protocol.packets import SEPARATOR

from .parsers import tagged
from .parsers.fuzz import fuzz, judged, kept
from .parsers.kinds import KINDS, Kind, Result, kinds
from .parsers.layers import FRAMES, MESSAGES, PAYLOADS, Layer, Outcome, Wire
from .parsers.oracle import Oracle, official
from .parsers.shrink import shrink, size
from .parsers.vectors import FOUND
from .report import Verdict

NUMBER = 20_000
SEED = "conformance"


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """A found file for what tests break on purpose."""
    file = tmp_path / "found.json"
    file.write_text("[]")
    return file


@pytest.fixture(scope="module")
def results(oracle: Oracle) -> dict[str, list[Result]]:
    """What became of all inputs, by their kinds."""
    return {name: list(judged(kind, oracle, -(-NUMBER // len(KINDS)), SEED)) for name, kind in KINDS.items()}


class TestAgreement:
    @pytest.mark.parametrize("name", KINDS)
    def test_sides_agree(self, name: str, oracle: Oracle, results: dict[str, list[Result]], verdict: Verdict) -> None:
        verdict.of("Parsers", official(KINDS[name].layer.package), name)
        for result in results[name]:
            if result.comparison.disagrees:
                pytest.fail(kept(KINDS[name], oracle, result, SEED, FOUND), pytrace=False)
            if result.comparison.deviation is not None:
                verdict.deviates(result.comparison.deviation.reason)

    @pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.direction == "mutations"])
    def test_mutations_are_neither_all_good_nor_all_bad(self, name: str, results: dict[str, list[Result]]) -> None:
        refused = [result.is_refused for result in results[name]]
        assert 0.15 < sum(refused) / len(refused) < 0.85

    def test_few_are_explained_by_a_deviation(self, results: dict[str, list[Result]]) -> None:
        """A deviation that is recognised too easily would hide faults."""
        explained = [result.comparison.deviation is not None for each in results.values() for result in each]
        assert 0 < sum(explained) / len(explained) < 0.1


def wrong(layer: Layer, decode: Callable[[Wire], Outcome]) -> list[Kind]:
    return kinds(dataclasses.replace(layer, decode=decode))


def swaps_attachments(wire: Wire) -> Outcome:
    """A decoder of Socket.IO that takes the attachments in the wrong order."""
    return MESSAGES.decode([*wire[:1], *wire[:0:-1]])


def loses_segments(wire: Wire) -> Outcome:
    """A decoder of payloads that reads no more than three packets."""
    return PAYLOADS.decode(wire)[:3]


def takes_type_7(wire: Wire) -> Outcome:
    """A decoder of frames to which an unknown type is NOOP."""
    return FRAMES.decode(["6" if isinstance(frame, str) and frame[:1] == "7" else frame for frame in wire])


def shortest_found(file: Path) -> list[tuple[str, Any]]:
    return [(entry["kind"], entry["input"]) for entry in tagged.loads(file.read_text())]


def leaks_exceptions(wire: Wire) -> Outcome:
    """A decoder of frames that takes all of them for text."""
    return FRAMES.decode(["".join([frame]) for frame in wire])


class TestDisagreement:
    """A wrong decoder is found out, with a short input that is kept."""

    def test_packets_that_do_not_come_back(self, oracle: Oracle, found: Path) -> None:
        kind = wrong(MESSAGES, swaps_attachments)[1]
        (report,) = fuzz([kind], oracle, 500, SEED, found)
        ((name, [packet]),) = shortest_found(found)
        assert name == kind.name == "socket.io: decode"
        assert packet["type"] in ("EVENT", "ACK")
        assert sorted(value for value in packet["data"] if isinstance(value, bytes))[0] == b""
        assert size(packet) < 60
        assert SEED in report
        assert "socket.io-parser" in report

    def test_wire_form_that_only_one_side_takes(self, oracle: Oracle, found: Path) -> None:
        kind = wrong(FRAMES, takes_type_7)[2]
        (report,) = fuzz([kind], oracle, 2_000, SEED, found)
        assert shortest_found(found) == [(kind.name, ["7"])]
        assert '"noop"' in report
        assert '"error"' in report

    def test_exception_that_is_not_promised(self, oracle: Oracle, found: Path) -> None:
        kind = wrong(FRAMES, leaks_exceptions)[2]
        (report,) = fuzz([kind], oracle, 500, SEED, found)
        assert shortest_found(found) == [(kind.name, [b""])]
        assert '"raised TypeError"' in report

    def test_segments_that_are_lost(self, oracle: Oracle, found: Path) -> None:
        fuzz(wrong(PAYLOADS, loses_segments), oracle, 500, SEED, found)
        ((decode, packets), (mutations, (payload,))) = shortest_found(found)
        assert (decode, mutations) == ("engine.io payloads: decode", "engine.io payloads: mutations")
        assert [packet["data"] for packet in packets] == [""] * 4
        assert payload.count(SEPARATOR) == 3
        assert len(payload) < 8

    def test_input_is_kept_once(self, oracle: Oracle, found: Path) -> None:
        for _ in range(2):
            assert fuzz(wrong(FRAMES, takes_type_7), oracle, 2_000, SEED, found)
        assert len(shortest_found(found)) == 1

    def test_found_input_is_a_case_until_it_is_mended(self, oracle: Oracle, found: Path) -> None:
        faulty = wrong(FRAMES, takes_type_7)
        fuzz(faulty, oracle, 2_000, SEED, found)
        ((name, value),) = shortest_found(found)
        for kind, is_mended in ((faulty[2], False), (KINDS[name], True)):
            (result,) = kind.judge(kind.layer, oracle, [value])
            assert result.comparison.disagrees is not is_mended

    def test_sides_that_agree_leave_the_file_as_it_is(self, oracle: Oracle, found: Path) -> None:
        assert fuzz(KINDS.values(), oracle, 100, SEED, found) == []
        assert shortest_found(found) == []


@pytest.mark.parametrize(
    ("value", "needed", "shortest"),
    [
        ("abcXdefX", "X", "X"),
        (["ab", "cXd", b"e"], "X", ["X"]),
        ({"a": ["X", 123456], "b": {"c": True}}, "X", {"a": ["X"]}),
        ([1, 987.5, "X"], "987", [987.5]),
    ],
)
def test_shrinking_leaves_what_is_needed(value: Any, needed: str, shortest: Any) -> None:
    assert shrink(value, lambda candidates: [needed in str(candidate) for candidate in candidates]) == shortest
