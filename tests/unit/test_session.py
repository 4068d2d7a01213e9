"""One Engine.IO connection without its I/O: heartbeat, polls, payloads, upgrade, close. Time is a number here.

With the default options a ping is due after 25 s, its pong 20 s later, an upgrade within 10 s.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sio.engineio.options import EngineIOOptions
from sio.engineio.packets import EncodedPacket, Packet, PacketType, ParseError, decode_packet, encode_payload
from sio.engineio.session import CLOSE_TIMEOUT, NOOP_INTERVAL, EngineIOSession
from sio.engineio.state import InvalidTransition, Reason, State, Transport

PONG, CLOSE, NOOP = Packet(PacketType.PONG), Packet(PacketType.CLOSE), Packet(PacketType.NOOP)
MESSAGE = Packet(PacketType.MESSAGE, "hello")


def open_session(transport: Transport, **options: Any) -> EngineIOSession:
    """Returns a session that opened at the time 0 and whose client took the open packet."""
    session = EngineIOSession("sid", transport, EngineIOOptions(**options), 0)
    taken = poll(session) if transport is Transport.POLLING else written(session)
    assert [str(data)[:1] for data in taken] == ["0"]
    return session


def polling(**options: Any) -> EngineIOSession:
    return open_session(Transport.POLLING, **options)


def websocket(**options: Any) -> EngineIOSession:
    return open_session(Transport.WEBSOCKET, **options)


def upgrading(**options: Any) -> EngineIOSession:
    """Returns a session whose client was sent the `3probe` at the time 0."""
    session = polling(**options)
    session.probe(0)
    session.probe_answered(0)
    return session


def emit(session: EngineIOSession, *messages: str | bytes) -> bool:
    return session.send([EncodedPacket.message(message) for message in messages])


def answer(session: EngineIOSession) -> list[str | bytes]:
    """Answers the poll that waits. Returns the packets in the answer."""
    assert session.poll_ready
    return [packet.data for packet in session.take_payload()]


def poll(session: EngineIOSession) -> list[str | bytes]:
    """A GET comes and is answered at once."""
    assert session.open_poll()
    return answer(session)


def written(session: EngineIOSession) -> list[str | bytes]:
    """Returns what goes out on the WebSocket."""
    return [packet.data for packet in iter(session.next_packet, None)]


def assert_open(session: EngineIOSession) -> None:
    assert session.is_open
    assert session.reason is None


def assert_over(session: EngineIOSession, reason: Reason) -> None:
    """The session is over, for that reason, and waits for nothing."""
    assert session.is_closed
    assert session.reason is reason
    assert session.deadline is None
    assert not session.is_open


both_transports = pytest.mark.parametrize("start", [polling, websocket])
Start = Callable[..., EngineIOSession]


class TestOpenPacket:
    """Protocol section "Handshake"."""

    @pytest.mark.parametrize(
        ("transport", "transports", "upgrades"),
        [
            (Transport.POLLING, ("polling", "websocket"), ["websocket"]),
            (Transport.POLLING, ("polling",), []),
            (Transport.WEBSOCKET, ("polling", "websocket"), []),
        ],
    )
    def test_open_packet_comes_first(self, transport: Transport, transports: Any, upgrades: list[str]) -> None:
        session = EngineIOSession("a-sid", transport, EngineIOOptions(300, 200, 1_000, transports=transports), 0)
        packet = session.next_packet()
        assert packet is not None
        assert str(packet.data)[0] == "0"
        expected = {"sid": "a-sid", "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000}
        assert list(json.loads(packet.data[1:]).items()) == list(expected.items())

    def test_open_packet_is_compact(self) -> None:
        session = EngineIOSession("x", Transport.WEBSOCKET, EngineIOOptions(), 0)
        assert written(session) == [
            '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
        ]

    @pytest.mark.parametrize("transport", Transport)
    def test_session_starts_on_the_transport_of_its_handshake(self, transport: Transport) -> None:
        session = EngineIOSession("x", transport, EngineIOOptions(), 0)
        assert session.transport is transport
        assert_open(session)


class TestHeartbeat:
    """Protocol section "Heartbeat"; items 19 to 21 of the semantics, bad inputs 26 to 28."""

    @both_transports
    def test_server_pings_after_the_interval(self, start: Start) -> None:
        session = start()
        assert session.deadline == 25
        session.handle_timeout(24.9)
        assert session.next_packet() is None
        session.handle_timeout(25)
        assert written(session) == ["2"]

    def test_interval_and_timeout_are_milliseconds(self) -> None:
        session = websocket(ping_interval=500, ping_timeout=250)
        assert session.deadline == 0.5
        session.handle_timeout(0.5)
        assert session.deadline == 0.75

    @both_transports
    def test_session_ends_without_pong(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.handle_timeout(44.9)
        assert_open(session)
        session.handle_timeout(45)
        assert_over(session, Reason.PING_TIMEOUT)

    def test_vanished_poller_ends_without_any_request(self) -> None:
        """Seed defect D5: nothing but time passes."""
        session = polling()
        while session.deadline is not None:
            now = session.deadline
            session.handle_timeout(now)
        assert now == 45
        assert_over(session, Reason.PING_TIMEOUT)

    @both_transports
    def test_pong_restarts_the_interval(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.receive(PONG, 31)
        assert session.deadline == 31 + 25
        session.handle_timeout(56)
        assert written(session) == ["2", "2"]

    @both_transports
    def test_client_that_answers_stays(self, start: Start) -> None:
        """Seed defect D1: the period is the interval and the round trip, not interval and timeout."""
        session, pings = start(), []
        for _ in range(10):
            pings.append(session.deadline)
            session.handle_timeout(pings[-1])
            session.receive_frame("3", pings[-1] + 1)
        assert pings == [25 + 26 * number for number in range(10)]
        assert_open(session)

    def test_late_timer_gives_the_pong_its_full_time(self) -> None:
        session = websocket()
        session.handle_timeout(100)
        assert session.deadline == 120

    def test_only_one_ping_is_outstanding(self) -> None:
        session = polling()
        session.handle_timeout(25)
        for now in range(25, 45):
            session.handle_timeout(now)
        assert poll(session) == ["2"]

    def test_time_for_the_pong_starts_when_the_ping_is_queued(self) -> None:
        session = polling()
        session.handle_timeout(25)
        session.open_poll()
        assert answer(session) == ["2"]
        assert session.deadline == 45

    def test_ping_answers_a_waiting_poll(self) -> None:
        session = polling()
        session.open_poll()
        assert not session.poll_ready
        session.handle_timeout(25)
        assert answer(session) == ["2"]

    @both_transports
    def test_unsolicited_pongs_start_nothing(self, start: Start) -> None:
        session = start()
        for _ in range(10_000):
            session.receive(PONG, 10)
        assert session.deadline == 25
        session.handle_timeout(25)
        assert written(session) == ["2"]

    def test_second_pong_starts_nothing(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.receive(PONG, 26)
        session.receive(PONG, 40)
        assert session.deadline == 26 + 25

    @pytest.mark.parametrize("frame", ["4hello", b"hello", "bAAEC", "6", "0", "5"])
    def test_packet_extends_the_wait_for_a_pong_once(self, frame: str | bytes) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.receive_frame(frame, 40)
        assert session.deadline == 60
        session.receive_frame(frame, 50)
        assert session.deadline == 60
        session.handle_timeout(60)
        assert_over(session, Reason.PING_TIMEOUT)

    def test_wait_for_the_next_pong_is_extended_again(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.receive(MESSAGE, 30)
        session.receive(PONG, 35)
        session.handle_timeout(60)
        session.receive(MESSAGE, 70)
        assert session.deadline == 90

    def test_packet_before_the_ping_extends_nothing(self) -> None:
        session = websocket()
        session.receive(MESSAGE, 20)
        session.handle_timeout(25)
        assert session.deadline == 45

    @both_transports
    def test_ping_of_the_client_ends_the_session(self, start: Start) -> None:
        """ "invalid heartbeat direction"."""
        session = start()
        session.receive_frame("2", 1)
        assert_over(session, Reason.TRANSPORT_ERROR)

    def test_full_buffer_does_not_swallow_the_ping(self) -> None:
        """Exactly one ping per interval: a client that takes its packets in time can answer it."""
        session = websocket(max_buffered_packets=1)
        emit(session, "fills the buffer")
        session.handle_timeout(25)
        assert written(session) == ["4fills the buffer", "2"]


class TestPausedReading:
    """While the server does not read, no pong can come."""

    def test_pong_is_not_missed_of_a_client_that_took_the_ping(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        assert written(session) == ["2"]
        session.pause()
        for now in (45, 65, 1_000):
            session.handle_timeout(now)
            assert_open(session)

    @both_transports
    def test_client_that_does_not_take_the_ping_is_gone(self, start: Start) -> None:
        session = start()
        session.pause()
        session.handle_timeout(25)
        session.handle_timeout(45)
        assert_over(session, Reason.PING_TIMEOUT)

    def test_pong_has_its_full_time_after_the_pause(self) -> None:
        session = websocket()
        session.handle_timeout(25)
        session.pause()
        session.resume(100)
        assert session.deadline == 120
        session.handle_timeout(120)
        assert_over(session, Reason.PING_TIMEOUT)

    def test_ping_goes_out_during_the_pause(self) -> None:
        session = websocket()
        session.pause()
        session.handle_timeout(25)
        assert written(session) == ["2"]
        session.resume(30)
        assert session.deadline == 50

    def test_pause_without_a_ping_leaves_the_interval(self) -> None:
        session = websocket()
        session.pause()
        session.resume(10)
        assert session.deadline == 25

    @both_transports
    def test_resumed_session_that_is_over_waits_for_nothing(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.pause()
        session.end(Reason.TRANSPORT_CLOSE)
        session.resume(26)
        assert_over(session, Reason.TRANSPORT_CLOSE)

    def test_resumed_session_that_closes_waits_no_longer_for_its_pong(self) -> None:
        session = polling()
        session.handle_timeout(25)
        session.pause()
        session.close(Reason.FORCED_CLOSE, 26)
        session.resume(27)
        assert session.deadline == 25 + 20


class TestReceiving:
    """What the client sends; items 14 and 15 of the semantics, bad inputs 29, 30 and 35."""

    @pytest.mark.parametrize(
        ("frame", "data"), [("4", ""), ("4hello", "hello"), ("4€", "€"), (b"", b""), (b"4", b"4"), ("bAAEC", b"\0\1\2")]
    )
    @pytest.mark.parametrize("now", [1, 26])
    def test_message_is_returned(self, frame: str | bytes, data: str | bytes, now: int) -> None:
        """With a ping outstanding as without."""
        session = websocket()
        session.handle_timeout(now)
        assert session.receive_frame(frame, now) == data

    @pytest.mark.parametrize("frame", ["0", '0{"sid":"x"}', "5", "6", "3", "3probe", "6x"])
    @both_transports
    def test_packet_out_of_place_is_ignored(self, start: Start, frame: str) -> None:
        session = start()
        assert session.receive_frame(frame, 1) is None
        assert_open(session)
        assert session.next_packet() is None

    @pytest.mark.parametrize("frame", ["", "x", "9", "7hello", "B"])
    @pytest.mark.parametrize("now", [1, 26])
    def test_malformed_frame_raises(self, frame: str, now: int) -> None:
        session = websocket()
        session.handle_timeout(now)
        with pytest.raises(ParseError):
            session.receive_frame(frame, now)

    @both_transports
    def test_close_packet_ends_the_session(self, start: Start) -> None:
        session = start()
        session.receive_frame("1", 1)
        assert_over(session, Reason.TRANSPORT_CLOSE)

    @pytest.mark.parametrize("end", [EngineIOSession.close, EngineIOSession.end], ids=["closing", "closed"])
    def test_message_to_a_session_that_closes_is_dropped(self, end: Callable[..., None]) -> None:
        session = polling()
        end(session, Reason.FORCED_CLOSE, **({"now": 1} if end is EngineIOSession.close else {}))
        assert session.receive_frame("4hello", 2) is None
        assert session.receive(MESSAGE, 2) is None


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
        assert_over(session, Reason.TRANSPORT_ERROR)
        assert answer(session) == ["1"]

    def test_waiting_poll_learns_of_a_ping_timeout(self) -> None:
        session = polling()
        session.handle_timeout(25)
        assert poll(session) == ["2"]
        session.open_poll()
        session.handle_timeout(45)
        assert_over(session, Reason.PING_TIMEOUT)
        assert answer(session) == ["1"]

    @pytest.mark.parametrize(
        "reason", [Reason.PARSE_ERROR, Reason.TRANSPORT_ERROR, Reason.FORCED_CLOSE, Reason.SERVER_SHUTTING_DOWN]
    )
    def test_waiting_poll_learns_of_the_end(self, reason: Reason) -> None:
        session = polling()
        session.open_poll()
        session.end(reason)
        assert answer(session) == ["1"]

    def test_waiting_poll_of_a_client_that_closes_gets_a_noop(self) -> None:
        session = polling()
        session.open_poll()
        session.receive(CLOSE, 1)
        assert_over(session, Reason.TRANSPORT_CLOSE)
        assert answer(session) == ["6"]

    def test_discarding_end_drops_what_a_waiting_poll_would_get(self) -> None:
        session = polling()
        session.open_poll()
        emit(session, "a")
        session.end(Reason.SERVER_SHUTTING_DOWN, discard=True)
        assert answer(session) == ["1"]

    def test_end_without_discarding_answers_a_waiting_poll_with_the_rest(self) -> None:
        session = polling()
        session.open_poll()
        emit(session, "a")
        session.end(Reason.FORCED_CLOSE)
        assert answer(session) == ["4a", "1"]


class TestClosing:
    """The server closes; items 16 to 18 of the semantics."""

    def test_waiting_poll_is_answered_at_once(self) -> None:
        session = polling()
        session.open_poll()
        session.close(Reason.FORCED_CLOSE, 1)
        assert_open_for_delivery(session)
        assert answer(session) == ["1"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_next_poll_gets_the_packets_and_the_one_after_the_close(self) -> None:
        session = polling()
        emit(session, "a", "b")
        session.close(Reason.FORCED_CLOSE, 1)
        assert poll(session) == ["4a", "4b"]
        assert_open_for_delivery(session)
        assert poll(session) == ["6", "1"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_waiting_poll_gets_the_packets_and_the_next_one_the_close(self) -> None:
        session = polling()
        session.open_poll()
        emit(session, "a")
        session.close(Reason.FORCED_CLOSE, 1)
        assert answer(session) == ["4a"]
        assert poll(session) == ["6", "1"]

    def test_poll_without_packets_gets_the_close(self) -> None:
        session = polling()
        session.close(Reason.FORCED_CLOSE, 1)
        assert poll(session) == ["6", "1"]

    def test_packets_over_the_maximum_come_before_the_close(self) -> None:
        session = polling(max_payload=3)
        emit(session, "a", "b", "c", "d")
        session.close(Reason.FORCED_CLOSE, 1)
        taken = [poll(session) for _ in range(5)]
        assert taken == [["4a"], ["4b"], ["4c"], ["4d"], ["6", "1"]]

    def test_client_that_does_not_poll_is_waited_for_half_a_minute(self) -> None:
        session = polling()
        emit(session, "a")
        session.close(Reason.FORCED_SERVER_CLOSE, 1)
        assert session.deadline == 31
        session.handle_timeout(31)
        assert_over(session, Reason.FORCED_SERVER_CLOSE)
        assert session.next_packet() is None

    def test_websocket_is_drained(self) -> None:
        session = websocket()
        emit(session, "a", "b")
        session.close(Reason.FORCED_CLOSE, 1)
        assert_open_for_delivery(session)
        assert written(session) == ["4a", "4b"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_websocket_that_takes_nothing_is_waited_for_half_a_minute(self) -> None:
        session = websocket()
        emit(session, "a")
        session.close(Reason.FORCED_CLOSE, 1)
        session.handle_timeout(31)
        assert_over(session, Reason.FORCED_CLOSE)

    @both_transports
    def test_client_that_is_gone_is_kept_no_longer_than_without_the_close(self, start: Start) -> None:
        session = start()
        session.handle_timeout(25)
        session.close(Reason.FORCED_CLOSE, 26)
        assert session.deadline == 45
        session.handle_timeout(44)
        assert_open_for_delivery(session)
        session.handle_timeout(45)
        assert_over(session, Reason.PING_TIMEOUT)

    @both_transports
    def test_no_ping_is_sent_any_more(self, start: Start) -> None:
        session = start()
        session.close(Reason.FORCED_CLOSE, 24)
        emit(session, "dropped")
        session.handle_timeout(25)
        assert_open_for_delivery(session)
        assert session.deadline == 25 + 20

    def test_client_has_so_long_to_take_the_rest(self) -> None:
        session = polling(ping_interval=100_000)
        session.close(Reason.FORCED_CLOSE, 1)
        assert session.deadline == 1 + CLOSE_TIMEOUT
        session.handle_timeout(1 + CLOSE_TIMEOUT)
        assert_over(session, Reason.FORCED_CLOSE)

    @both_transports
    def test_what_is_sent_after_it_is_dropped(self, start: Start) -> None:
        session = start()
        emit(session, "before")
        session.close(Reason.FORCED_CLOSE, 1)
        assert emit(session, "after")
        assert written(session) == ["4before"]

    @both_transports
    def test_only_the_first_close_counts(self, start: Start) -> None:
        session = start()
        session.close(Reason.FORCED_CLOSE, 1)
        session.close(Reason.FORCED_SERVER_CLOSE, 20)
        assert session.deadline == 31
        session.handle_timeout(31)
        assert_over(session, Reason.FORCED_CLOSE)

    @both_transports
    def test_close_after_the_end_does_nothing(self, start: Start) -> None:
        session = start()
        session.end(Reason.TRANSPORT_CLOSE)
        session.close(Reason.FORCED_CLOSE, 1)
        assert_over(session, Reason.TRANSPORT_CLOSE)

    def test_overlapping_poll_ends_a_closing_session(self) -> None:
        session = polling()
        session.open_poll()
        session.close(Reason.FORCED_CLOSE, 1)
        assert not session.open_poll()
        assert_over(session, Reason.TRANSPORT_ERROR)


def assert_open_for_delivery(session: EngineIOSession) -> None:
    """The session takes nothing new, and is not over."""
    assert not session.is_open
    assert not session.is_closed
    assert session.reason is None


class TestEnd:
    """Whatever ends a session, it ends once."""

    @pytest.mark.parametrize("reason", Reason)
    @both_transports
    def test_reason_is_kept(self, start: Start, reason: Reason) -> None:
        session = start()
        session.end(reason)
        assert_over(session, reason)

    @both_transports
    def test_first_reason_stays(self, start: Start) -> None:
        session = start()
        session.end(Reason.PARSE_ERROR)
        session.end(Reason.TRANSPORT_CLOSE, discard=True)
        session.receive(CLOSE, 1)
        session.handle_timeout(1_000)
        assert_over(session, Reason.PARSE_ERROR)

    @both_transports
    def test_buffer_is_freed(self, start: Start) -> None:
        session = start(max_buffered_packets=4)
        emit(session, "a", "b", "c")
        session.end(Reason.TRANSPORT_CLOSE)
        assert session.next_packet() is None
        assert not session.is_congested

    def test_what_is_sent_after_it_is_dropped(self) -> None:
        session = websocket()
        session.end(Reason.TRANSPORT_CLOSE)
        assert emit(session, "late")
        assert session.next_packet() is None

    def test_transport_is_still_told(self) -> None:
        session = websocket()
        session.end(Reason.TRANSPORT_CLOSE)
        assert session.transport is Transport.WEBSOCKET


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


class TestBuffer:
    """The buffer is bounded in packets and bytes; a unit is taken as a whole or not at all."""

    def test_packets_over_the_bound_are_refused(self) -> None:
        session = websocket(max_buffered_packets=3)
        assert emit(session, "a", "b", "c")
        assert not emit(session, "d")
        assert written(session) == ["4a", "4b", "4c"]

    def test_bytes_over_the_bound_are_refused(self) -> None:
        session = websocket(max_buffered_bytes=10)
        assert emit(session, "1234")
        assert not emit(session, "12345")
        assert emit(session, "1234")
        assert written(session) == ["41234", "41234"]

    @pytest.mark.parametrize("options", [{"max_buffered_packets": 3}, {"max_buffered_bytes": 6}])
    def test_unit_that_does_not_fit_is_refused_as_a_whole(self, options: dict[str, int]) -> None:
        session = websocket(**options)
        emit(session, "a", "b")
        assert not emit(session, "c", "d")
        assert written(session) == ["4a", "4b"]

    @pytest.mark.parametrize("options", [{"max_buffered_packets": 1}, {"max_buffered_bytes": 1}])
    def test_unit_of_any_size_fits_into_an_empty_buffer(self, options: dict[str, int]) -> None:
        session = websocket(**options)
        assert emit(session, "header", b"attachment")
        assert not emit(session, "more")
        assert written(session) == ["4header", b"attachment"]

    def test_client_that_takes_its_packets_makes_room(self) -> None:
        session = websocket(max_buffered_packets=2, max_buffered_bytes=20)
        for number in range(100):
            assert emit(session, f"{number:08}", b"x")
            assert written(session) == [f"4{number:08}", b"x"]

    def test_session_is_congested_when_more_than_half_full(self) -> None:
        session = websocket(max_buffered_packets=4, max_buffered_bytes=100)
        emit(session, "a", "b")
        assert not session.is_congested
        emit(session, "c")
        assert session.is_congested
        session.next_packet()
        assert not session.is_congested

    def test_bytes_congest_a_session_too(self) -> None:
        session = websocket(max_buffered_bytes=100)
        emit(session, "x" * 49)
        assert not session.is_congested
        emit(session, "")
        assert session.is_congested

    def test_shared_packet_is_not_copied(self) -> None:
        packet = EncodedPacket.message("to all")
        sessions = [websocket(), websocket()]
        for session in sessions:
            session.send([packet])
        assert all(session.next_packet() is packet for session in sessions)


class TestUnconfirmedBytes:
    """What was sent on a WebSocket is not yet received: a ping tells, and bad input 76 is told by a missing pong.

    The open packet and a message of half a buffer are a little more than half a buffer.
    """

    HALF = "x" * 4_999

    def slow(self) -> EngineIOSession:
        """Returns a session that was sent half a buffer, a ping and more than a whole buffer, none of it confirmed."""
        session = websocket(max_buffered_bytes=10_000)
        for _ in range(4):
            emit(session, self.HALF)
            written(session)
            session.handle_timeout(1)
        return session

    def test_ping_is_due_at_once_after_half_a_buffer(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        emit(session, self.HALF)
        assert not session.is_ping_due
        session.next_packet()
        assert session.is_ping_due
        session.handle_timeout(1)
        assert not session.is_ping_due
        assert written(session) == ["2"]
        assert session.deadline == 21

    def test_ping_goes_before_what_waits(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        emit(session, self.HALF, "a", "b")
        session.next_packet()
        session.handle_timeout(1)
        assert written(session) == ["2", "4a", "4b"]

    def test_only_one_ping_is_outstanding(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        session.handle_timeout(25)
        emit(session, self.HALF)
        written(session)
        assert not session.is_ping_due
        assert session.deadline == 45

    def test_nothing_leaves_after_a_whole_buffer_that_follows_a_ping(self) -> None:
        session = self.slow()
        emit(session, "waits")
        assert session.next_packet() is None
        assert_open(session)

    def test_pong_lets_the_rest_go(self) -> None:
        session = self.slow()
        emit(session, "a", "b")
        session.receive(PONG, 2)
        assert written(session) == ["4a", "4b"]

    def test_buffer_of_a_client_that_does_not_read_fills(self) -> None:
        session = self.slow()
        accepted = [emit(session, self.HALF) for _ in range(4)]
        assert accepted == [True, True, False, False]
        assert session.is_congested

    def test_client_that_does_not_read_is_gone_at_the_timeout(self) -> None:
        session = self.slow()
        session.handle_timeout(21)
        assert_over(session, Reason.PING_TIMEOUT)

    def test_client_that_reads_is_sent_any_amount(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        for now in range(100):
            assert emit(session, self.HALF)
            packets = written(session)
            session.handle_timeout(now)
            packets += written(session)
            assert packets.count("4" + self.HALF) == 1
            if "2" in packets:
                session.receive(PONG, now)
        assert_open(session)

    def test_rest_of_a_closing_session_goes_without_a_pong(self) -> None:
        session = self.slow()
        emit(session, "the last one")
        session.close(Reason.FORCED_CLOSE, 2)
        assert written(session) == ["4the last one"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_closing_session_asks_for_no_pong(self) -> None:
        session = websocket(max_buffered_bytes=10_000)
        emit(session, self.HALF, "a")
        session.close(Reason.FORCED_CLOSE, 1)
        assert written(session) == ["4" + self.HALF, "4a"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_polling_client_shows_that_it_reads_by_polling(self) -> None:
        session = polling(max_buffered_bytes=10_000)
        for _ in range(100):
            assert emit(session, self.HALF)
            assert poll(session) == ["4" + self.HALF]
        assert session.deadline == 25


class TestUpgrade:
    """Protocol section "Upgrade"; items 25 to 33 of the semantics, bad inputs 9 and 31 to 34."""

    def test_packets_flow_by_polling_while_the_websocket_probes(self) -> None:
        session = upgrading()
        assert session.is_upgrading
        assert session.transport is Transport.POLLING
        emit(session, "a")
        assert poll(session) == ["4a"]

    def test_waiting_poll_gets_a_noop_after_a_tenth_of_a_second(self) -> None:
        """Seed defect D3: a client that waits for its poll to end can go on."""
        session = upgrading()
        session.open_poll()
        assert session.deadline == NOOP_INTERVAL == 0.1
        assert not session.poll_ready
        session.handle_timeout(0.1)
        assert answer(session) == ["6"]

    def test_each_poll_gets_a_noop_until_the_upgrade_ends(self) -> None:
        session = upgrading()
        for _ in range(50):
            session.open_poll()
            assert not session.poll_ready
            assert session.deadline is not None
            session.handle_timeout(session.deadline)
            assert answer(session) == ["6"]

    def test_noop_is_not_kept_for_a_poll_to_come(self) -> None:
        session = upgrading()
        session.handle_timeout(0.1)
        session.open_poll()
        assert not session.poll_ready

    def test_packet_replaces_the_noop(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(0.1)
        emit(session, "a")
        assert answer(session) == ["4a"]
        session.open_poll()
        assert not session.poll_ready

    def test_unanswered_probe_sends_no_noops(self) -> None:
        session = polling()
        session.probe(0)
        session.open_poll()
        assert session.deadline == 10
        session.handle_timeout(9)
        assert not session.poll_ready

    def test_buffered_packets_go_to_the_websocket_in_order(self) -> None:
        session = upgrading()
        emit(session, "a", b"\x00", "c")
        session.upgrade(1)
        assert session.transport is Transport.WEBSOCKET
        emit(session, "d")
        assert written(session) == ["4a", b"\x00", "4c", "4d"]
        assert_open(session)

    def test_upgrade_is_accepted_without_a_probe(self) -> None:
        """Item 27: the first frame of the WebSocket may be the `5`."""
        session = polling()
        session.probe(0)
        session.upgrade(1)
        assert session.state is State.WEBSOCKET

    def test_poll_that_waits_during_the_upgrade_is_answered_with_close(self) -> None:
        """Item 28; what is buffered is for the WebSocket."""
        session = upgrading()
        session.open_poll()
        session.upgrade(1)
        emit(session, "a")
        assert answer(session) == ["1"]
        assert written(session) == ["4a"]
        assert_open(session)

    def test_noop_that_was_due_does_not_reach_the_upgraded_session(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(0.1)
        session.upgrade(0.2)
        assert answer(session) == ["1"]
        assert written(session) == []

    def test_upgrade_that_takes_too_long_fails(self) -> None:
        session = upgrading(upgrade_timeout=500)
        session.handle_timeout(0.499)
        assert session.is_upgrading
        session.handle_timeout(0.5)
        assert not session.is_upgrading
        assert_open(session)
        assert session.deadline == 25

    def test_failed_probe_leaves_polling_as_it_was(self) -> None:
        """Seed defect D4."""
        session = upgrading()
        session.open_poll()
        emit(session, "a")
        session.probe_failed()
        assert answer(session) == ["4a"]
        assert session.deadline == 25
        assert session.state is State.POLLING

    def test_failed_probe_takes_its_noop_with_it(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(0.1)
        session.probe_failed()
        assert not session.poll_ready

    def test_client_may_try_again_after_a_failure(self) -> None:
        session = upgrading()
        session.probe_failed()
        session.probe(5)
        assert session.deadline == 15
        session.upgrade(6)
        assert session.transport is Transport.WEBSOCKET

    @pytest.mark.parametrize("start", [upgrading, websocket])
    def test_server_refuses_second_websocket(self, start: Start) -> None:
        session = start()
        with pytest.raises(InvalidTransition):
            session.probe(1)
        assert_open(session)

    @pytest.mark.parametrize("start", [polling, websocket])
    def test_session_that_does_not_upgrade_refuses_the_upgrade(self, start: Start) -> None:
        session = start()
        for step in (lambda: session.upgrade(1), session.probe_failed):
            with pytest.raises(InvalidTransition):
                step()
        assert_open(session)

    def test_session_that_closes_refuses_a_websocket(self) -> None:
        session = polling()
        session.close(Reason.FORCED_CLOSE, 1)
        with pytest.raises(InvalidTransition):
            session.probe(2)

    def test_answer_to_a_probe_that_timed_out_starts_no_noops(self) -> None:
        """The `3probe` may be on its way while the time for the upgrade runs out."""
        session = polling()
        session.probe(0)
        session.handle_timeout(10)
        session.probe_answered(11)
        assert session.deadline == 25

    def test_answer_to_the_probe_of_a_session_that_is_over_starts_no_noops(self) -> None:
        session = polling()
        session.probe(0)
        session.end(Reason.TRANSPORT_CLOSE)
        session.probe_answered(1)
        assert_over(session, Reason.TRANSPORT_CLOSE)


class TestHeartbeatAcrossTheUpgrade:
    """Item 33."""

    def test_ping_interval_runs_on(self) -> None:
        session = upgrading()
        session.upgrade(5)
        assert session.deadline == 25

    def test_pong_has_its_full_time_again_after_the_upgrade(self) -> None:
        """The ping may have gone out by polling, and its answer with it."""
        session = polling()
        session.handle_timeout(25)
        session.probe(40)
        session.upgrade(44)
        assert session.deadline == 64
        session.receive(PONG, 50)
        assert session.deadline == 75

    def test_ping_is_sent_while_the_websocket_probes(self) -> None:
        session = polling()
        session.probe(24)
        session.handle_timeout(25)
        assert poll(session) == ["2"]

    def test_ping_timeout_during_the_upgrade_ends_the_session(self) -> None:
        session = polling(upgrade_timeout=100_000)
        session.handle_timeout(25)
        session.probe(26)
        session.probe_answered(27)
        session.handle_timeout(45)
        assert_over(session, Reason.PING_TIMEOUT)

    def test_buffered_ping_goes_to_the_websocket(self) -> None:
        session = upgrading(upgrade_timeout=100_000)
        session.handle_timeout(25)
        session.upgrade(26)
        assert written(session) == ["2"]


class TestClosingDuringTheUpgrade:
    """Item 31 and bad input 34: buffered packets first, then the close, by whichever transport."""

    def test_upgrade_of_a_closing_session_delivers_by_websocket(self) -> None:
        session = upgrading()
        emit(session, "a")
        session.close(Reason.FORCED_CLOSE, 1)
        session.upgrade(2)
        assert written(session) == ["4a"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_failed_probe_of_a_closing_session_delivers_by_polling(self) -> None:
        session = upgrading()
        emit(session, "a")
        session.close(Reason.FORCED_CLOSE, 1)
        session.probe_failed()
        assert poll(session) == ["4a"]
        assert poll(session) == ["6", "1"]
        assert_over(session, Reason.FORCED_CLOSE)

    def test_poll_of_a_closing_session_ends_the_probe(self) -> None:
        session = upgrading()
        session.open_poll()
        session.close(Reason.FORCED_CLOSE, 1)
        assert answer(session) == ["1"]
        assert_over(session, Reason.FORCED_CLOSE)
        assert not session.is_upgrading

    def test_upgrade_times_out_while_the_session_closes(self) -> None:
        session = upgrading()
        session.close(Reason.FORCED_CLOSE, 1)
        session.handle_timeout(10)
        assert session.state is State.CLOSING_POLLING
        assert session.deadline == 31

    def test_upgrade_does_not_revive_the_heartbeat_of_a_closing_session(self) -> None:
        session = polling()
        session.handle_timeout(25)
        session.probe(26)
        session.close(Reason.FORCED_CLOSE, 27)
        session.upgrade(28)
        assert session.deadline == 25 + 20

    def test_end_during_the_upgrade_is_the_end_of_the_probe(self) -> None:
        session = upgrading()
        session.end(Reason.TRANSPORT_CLOSE)
        assert not session.is_upgrading
        with pytest.raises(InvalidTransition):
            session.upgrade(1)
        assert_over(session, Reason.TRANSPORT_CLOSE)


class TestDeadline:
    """`handle_timeout` may come at any time."""

    @pytest.mark.parametrize("start", [polling, websocket, upgrading])
    def test_early_call_does_nothing(self, start: Start) -> None:
        session = start()
        deadline = session.deadline
        session.handle_timeout(0.05)
        assert session.deadline == deadline
        assert session.next_packet() is None

    def test_upgrade_and_noop_can_be_due_together(self) -> None:
        session = upgrading()
        session.open_poll()
        session.handle_timeout(10)
        assert not session.poll_ready
        assert session.deadline == 25

    def test_end_by_one_timer_leaves_the_others_undone(self) -> None:
        session = polling(upgrade_timeout=20_000)
        session.handle_timeout(25)
        session.probe(25)
        session.probe_answered(25)
        session.handle_timeout(45)
        assert_over(session, Reason.PING_TIMEOUT)


class Walk:
    """A session, what was emitted to it and what its client took, through random steps that a client and a server may
    take.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        transport = self.random.choice([*Transport, Transport.POLLING])
        bound = self.random.choice([400, 16_000_000])
        options = EngineIOOptions(300, 2_000, max_payload=30, upgrade_timeout=500, max_buffered_bytes=bound)
        self.session = EngineIOSession("sid", transport, options, 0)
        self.emitted: list[str | bytes] = []
        self.taken: list[str | bytes] = []
        self.reasons: set[Reason] = set()
        self.unanswered_pings = 0

    def step(self) -> None:
        """Does something random, and checks what must always be true."""
        often = [self.emit, self.poll, self.write, self.post, self.pass_time, self.probe, self.end_probe]
        seldom = [self.close, self.end, self.overlap, self.pause, self.resume, self.violate]
        self.random.choice(self.random.choices([often, seldom], [100, 1])[0])()
        self.check()

    def check(self) -> None:
        session = self.session
        assert self.taken == self.emitted[: len(self.taken)]
        assert session.is_closed is (session.reason is not None)
        if session.reason is not None:
            self.reasons.add(session.reason)
            assert session.deadline is None
        assert len(self.reasons) <= 1
        assert self.unanswered_pings <= 1
        assert session.deadline is None or session.deadline <= self.now + CLOSE_TIMEOUT

    # What the application does

    def emit(self) -> None:
        number = len(self.emitted)
        unit = [f"{number}" * self.random.randint(1, 20), str(number).encode() * 5][: self.random.randint(1, 2)]
        was_open = self.session.is_open
        if emit(self.session, *unit) and was_open:
            self.emitted += unit

    def close(self) -> None:
        self.session.close(Reason.FORCED_CLOSE, self.now)

    def end(self) -> None:
        self.session.end(Reason.FORCED_SERVER_CLOSE, discard=self.random.random() < 0.5)

    def pause(self) -> None:
        if self.session.is_open:
            self.session.pause()

    def resume(self) -> None:
        if self.session.is_open:
            self.session.resume(self.now)

    # What the client does

    def poll(self) -> None:
        if self.session.transport is Transport.POLLING and not self.session.poll_open and not self.session.is_closed:
            self.session.open_poll()
        if self.session.poll_ready:
            self.take(self.session.take_payload())
            assert not self.session.poll_open

    def overlap(self) -> None:
        if self.session.poll_open:
            assert not self.session.open_poll()

    def post(self) -> None:
        wire = self.random.choice(["4hello", "6", "0", "5", b"hello"])
        if self.unanswered_pings:
            self.unanswered_pings, wire = 0, "3"
        self.session.receive_frame(wire, self.now)

    def violate(self) -> None:
        self.session.receive_frame(self.random.choice("12"), self.now)

    def probe(self) -> None:
        if self.session.state is State.POLLING:
            self.session.probe(self.now)
            self.session.probe_answered(self.now)

    def end_probe(self) -> None:
        if self.session.is_upgrading:
            if self.random.random() < 0.85:
                self.session.probe_failed()
            else:
                self.session.upgrade(self.now)

    def write(self) -> None:
        if self.session.transport is Transport.WEBSOCKET and (packet := self.session.next_packet()):
            self.take([packet])
        if self.session.is_ping_due:
            self.session.handle_timeout(self.now)

    # What happens by itself

    def pass_time(self) -> None:
        self.now += self.random.choice([0.01, 0.1, 0.1, 0.3])
        self.session.handle_timeout(self.now)
        assert self.session.deadline is None or self.session.deadline > self.now

    def take(self, packets: list[EncodedPacket]) -> None:
        decoded = [decode_packet(packet.data) for packet in packets]
        self.taken += [packet.data for packet in decoded if packet.type is PacketType.MESSAGE]
        self.unanswered_pings += [packet.type for packet in decoded].count(PacketType.PING)

    def close_and_deliver(self) -> None:
        """The server closes, and the client takes the rest."""
        self.close()
        while not self.session.is_closed:
            self.poll()
            self.write()
            self.post()
            self.pass_time()


@pytest.mark.parametrize("seed", range(60))
def test_every_packet_is_taken_once_and_in_order(seed: int) -> None:
    """By whichever transport, and in whatever order things happen; and the session ends once."""
    walk = Walk(seed)
    for _ in range(200):
        walk.step()
    walk.close_and_deliver()
    walk.check()
    if walk.session.reason is Reason.FORCED_CLOSE:
        assert walk.taken == walk.emitted
