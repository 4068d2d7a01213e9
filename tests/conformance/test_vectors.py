"""Each vector: `sio` and the official parsers write it and read it as it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sio.engineio.protocol.packets import SEPARATOR, decode_packet
from sio.exceptions import EncodingError

from .parsers import tagged
from .parsers.deviations import DEVIATIONS, Comparison, compare_decoded, compare_encoded
from .parsers.kinds import KINDS
from .parsers.layers import ERROR, MESSAGES, PAYLOADS, Layer, Outcome, Wire, engineio_packet
from .parsers.oracle import Oracle
from .parsers.vectors import FILES, FOUND, Vector, load
from .report import Verdict

VECTORS = {f"{file}: {vector.name}": vector for file in FILES for vector in load(file)}
FOUND_INPUTS = {f"found: {entry['name']}": entry for entry in tagged.loads(FOUND.read_text())}


def without_gaps(outcome: Outcome) -> Outcome:
    return [packet for packet in outcome if packet is not None]


def assert_equal(first: Any, second: Any) -> None:
    assert tagged.identity(first, tagged.exact) == tagged.identity(second, tagged.exact)


def assert_decoded(layer: Layer, wire: Wire, vector: Vector) -> None:
    """It is read as the vector says, and of messages, each but the last one of a packet asks for more."""
    outcome = layer.decode(wire)
    assert_equal(without_gaps(outcome), [*vector.packets, *[ERROR] * vector.is_refused])
    if layer is MESSAGES:
        assert len(outcome) == len(wire)
    if layer is PAYLOADS and not vector.is_refused:
        pieces = [engineio_packet(decode_packet(segment)) for segment in wire[0].split(SEPARATOR)]
        assert_equal(pieces, vector.packets)


def encoded(layer: Layer, vector: Vector) -> Wire:
    try:
        return layer.encode(vector.packets)
    except EncodingError:
        return [ERROR]


def comparisons(oracle: Oracle, layer: Layer, wire: Wire, vector: Vector) -> Iterator[Comparison]:
    """Yields how `sio` and the official parser compare, having asserted what `sio` does."""
    assert_decoded(layer, wire, vector)
    (theirs,) = oracle.decode(layer, [wire])
    yield compare_decoded(layer, wire, layer.decode(wire), theirs)
    if vector.is_refused:
        return
    written = encoded(layer, vector)
    assert (written == wire) is vector.is_canonical
    (theirs,) = oracle.encode(layer, [vector.packets])
    yield compare_encoded(layer, vector.packets, written, theirs)


def check(vector: Vector, oracle: Oracle, verdict: Verdict) -> None:
    named = set()
    for layer, wire in vector.forms:
        for comparison in comparisons(oracle, layer, wire, vector):
            assert not comparison.disagrees
            if comparison.deviation is not None:
                named.add(comparison.deviation.name)
                verdict.deviates(comparison.deviation.reason)
    assert named == ({vector.deviation} if vector.deviation else set())


def check_found(entry: dict[str, Any], oracle: Oracle) -> None:
    kind = KINDS[entry["kind"]]
    (result,) = kind.judge(kind.layer, oracle, [entry["input"]])
    assert not result.comparison.disagrees, f"sio: {result.ours!r}, {kind.layer.package}: {result.theirs!r}"


@pytest.mark.parametrize("title", [*VECTORS, *FOUND_INPUTS])
def test_vector(title: str, oracle: Oracle, verdict: Verdict) -> None:
    if title in VECTORS:
        verdict.of("Vectors", VECTORS[title].clause, title)
        check(VECTORS[title], oracle, verdict)
    else:
        verdict.of("Vectors", FOUND_INPUTS[title]["clause"], title)
        check_found(FOUND_INPUTS[title], oracle)


def test_each_name_is_given_once() -> None:
    assert len(VECTORS) == sum(len(load(file)) for file in FILES)


def test_each_deviation_is_shown_by_a_vector() -> None:
    """One that nothing shows any more is to be removed, and a vector names none that there is not."""
    assert {vector.deviation for vector in VECTORS.values()} - {""} == {deviation.name for deviation in DEVIATIONS}


def test_vectors_have_all_types() -> None:
    texts = {str(message)[:1] for vector in VECTORS.values() for _, (message, *_) in vector.forms}
    assert texts >= set("0123456")
    assert {form[0].name for vector in VECTORS.values() for form in vector.forms} == {
        kind.layer.name for kind in KINDS.values()
    }
