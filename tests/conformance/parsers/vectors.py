"""The vectors of `tests/conformance/vectors`: wire forms and their packets, as data that encoder and decoder share.

An entry has a `name`, the `clause` that it comes from, and

* one wire form: `text` (of an Engine.IO packet, the same in a frame and in a segment), `frame` and `segment`,
  `payload`, or `messages` (of Socket.IO: the header, and its attachments);
* what it decodes to: `packet`, or `packets`;
* `"outcome": "parse error"` if it is refused after these packets: with its last message, or at a segment;
* `"canonical": false` and a `reason` if it is not what an encoder writes;
* the `deviation`, by its name, if the official parser does not agree.

`found.json` is what `fuzz.py` found: inputs of its kinds, on which both sides must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import tagged
from .layers import FRAMES, MESSAGES, PAYLOADS, Layer, Packet, Wire

DIRECTORY = Path(__file__).parent.parent / "vectors"
FOUND = DIRECTORY / "found.json"
FILES = ("engineio", "engineio-invalid", "socketio", "socketio-invalid")


@dataclass(frozen=True)
class Vector:
    name: str
    clause: str
    #: All wire forms of the packets.
    forms: list[tuple[Layer, Wire]]
    packets: list[Packet]
    is_refused: bool
    is_canonical: bool
    deviation: str

    def __str__(self) -> str:
        return self.name

    @property
    def wire(self) -> Wire:
        """The wire form of a vector that has but one."""
        ((_, wire),) = self.forms
        return wire


def load(file: str) -> list[Vector]:
    """Returns the vectors of a file of that directory."""
    return [_vector(entry) for entry in tagged.loads((DIRECTORY / f"{file}.json").read_text())]


def _vector(entry: dict[str, Any]) -> Vector:
    is_canonical = entry.get("canonical", True)
    assert is_canonical or entry["reason"]
    packets = [entry["packet"]] if "packet" in entry else entry.get("packets", [])
    return Vector(
        entry["name"],
        entry["clause"],
        _forms(entry),
        packets,
        is_refused=entry.get("outcome") == "parse error",
        is_canonical=is_canonical,
        deviation=entry.get("deviation", ""),
    )


def _forms(entry: dict[str, Any]) -> list[tuple[Layer, Wire]]:
    if "messages" in entry:
        return [(MESSAGES, entry["messages"])]
    if "payload" in entry:
        return [(PAYLOADS, [entry["payload"]])]
    frame, segment = entry.get("frame", entry.get("text")), entry.get("segment", entry.get("text"))
    return [(layer, [form]) for layer, form in ((FRAMES, frame), (PAYLOADS, segment)) if form is not None]
