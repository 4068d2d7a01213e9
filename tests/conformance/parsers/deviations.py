"""Where `sio` is meant to differ from the official parsers. They are data: `deviations.json`.

Each has a `name` and a `reason`, and is recognised by its `layers`, by what it `shows`, and by what `matches` the text
in question from its beginning: what was refused, the packets as JSON, or the messages that were written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import tagged
from .layers import ERROR, Layer, Outcome, Packet, Wire

#: What a deviation may show.
REFUSED = "refused"
EQUAL_AS_DOUBLES = "equal as doubles"
LOST = "lost by the reference's encoder"
WRITTEN_OTHERWISE = "written otherwise"
NOT_WRITTEN = "not written"


@dataclass(frozen=True)
class Deviation:
    name: str
    reason: str
    layers: list[str]
    shows: str
    matches: str

    def applies(self, layer: Layer, shows: str, text: str) -> bool:
        return layer.name in self.layers and shows == self.shows and re.match(self.matches, text) is not None


DEVIATIONS = [Deviation(**entry) for entry in json.loads(Path(__file__).with_name("deviations.json").read_text())]


@dataclass(frozen=True)
class Comparison:
    """Whether both sides made the same of something, and if not, the deviation that explains it."""

    same: bool
    deviation: Deviation | None = None

    @property
    def disagrees(self) -> bool:
        return not self.same and self.deviation is None


SAME = Comparison(same=True)


def compare_decoded(layer: Layer, wire: Wire, ours: Outcome, theirs: Outcome) -> Comparison:
    """Compares what both decoders read."""
    if _equal(ours, theirs):
        return SAME
    if _equal_as_doubles(ours, theirs):
        return _explained(layer, EQUAL_AS_DOUBLES)
    end = len(ours) - 1
    if ours[end:] == [ERROR] != theirs[end:] and _equal_as_doubles(ours[:end], theirs[:end]):
        return _explained(layer, REFUSED, layer.refused(wire, ours))
    return Comparison(same=False)


def compare_encoded(layer: Layer, packets: list[Packet], ours: Wire, theirs: Wire) -> Comparison:
    """Compares what both encoders wrote of the same packets."""
    if ours == theirs:
        return SAME
    if ours == [ERROR]:
        return _explained(layer, NOT_WRITTEN, tagged.dumps(packets))
    values = compare_crossed(layer, packets, layer.decode(theirs), written_by_us=False)
    return _explained(layer, WRITTEN_OTHERWISE, _first_text(ours)) if values.same else values


def compare_crossed(layer: Layer, packets: list[Packet], read: Outcome, *, written_by_us: bool) -> Comparison:
    """Compares packets with what one side read of that which the other side wrote of them."""
    read = [packet for packet in read if packet is not None]
    if _equal(packets, read):
        return SAME
    if _equal_as_doubles(packets, read):
        return _explained(layer, EQUAL_AS_DOUBLES)
    return Comparison(same=False) if written_by_us else _explained(layer, LOST, tagged.dumps(packets))


def _explained(layer: Layer, shows: str, text: str = "") -> Comparison:
    applying = (deviation for deviation in DEVIATIONS if deviation.applies(layer, shows, text))
    return Comparison(same=False, deviation=next(applying, None))


def _equal(first: object, second: object) -> bool:
    return tagged.identity(first, tagged.exact) == tagged.identity(second, tagged.exact)


def _equal_as_doubles(first: object, second: object) -> bool:
    return tagged.identity(first, tagged.double) == tagged.identity(second, tagged.double)


def _first_text(wire: Wire) -> str:
    return next((message for message in wire if isinstance(message, str)), "")
