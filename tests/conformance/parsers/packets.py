"""Random packets."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .layers import Packet

#: What texts are made of: what the formats have a use for, and what is hard to encode.
PIECES = [*'abz059-/,[]{}":\\ b', "\x00", "\x1e", "\x1f", "\n", "\x7f", "é", "€", "😀", "\u2028", "\ufeff", "٣"]
#: Engine.IO carries what others have encoded: no text of its messages has a separator.
ENGINEIO_PIECES = [piece for piece in PIECES if piece != "\x1e"]
#: Not `_placeholder`: no encoder escapes it, so in a packet with attachments it does not come back.
KEYS = ["a", "num", "é", "", "0", "10", "constructor", "toString", "__proto__", "base64", "type"]
NAMES = ["a", "message", "error", "", "é", "2", "toString", "__proto__", 0, 1, -1.5]
ENGINEIO_TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"]
NAMESPACES = ["/", "/", "/admin", "/a/b", "/é", "/x?token=1", "/ ", "/1", "/[]"]


def random_text(randomness: Random, pieces: list[str] = PIECES) -> str:
    return "".join(randomness.choices(pieces, k=randomness.randint(0, 6)))


def random_number(randomness: Random) -> int | float:
    numbers: list[int | float] = [
        0,
        -0.0,
        randomness.randint(-100, 100),
        randomness.randint(-(2**70), 2**70),
        randomness.randint(-1_000, 1_000) / 8,
        randomness.uniform(-1, 1) * 10.0 ** randomness.randint(-320, 308),
    ]
    return randomness.choice(numbers)


def random_binary(randomness: Random) -> bytes:
    return randomness.randbytes(randomness.randint(0, 5))


def random_json(randomness: Random, depth: int = 3) -> Any:
    """Returns a value without binary data."""
    kind = randomness.randrange(8 if depth else 6)
    if kind < 2:
        return randomness.choice([None, True, False])
    if kind < 4:
        return random_text(randomness) + randomness.choice(["", "", "", "\ud800", "\udfff"])
    if kind < 6:
        return random_number(randomness)
    children = range(randomness.randint(0, 3))
    if kind == 6:
        return [random_json(randomness, depth - 1) for _ in children]
    return {randomness.choice(KEYS): random_json(randomness, depth - 1) for _ in children}


def with_binary(randomness: Random, value: Any, attachments: int) -> Any:
    """Returns a list with attachments at random places in it and in its items."""
    value = list(value)
    for _ in range(attachments):
        place = randomness.choice([item for item in value if isinstance(item, list | dict)] or [value])
        if randomness.random() < 0.5:
            place = value
        if isinstance(place, dict):
            place[randomness.choice(KEYS)] = random_binary(randomness)
        else:
            place.insert(randomness.randint(1 if place is value else 0, len(place)), random_binary(randomness))
    return value


def random_engineio_packet(randomness: Random) -> Packet:
    kind = randomness.choice([*ENGINEIO_TYPES, "message", "message"])
    if kind == "message" and randomness.random() < 0.4:
        return {"type": kind, "data": random_binary(randomness)}
    return {"type": kind, "data": random_text(randomness, ENGINEIO_PIECES)}


def random_engineio_packets(randomness: Random) -> list[Packet]:
    return [random_engineio_packet(randomness) for _ in range(randomness.randint(1, 5))]


def random_socketio_packets(randomness: Random) -> list[Packet]:
    kind = randomness.choice(["CONNECT", "DISCONNECT", "EVENT", "EVENT", "EVENT", "ACK", "CONNECT_ERROR"])
    packet = {"type": kind, "namespace": randomness.choice(NAMESPACES), **_CONTENTS[kind](randomness)}
    return [packet]


def _object(randomness: Random) -> Any:
    return {randomness.choice(KEYS): random_json(randomness) for _ in range(randomness.randint(0, 3))}


def _event(randomness: Random) -> Packet:
    arguments = [random_json(randomness) for _ in range(randomness.randint(0, 3))]
    data = with_binary(randomness, [randomness.choice(NAMES), *arguments], _attachments(randomness))
    return {"data": data} | (_ack_id(randomness) if randomness.random() < 0.5 else {})


def _ack(randomness: Random) -> Packet:
    data = [random_json(randomness) for _ in range(randomness.randint(0, 3))]
    return {"data": with_binary(randomness, data, _attachments(randomness) if data else 0)} | _ack_id(randomness)


def _attachments(randomness: Random) -> int:
    return randomness.choice([0, 0, 1, 2, randomness.randint(0, 10)])


def _ack_id(randomness: Random) -> Packet:
    return {"id": randomness.choice([0, randomness.randint(1, 1_000), randomness.randint(1, 2**53)])}


_CONTENTS: dict[str, Callable[[Random], Packet]] = {
    "CONNECT": lambda randomness: {"data": _object(randomness)} if randomness.random() < 0.7 else {},
    "DISCONNECT": lambda randomness: {},
    "EVENT": _event,
    "ACK": _ack,
    "CONNECT_ERROR": lambda randomness: {"data": randomness.choice([random_text, _object])(randomness)},
}


# Whether something, such as a packet that was made smaller, is still one


def are_engineio_packets(packets: list[Packet]) -> bool:
    return all(
        packet.keys() == {"type", "data"}
        and packet["type"] in ENGINEIO_TYPES
        and isinstance(packet["data"], str if packet["type"] != "message" else str | bytes)
        for packet in packets
    )


def are_socketio_packets(packets: list[Packet]) -> bool:
    return all(
        packet.get("type") in _IS_CONTENT
        and packet.get("namespace", "")[:1] == "/"
        and _IS_CONTENT[packet["type"]](packet.get("data"), packet.get("id"))
        for packet in packets
    )


_IS_CONTENT: dict[str, Callable[[Any, Any], bool]] = {
    "CONNECT": lambda data, ack_id: isinstance(data, dict | None),
    "DISCONNECT": lambda data, ack_id: data is None,
    "EVENT": lambda data, ack_id: isinstance(data, list) and data != [] and type(data[0]) in (str, int, float),
    "ACK": lambda data, ack_id: isinstance(data, list) and ack_id is not None,
    "CONNECT_ERROR": lambda data, ack_id: isinstance(data, dict | str),
}
