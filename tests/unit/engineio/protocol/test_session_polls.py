"""A session on polling: how its polls are answered, and with how much."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

import pytest

from sio.engineio.protocol.packets import EncodedPacket, decode_packet, encode_payload
from sio.engineio.protocol.session import EngineIOSession
from sio.engineio.protocol.state import CloseReason
from tests.unit.engineio.protocol.session_helpers import CLOSE, answer, assert_over, emit, poll, polling


class TestPolls:
    """Protocol section "HTTP long-polling"; items 5 to 21 of the semantics."""

    def test_poll_waits_until_there_is_a_packet(self) -> None:
        session = polling()
        assert session.open_poll()
        assert not session.poll_ready
        emit(session, "a", "b")
        assert answer(session) == ["4a", "4b"]

    def test_poll_that_was_answered_waits_no_more(self) -> None:
        session = polling()
        emit(session, "a")
        assert poll(session) == ["4a"]
        emit(session, "b")
        assert not session.poll_open
        assert not session.poll_ready

    def test_packets_wait_for_the_next_poll(self) -> None:
        session = polling()
        emit(session, "a")
        emit(session, b"\x00", "c")
        assert poll(session) == ["4a", b"\x00", "4c"]

    def test_overlapping_poll_ends_the_session(self) -> None:
        """ "overlap from client": the first poll is answered `1`, the second one is not a poll."""
        session = polling()
        assert session.open_poll()
        assert not session.open_poll()
        assert_over(session, CloseReason.TRANSPORT_ERROR)
        assert answer(session) == ["1"]

    def test_waiting_poll_learns_of_a_ping_timeout(self) -> None:
        session = polling()
        session.handle_timeout(25)
        assert poll(session) == ["2"]
        session.open_poll()
        session.handle_timeout(45)
        assert_over(session, CloseReason.PING_TIMEOUT)
        assert answer(session) == ["1"]

    @pytest.mark.parametrize(
        "reason",
        [
            CloseReason.PARSE_ERROR,
            CloseReason.TRANSPORT_ERROR,
            CloseReason.FORCED_CLOSE,
            CloseReason.SERVER_SHUTTING_DOWN,
        ],
    )
    def test_waiting_poll_learns_of_the_end(self, reason: CloseReason) -> None:
        session = polling()
        session.open_poll()
        session.end(reason)
        assert answer(session) == ["1"]

    def test_waiting_poll_of_a_client_that_closes_gets_a_noop(self) -> None:
        session = polling()
        session.open_poll()
        session.receive(CLOSE, 1)
        assert_over(session, CloseReason.TRANSPORT_CLOSE)
        assert answer(session) == ["6"]

    def test_discarding_end_drops_what_a_waiting_poll_would_get(self) -> None:
        session = polling()
        session.open_poll()
        emit(session, "a")
        session.end(CloseReason.SERVER_SHUTTING_DOWN, discard=True)
        assert answer(session) == ["1"]

    def test_end_without_discarding_answers_a_waiting_poll_with_the_rest(self) -> None:
        session = polling()
        session.open_poll()
        emit(session, "a")
        session.end(CloseReason.FORCED_CLOSE)
        assert answer(session) == ["4a", "1"]


class TestPayloads:
    """Item 13 of the semantics and seed defect D2: payloads are split, and nothing is lost or reordered."""

    @pytest.mark.parametrize(
        ("maximum", "messages", "payloads"),
        [
            (10, ["aaaaa", "bbbbb", "ccccc", "ddddd"], [["aaaaa"], ["bbbbb"], ["ccccc"], ["ddddd"]]),
            (11, ["aaaa", "bbbb", "cccc", "dddd"], [["aaaa", "bbbb"], ["cccc", "dddd"]]),
            (10, ["aaaa", "bbbb", "cccc"], [["aaaa"], ["bbbb"], ["cccc"]]),
            (5, ["too long", "a", "b", "too long", "c"], [["too long"], ["a", "b"], ["too long"], ["c"]]),
            (6, ["a", "too long", "b"], [["a"], ["too long"], ["b"]]),
            (9, ["€", "€", "€"], [["€", "€"], ["€"]]),
            (11, [b"\0\0\0", b"\0\0\0", "a"], [[b"\0\0\0", b"\0\0\0"], ["a"]]),
            (10, [b"\0\0\0", b"\0\0\0"], [[b"\0\0\0"], [b"\0\0\0"]]),
            (1, ["", "", ""], [[""], [""], [""]]),
        ],
    )
    def test_payload_is_split_at_the_maximum(self, maximum: int, messages: list[Any], payloads: list[Any]) -> None:
        session = polling(max_payload=maximum)
        emit(session, *messages)
        assert [[decode_packet(data).data for data in poll(session)] for _ in payloads] == payloads
        assert session.next_packet() is None

    def test_packet_over_the_maximum_does_not_stay_in_the_way(self) -> None:
        session = polling(max_payload=1_000)
        emit(session, *["x" * 400_000] * 5)
        assert [len(poll(session)) for _ in range(5)] == [1] * 5
        session.open_poll()
        assert not session.poll_ready

    @pytest.mark.parametrize("seed", range(30))
    def test_nothing_is_lost_or_reordered_whatever_the_sizes(self, seed: int) -> None:
        randomness = random.Random(seed)
        maximum = randomness.choice([1, 10, 100, 1_000])
        session = polling(max_payload=maximum)
        messages = [random_message(randomness, 2 * maximum) for _ in range(100)]
        emit(session, *messages)
        payloads = list(take_all(session))
        assert [packet.data for payload in payloads for packet in payload] == [
            EncodedPacket.message(message).data for message in messages
        ]
        assert all(len(payload) == 1 or len(encode_payload(payload)) <= maximum for payload in payloads)

    @pytest.mark.parametrize("seed", range(10))
    def test_payloads_are_as_full_as_they_can_be(self, seed: int) -> None:
        session = polling(max_payload=100)
        emit(session, *[random_message(random.Random(seed), 60) for _ in range(100)])
        payloads = list(take_all(session))
        for payload, following in itertools.pairwise(payloads):
            assert len(encode_payload([*payload, following[0]])) > 100


def random_message(randomness: random.Random, longest: int) -> str | bytes:
    length = randomness.randint(0, longest)
    if randomness.random() < 0.3:
        return randomness.randbytes(length)
    return "".join(randomness.choices("aé€😀", k=length))


def take_all(session: EngineIOSession) -> Iterable[list[EncodedPacket]]:
    """Polls for as long as there are packets."""
    while session.open_poll() and session.poll_ready:
        yield session.take_payload()
