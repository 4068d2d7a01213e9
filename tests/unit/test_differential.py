"""The decoders against the official `socket.io-parser` and `engine.io-parser`, run by Node.

Both sides get the same input, and must accept or refuse the same, and read the same values; but for the differences
that are meant, which have a name and a reason.
"""

from __future__ import annotations

import base64
import json
import math
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sio.engineio.packets import SEPARATOR, PacketType, decode_payload
from sio.engineio.packets import ParseError as EngineIOParseError
from sio.socketio.options import SocketIOOptions
from sio.socketio.packets import ParseError, SocketIOPacket
from sio.socketio.parser import MAX_DIGITS, MAX_NAMESPACE_LENGTH, SocketIOParser

from .test_engineio_packets import BINARY_VECTORS, TEXT_VECTORS
from .test_engineio_packets import MALFORMED as MALFORMED_SEGMENTS
from .test_parser import MALFORMED, MALFORMED_PLACEHOLDERS, nested
from .test_socketio_packets import VECTORS

SCRIPT = Path(__file__).with_name("reference_parsers.js")

Message = str | bytes
#: What becomes of each message or segment: a packet, None for "more is needed", or "error", the last one then.
Outcome = list[Any]

#: What JavaScript's `Number()` takes for white space, and thus for 0.
JS_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def ask_reference(parser: str, inputs: Sequence[Sequence[Any]]) -> list[Outcome]:
    """Returns what the official parser makes of each input."""
    node = shutil.which("node")
    assert node, "node is missing: 'make test' sets it up"
    lines = [json.dumps([parser, *map(to_json, messages)]) for messages in inputs]
    run = subprocess.run([node, str(SCRIPT)], input="\n".join(lines), capture_output=True, text=True, env=os.environ)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.split("\n") if line]


def to_json(message: Message) -> Any:
    return message if isinstance(message, str) else {"$binary": base64.b64encode(message).decode()}


def comparable(value: Any) -> Any:
    """Returns a value of ours, or of the answer of the reference, as it is compared: JavaScript has but one type of
    number.
    """
    if isinstance(value, bytes):
        return to_json(value)
    if isinstance(value, dict):
        return float(value["$number"]) if "$number" in value else {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1_023 else math.copysign(math.inf, value)
    return value


# Socket.IO


def read_socketio(messages: Sequence[Message]) -> Outcome:
    """Returns what our parser makes of the messages."""
    parser, outcome = SocketIOParser(SocketIOOptions()), []
    for message in messages:
        try:
            outcome.append(as_reference(parser.feed(message)))
        except ParseError:
            return [*outcome, "error"]
    return outcome


def as_reference(packet: SocketIOPacket | None) -> Any:
    """Returns a packet with the names that the reference uses."""
    if packet is None:
        return None
    fields = {"type": packet.type.value, "nsp": packet.namespace, "id": packet.id, "data": packet.data}
    return {name: value for name, value in fields.items() if value is not None}


def has_loose_attachment_count(text: str) -> bool:
    match = re.match(r"[56]([^-]*)-", text)
    return match is not None and re.fullmatch("[0-9]+", match[1]) is None


def has_loose_ack_id(text: str) -> bool:
    return re.match(rf"[0-6](?:[0-9]+-)?(?:/[^,]*,)?[0-9]*[{JS_SPACE}]", text) is not None


def has_long_number(text: str) -> bool:
    return (
        re.match(rf"[0-6](?:[0-9]+-)?(?:/[^,]*,)?[0-9]{{{MAX_DIGITS + 1}}}|[56][0-9]{{{MAX_DIGITS + 1}}}", text)
        is not None
    )


def has_long_namespace(text: str) -> bool:
    return re.match(rf"[0-6](?:[0-9]+-)?/[^,]{{{MAX_NAMESPACE_LENGTH}}}", text) is not None


def is_deep(text: str) -> bool:
    """Whether there are more brackets than SIO_MAX_JSON_DEPTH: in the inputs here, all in one another."""
    return text.count("[") + text.count("{") > SocketIOOptions().max_json_depth


#: What we refuse and the reference takes, with the test for it.
STRICTER: dict[str, Callable[[str], bool]] = {
    "the type is a digit: `Number('')` and `Number(' ')` are the 0 of CONNECT": lambda text: (
        text[:1].strip(JS_SPACE) == ""
    ),
    "a number of attachments is ASCII digits: not `1.0`, `0x1`, `1e0`, ` 1`": has_loose_attachment_count,
    "an ack id is ASCII digits: `Number(' ')` is 0, and `Number('1 2')` NaN": has_loose_ack_id,
    "a number has no more digits than JavaScript counts to": has_long_number,
    "a namespace has a length, since it is echoed": has_long_namespace,
    "JSON has a depth: Python's stack has": is_deep,
    "an integer has no more digits than Python converts": lambda text: re.search("[0-9]{4301}", text) is not None,
    "a placeholder's `num` is an integer: `buffers[0.5]` is undefined": lambda text: (
        re.search(r'"num":-?[0-9]+(\.|e)', text) is not None
    ),
}


def explain(messages: Sequence[Message], ours: Outcome, theirs: Outcome) -> str | None:
    """Returns the intended difference that explains that we refuse what the reference takes."""
    if ours[-1:] != ["error"] or ours[:-1] != theirs[: len(ours) - 1]:
        return None
    # The text that is refused: the last one, since attachments are refused for the header before them.
    text = [message for message in messages[: len(ours)] if isinstance(message, str)][-1]
    return next((reason for reason, applies in STRICTER.items() if applies(text)), None)


#: Inputs that show each of the intended differences.
STRICTER_INPUTS: list[list[Message]] = [
    [""],
    [" "],
    ['51.0-["a"]', b"x"],
    ['50x1-["a"]', b"x"],
    ['5 1-["a"]', b"x"],
    ['2 ["a"]'],
    ['21 2["a"]'],
    ["1 "],
    ['2/a,\u00a01["a"]'],
    ["2" + "1" * 17 + '["a"]'],
    ["5" + "0" * 17 + '1-["a"]', b"x"],
    ["0/" + "x" * 600 + ","],
    [nested(101)],
    ['2["a",' + "1" * 5_000 + "]"],
    ['51-["a",{"_placeholder":true,"num":0.0}]', b"x"],
    ['51-["a",{"_placeholder":true,"num":0.5}]', b"x"],
    ['51-["a",{"_placeholder":true,"num":0e0}]', b"x"],
]

FIXED: list[list[Message]] = [
    *[messages for _, messages in VECTORS.values()],
    *[[text, b"x"] for text in MALFORMED.values()],
    *[[f'51-["a",{placeholder}]', b"x"] for placeholder in MALFORMED_PLACEHOLDERS],
    *STRICTER_INPUTS,
    [b"stray"],
    ['2["a"]', b"stray"],
    ['51-["a"]', '2["b"]'],
    ['52-["a"]', b"x", '2["b"]'],
    ['52-["a"]', b"x", b"y", b"z"],
    ['51-["a"]', b"x", '2["b"]', '61-1["c"]', b"y"],
    ["2"],
    ["21"],
    ["3"],
    ["4"],
    ["51-", b"x"],
    ["0123"],
    ['0123{"a":1}'],
    ["0/"],
    ["0/,"],
    ["0//,"],
    ["0/a"],
    ['0/a{"b":1}'],
    ['2/a["b"]'],
    ["0/a?b=c,{}"],
    ['20["a"]'],
    ['2007["a"]'],
    ['501-["a"]', b"x"],
    ['2["a"] '],
    ['2["a"]\t\r\n'],
    ['2[ "a" ]'],
    ["2[1]"],
    ["2[1.5]"],
    ["2[-0]"],
    ["2[1e999]"],
    ['2["a",1e999,-1e999]'],
    ['2["a",123456789012345678901234567890]'],
    ['2["a",0.1,1E3,-1e-3,1e400]'],
    ['2["error"]'],
    ['2["__proto__",{"__proto__":{"a":1}}]'],
    ['51-["a",{"__proto__":{"_placeholder":true,"num":0}}]', b"x"],
    ['51-["a",{"_placeholder":true,"num":0,"a":1}]', b"x"],
    ['2["a",{"b":1,"b":2}]'],
    ['2["a","\\ud800","\\udc00\\ud800","\\ud83d\\ude00"]'],
    ['2["\\u0063onnect"]'],
    ['2["a","\u2028\x7f"]'],
    ['2["\x1f"]'],
    [nested(100)],
]


def mutated(randomness: random.Random) -> list[Message]:
    """Returns the messages of a well-formed packet with a few random changes."""
    messages = list(randomness.choice(list(VECTORS.values()))[1])
    messages[0] = mutated_text(randomness, str(messages[0]))
    if randomness.random() < 0.2:
        messages.insert(randomness.randint(0, len(messages)), randomness.choice([b"stray", "2", '2["a"]']))
    if randomness.random() < 0.1 and len(messages) > 1:
        messages.pop()
    return messages


def mutated_text(randomness: random.Random, text: str) -> str:
    for _ in range(randomness.randint(1, 3)):
        start = randomness.randint(0, len(text))
        end = min(len(text), start + randomness.choice([0, 0, 1, 1, 2, 5]))
        new = randomness.choice(
            ["", *'0123456789-/,[]{}":.eE+x_ \\\n', "null", '"num":', "\u00a0", "é", "٣", text[start:end] * 2]
        )
        text = text[:start] + new + text[end:]
    return text


MUTATIONS = {seed: [mutated(random.Random(f"{seed}-{number}")) for number in range(300)] for seed in range(20)}


@pytest.fixture(scope="module")
def reference() -> dict[str, Outcome]:
    """What the reference makes of all inputs, asked at once."""
    inputs = [*FIXED, *[messages for group in MUTATIONS.values() for messages in group]]
    return {
        repr(messages): outcome
        for messages, outcome in zip(inputs, ask_reference("socket.io-parser", inputs), strict=True)
    }


class TestSocketIO:
    """`SocketIOParser` and the `Decoder` of socket.io-parser 4.2.7."""

    def assert_same(self, messages: list[Message], reference: dict[str, Outcome]) -> None:
        ours, theirs = comparable(read_socketio(messages)), comparable(reference[repr(messages)])
        assert ours == theirs or explain(messages, ours, theirs)

    @pytest.mark.parametrize("messages", FIXED, ids=lambda messages: repr(messages)[:60])
    def test_messages_are_read_alike(self, messages: list[Message], reference: dict[str, Outcome]) -> None:
        self.assert_same(messages, reference)

    @pytest.mark.parametrize("seed", MUTATIONS)
    def test_mutations_are_read_alike(self, seed: int, reference: dict[str, Outcome]) -> None:
        for messages in MUTATIONS[seed]:
            self.assert_same(messages, reference)

    def test_mutations_are_neither_all_good_nor_all_bad(self, reference: dict[str, Outcome]) -> None:
        outcomes = [reference[repr(messages)] for group in MUTATIONS.values() for messages in group]
        refused = sum("error" in outcome for outcome in outcomes)
        assert 0.2 < refused / len(outcomes) < 0.8

    @pytest.mark.parametrize("messages", STRICTER_INPUTS, ids=lambda messages: repr(messages)[:60])
    def test_input_shows_a_difference(self, messages: list[Message], reference: dict[str, Outcome]) -> None:
        assert "error" in read_socketio(messages)
        assert "error" not in reference[repr(messages)]

    def test_each_intended_difference_is_real(self, reference: dict[str, Outcome]) -> None:
        """A reason that no input needs any more is to be removed."""
        shown = {
            explain(messages, comparable(read_socketio(messages)), comparable(reference[repr(messages)]))
            for messages in STRICTER_INPUTS
        }
        assert shown == set(STRICTER)


# Engine.IO

BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def read_engineio(payload: str) -> Outcome:
    """Returns what our decoder makes of a payload."""
    outcome: Outcome = []
    try:
        for packet in decode_payload(payload.encode()):
            outcome.append({"type": PacketType(packet.type).name.lower(), "data": packet.data})
    except EngineIOParseError:
        outcome.append("error")
    return outcome


def with_data(outcome: Outcome) -> Outcome:
    """The reference leaves out data that is empty."""
    return [packet if packet == "error" else {"data": "", **packet} for packet in outcome]


def is_strict_base64_difference(payload: str, ours: Outcome, theirs: Outcome) -> bool:
    """Whether we refuse a segment for its base64, where `Buffer.from` ignores what it does not know."""
    at = len(ours) - 1
    if ours[-1] != "error" or ours[:-1] != theirs[:at] or theirs[at] == "error":
        return False
    segment = payload.split(SEPARATOR)[at]
    return segment[0] == "b" and BASE64.fullmatch(segment[1:]) is None


SEGMENTS = [
    *[wire for _, wire in TEXT_VECTORS],
    *[segment for _, segment in BINARY_VECTORS],
    *MALFORMED_SEGMENTS.values(),
    "b",
    "b=",
    "bAQ=",
    "b-_-_",
]
GOOD_SEGMENTS = len(TEXT_VECTORS) + len(BINARY_VECTORS)


def random_payload(randomness: random.Random) -> str:
    segments = randomness.choices(SEGMENTS[:GOOD_SEGMENTS], k=randomness.randint(1, 6))
    if randomness.random() < 0.3:
        segments[-1] = randomness.choice(SEGMENTS)
    payload = SEPARATOR.join(segments)
    return mutated_text(randomness, payload) if randomness.random() < 0.5 else payload


PAYLOADS = [*SEGMENTS, *[random_payload(random.Random(f"payload-{number}")) for number in range(2_000)]]


def test_engineio_payloads_are_read_alike() -> None:
    """`decode_payload` and that of engine.io-parser."""
    answers = ask_reference("engine.io-parser", [[payload] for payload in PAYLOADS])
    for payload, answer in zip(PAYLOADS, answers, strict=True):
        ours, theirs = comparable(read_engineio(payload)), comparable(with_data(answer))
        assert ours == theirs or is_strict_base64_difference(payload, ours, theirs), payload
