"""The kinds of cases: what is made at random, and how both sides are compared on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from .deviations import Comparison, compare_crossed, compare_decoded
from .layers import ERROR, FRAMES, MESSAGES, PAYLOADS, Layer, Packet
from .mutations import mutated_frames, mutated_messages, mutated_payload
from .oracle import Oracle
from .packets import (
    are_engineio_packets,
    are_socketio_packets,
    random_engineio_packets,
    random_socketio_packets,
)


@dataclass(frozen=True)
class Result:
    """What became of one input."""

    input: Any
    #: What `sio` wrote or read, and what the official parser did with it or with the same input.
    ours: Any
    theirs: Any
    comparison: Comparison

    @property
    def is_refused(self) -> bool:
        return ERROR in self.theirs


@dataclass(frozen=True)
class Kind:
    """One row of the report: a layer and a direction."""

    layer: Layer
    direction: str
    generate: Callable[[Random], Any]
    #: Says whether a smaller input is still one.
    is_input: Callable[[Any], bool]
    judge: Callable[[Layer, Oracle, Sequence[Any]], list[Result]]

    @property
    def name(self) -> str:
        return f"{self.layer.name}: {self.direction}"


def encoded_by_us(layer: Layer, oracle: Oracle, groups: Sequence[list[Packet]]) -> list[Result]:
    """`sio` writes, and the official parser reads."""
    wires = [_attempt(layer.encode, packets) for packets in groups]
    return [
        Result(packets, wire, read, compare_crossed(layer, packets, read, written_by_us=True))
        for packets, wire, read in zip(groups, wires, oracle.decode(layer, wires), strict=True)
    ]


def decoded_by_us(layer: Layer, oracle: Oracle, groups: Sequence[list[Packet]]) -> list[Result]:
    """The official parser writes, and `sio` reads."""
    wires = oracle.encode(layer, groups)
    reads = [_attempt(layer.decode, wire) for wire in wires]
    return [
        Result(packets, read, wire, compare_crossed(layer, packets, read, written_by_us=False))
        for packets, read, wire in zip(groups, reads, wires, strict=True)
    ]


def decoded_by_both(layer: Layer, oracle: Oracle, wires: Sequence[Any]) -> list[Result]:
    """Both read: both accept with equal values, or both refuse."""
    outcomes = [_attempt(layer.decode, wire) for wire in wires]
    return [
        Result(wire, ours, theirs, compare_decoded(layer, wire, ours, theirs))
        for wire, ours, theirs in zip(wires, outcomes, oracle.decode(layer, wires), strict=True)
    ]


def _attempt(step: Callable[[Any], list[Any]], value: Any) -> list[Any]:
    """Returns what comes of it. An exception that is not promised agrees with nothing."""
    try:
        return step(value)
    except Exception as error:
        return [f"raised {type(error).__name__}"]


def kinds(*layers: Layer) -> list[Kind]:
    """Returns the kinds of these layers, whose decoders and encoders may be others than those of `sio`."""
    return [kind for layer in layers for kind in _kinds(layer)]


def _kinds(layer: Layer) -> list[Kind]:
    are_packets = are_socketio_packets if layer.name == MESSAGES.name else are_engineio_packets
    generate = random_socketio_packets if layer.name == MESSAGES.name else random_engineio_packets
    mutate, is_wire = _MUTATIONS[layer.name]
    return [
        Kind(layer, "encode", generate, lambda packets: packets != [] and are_packets(packets), encoded_by_us),
        Kind(layer, "decode", generate, lambda packets: packets != [] and are_packets(packets), decoded_by_us),
        Kind(layer, "mutations", mutate, is_wire, decoded_by_both),
    ]


_MUTATIONS: dict[str, tuple[Callable[[Random], Any], Callable[[Any], bool]]] = {
    FRAMES.name: (mutated_frames, bool),
    PAYLOADS.name: (mutated_payload, lambda wire: len(wire) == 1),
    MESSAGES.name: (mutated_messages, bool),
}

KINDS = {kind.name: kind for kind in kinds(FRAMES, PAYLOADS, MESSAGES)}
