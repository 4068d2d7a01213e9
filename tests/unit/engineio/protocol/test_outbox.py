"""The queue of one session: its order, its bounds, and what it does with a client that takes nothing."""

from __future__ import annotations

import pytest

from sio.engineio.protocol.options import EngineIOOptions
from sio.engineio.protocol.outbox import Outbox
from sio.engineio.protocol.packets import PING, EncodedPacket


def packets(*data: str | bytes) -> list[EncodedPacket]:
    return [EncodedPacket(each) for each in data]


def outbox(**options: int) -> Outbox:
    return Outbox(EngineIOOptions(**options))


def taken(box: Outbox) -> list[str | bytes]:
    """Returns what leaves by WebSocket."""
    return [packet.data for packet in iter(box.take_next, None)]


def test_packets_leave_in_order() -> None:
    box = outbox()
    for batch in (packets("a", b"b"), packets("c")):
        assert box.put(batch)
    assert box
    assert taken(box) == ["a", b"b", "c"]
    assert not box


@pytest.mark.parametrize(
    ("options", "first", "second", "fits"),
    [
        ({"max_buffered_packets": 2}, ["a"], ["b"], True),
        ({"max_buffered_packets": 2}, ["a"], ["b", "c"], False),
        ({"max_buffered_packets": 2}, [], ["a", "b", "c"], True),
        ({"max_buffered_bytes": 4}, ["ab"], ["cd"], True),
        ({"max_buffered_bytes": 4}, ["ab"], ["é", "d"], False),
        ({"max_buffered_bytes": 4}, [], ["abcdef"], True),
    ],
)
def test_unit_that_would_pass_a_bound_is_refused_whole(
    options: dict[str, int], first: list[str], second: list[str], fits: bool
) -> None:
    box = outbox(**options)
    box.put(packets(*first))
    assert box.put(packets(*second)) is fits
    assert taken(box) == (first + second if fits else first)


@pytest.mark.parametrize(("data", "congested"), [(["ab"], False), (["ab", "c"], True), (["a"] * 2, False)])
def test_queue_is_congested_above_the_half(data: list[str], congested: bool) -> None:
    box = outbox(max_buffered_packets=4, max_buffered_bytes=4)
    box.put(packets(*data))
    assert box.is_congested is congested


def test_what_was_taken_or_dropped_makes_room() -> None:
    box = outbox(max_buffered_bytes=2)
    for empty in (lambda: taken(box), box.take_batch, box.clear):
        assert box.put(packets("ab"))
        assert not box.put(packets("c"))
        empty()


def test_batch_is_bounded_by_the_payload_with_its_separators() -> None:
    box = outbox(max_payload=5)
    box.put(packets("ab", "cd", "e", b"toolarge", "f"))
    batches = iter(box.take_batch, [])
    assert [[packet.data for packet in batch] for batch in batches] == [["ab", "cd"], ["e"], [b"toolarge"], ["f"]]


def test_ping_waits_its_turn() -> None:
    box = outbox(max_buffered_packets=1)
    box.put(packets("a"))
    box.put_ping()
    assert taken(box) == ["a", "2"]


def test_ping_that_is_needed_goes_first() -> None:
    box = outbox(max_buffered_bytes=4)
    box.put(packets("abc", "d"))
    assert not box.needs_ping
    box.take_next()
    assert box.needs_ping
    box.put_ping()
    assert box.take_next() is PING
    assert not box.needs_ping


def test_nothing_leaves_after_a_buffer_that_follows_a_ping() -> None:
    box = outbox(max_buffered_bytes=4)
    box.put_ping()
    box.put(packets("ab"))
    assert taken(box) == ["2", "ab"]
    box.put(packets("cde"))
    assert taken(box) == ["cde"]
    box.put(packets("f"))
    assert taken(box) == []
    box.confirm()
    assert taken(box) == ["f"]


class TestDirectSending:
    """A packet may pass by the queue of a client that keeps up."""

    def test_packet_may_be_sent_at_once_while_nothing_waits(self) -> None:
        box = outbox()
        assert box.is_clear
        assert box.send_directly(EncodedPacket("a"))
        assert not box

    def test_packet_must_not_overtake_those_that_wait(self) -> None:
        box = outbox()
        box.put(packets("a"))
        assert not box.is_clear
        assert not box.send_directly(EncodedPacket("b"))
        assert taken(box) == ["a"]
        assert box.is_clear

    def test_packet_sent_at_once_is_unconfirmed_like_any_other(self) -> None:
        box = outbox(max_buffered_bytes=4)
        assert box.send_directly(EncodedPacket("ab"))
        assert not box.needs_ping
        assert box.send_directly(EncodedPacket("c"))
        assert box.needs_ping
        assert not box.is_clear
        assert not box.send_directly(EncodedPacket("d"))
        box.confirm()
        assert box.is_clear
        assert box.send_directly(EncodedPacket("d"))


def test_ping_is_in_the_queue_until_the_client_took_it() -> None:
    for empty in (lambda box: box.take_next(), lambda box: box.take_batch(), lambda box: box.clear()):
        box = outbox()
        assert not box.has_ping
        box.put_ping()
        assert box.has_ping
        empty(box)
        assert not box.has_ping
