"""Valid wire forms with a few random changes. One in ten is left as it is."""

from __future__ import annotations

import functools
import re
from random import Random
from typing import Any

from sio.engineio.protocol.packets import SEPARATOR

from . import vectors
from .layers import FRAMES, MESSAGES, PAYLOADS, Layer, Wire
from .packets import random_engineio_packets, random_socketio_packets

#: What is put in: what the formats have a use for, and what they should have none for.
TEXTS: list[str] = [
    "",
    *'0123456789-/,[]{}":.eE+x_ \\\nbBA=',
    "null",
    "true",
    '"num":',
    '"_placeholder":true,',
    "\u00a0",
    "\n",
    "\x1e",
    "é",
    "٣",
    "Ł",
]
#: A digit, a word, a string or a sign; and what may come in the place of one.
TOKEN = re.compile(r'[0-9]|[a-z_]+|"[^"]*"|.', re.DOTALL)
TOKENS: list[str] = [
    *["0", "-0", "1", "-1", "2", "10", "11", "007", "1.0", "0.5", "1e0", "1E999", "9007199254740993"],
    *[
        "null",
        "true",
        "false",
        "NaN",
        "[]",
        "{}",
        '""',
        '"a"',
        '"num"',
        '"connect"',
        '"disconnecting"',
        '"newListener"',
        '"\\ud800"',
        '"\\u0063onnect"',
    ],
    *['{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":1}', '"__proto__"', " ", "/", "/a,", "-", ","],
]
#: Longer ones are of no interest: a change would be lost in them.
LONGEST = 300


@functools.cache
def seeds(layer: Layer) -> list[Wire]:
    """Returns the wire forms of the valid vectors."""
    files = ("socketio",) if layer is MESSAGES else ("engineio",)
    forms = [form for file in files for vector in vectors.load(file) for form in vector.forms]
    return [wire for form_layer, wire in forms if form_layer is layer and sum(map(len, wire)) <= LONGEST]


def _valid(layer: Layer, randomness: Random) -> Wire:
    """Returns the wire form of a vector, or of random packets."""
    if randomness.random() < 0.5:
        return list(randomness.choice(seeds(layer)))
    return layer.encode((random_socketio_packets if layer is MESSAGES else random_engineio_packets)(randomness))


def mutated_text(randomness: Random, text: str) -> str:
    """Changes near the beginning, where the headers are, are as likely as all the others."""
    for _ in range(randomness.choice([1, 1, 2, 3])):
        change = with_other_text if randomness.random() < 0.5 else with_other_token
        text = change(randomness, text)
    return text


def with_other_text(randomness: Random, text: str) -> str:
    start = randomness.randint(0, randomness.choice([len(text), min(8, len(text))]))
    end = min(len(text), start + randomness.choice([0, 0, 1, 1, 2, 5]))
    return text[:start] + randomness.choice([*TEXTS, text[start:end] * 2]) + text[end:]


def with_other_token(randomness: Random, text: str) -> str:
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return randomness.choice(TOKENS)
    start, end = randomness.choice(tokens[: randomness.choice([5, None])]).span()
    return text[:start] + randomness.choice([*TOKENS, text[start:end] * 2, ""]) + text[end:]


def mutated_messages(randomness: Random) -> Wire:
    """Messages of Socket.IO, the first one with changes, and sometimes one more or less."""
    messages = _valid(MESSAGES, randomness)
    if randomness.random() < 0.9:
        messages[0] = mutated_text(randomness, messages[0])
    if randomness.random() < 0.15:
        messages.insert(randomness.randint(0, len(messages)), randomness.choice([b"stray", "2", '2["a"]']))
    if randomness.random() < 0.1 and len(messages) > 1:
        messages.pop()
    return messages


def mutated_frames(randomness: Random) -> Wire:
    frames = _valid(FRAMES, randomness)
    at = randomness.randrange(len(frames))
    if randomness.random() < 0.9:
        frames[at] = mutated_text(randomness, frames[at]) if isinstance(frames[at], str) else _junk(randomness)
    return frames


def _junk(randomness: Random) -> Any:
    return randomness.choice([b"", b"b", b"4a", "b", "b=", "b!", randomness.randbytes(3)])


def mutated_payload(randomness: Random) -> Wire:
    """A payload with changes: of its text, and now and then of its bytes."""
    (payload,) = _valid(PAYLOADS, randomness)
    if isinstance(payload, bytes):
        return [payload]
    if randomness.random() < 0.3:
        payload += SEPARATOR + randomness.choice(seeds(PAYLOADS))[0]
    if randomness.random() < 0.9:
        payload = mutated_text(randomness, payload)
    if randomness.random() < 0.1:
        body = bytearray(payload.encode())
        body.insert(randomness.randint(0, len(body)), randomness.randrange(256))
        return [bytes(body)]
    return [payload]
