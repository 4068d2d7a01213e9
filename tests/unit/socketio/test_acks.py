"""Acknowledgements that a client owes.

Their ids stay within 32 bits, with the sign: the clients in Java, C++ and C# read no more.
"""

from __future__ import annotations

import asyncio
from itertools import chain, islice
from typing import Any

import pytest

from sio import Disconnected, TooManyPendingAcks
from sio.socketio.acks import PendingAcks, count_ack_ids
from tests.client import SocketIOClient

from .consumers import Consumer, namespace_called

LARGEST = 2**31 - 1


def pending(start: int = 0, limit: int = 10) -> PendingAcks:
    return PendingAcks(count_ack_ids(start), limit)


class TestIds:
    def test_count_comes_round(self) -> None:
        assert list(islice(count_ack_ids(), 3)) == [0, 1, 2]
        assert list(islice(count_ack_ids(LARGEST - 1), 4)) == [LARGEST - 1, LARGEST, 0, 1]

    async def test_id_that_is_waited_for_is_not_given_again(self, client: SocketIOClient) -> None:
        namespace_called("/test").ack_ids = chain([0], count_ack_ids(LARGEST))
        await client.connect("/test")
        (socket,) = Consumer.members
        calls = [asyncio.ensure_future(socket.call(event)) for event in ("old", "last", "first")]
        await client.received('2/test,0["old"]', f'2/test,{LARGEST}["last"]', '2/test,1["first"]')
        for ack_id in (1, LARGEST, 0):
            client.send("3", "/test", [ack_id], ack_id)
        assert await asyncio.gather(*calls) == [0, LARGEST, 1]

    def test_sockets_of_a_namespace_wait_for_no_id_twice(self) -> None:
        ids = count_ack_ids()
        first, second = PendingAcks(ids, 10), PendingAcks(ids, 10)
        given = [acks.next_id("a socket") for acks in (first, second, first)]
        assert given == [0, 1, 2]

    def test_id_that_is_waited_for_is_passed_over(self) -> None:
        acks = pending(LARGEST)
        acks.add(0, print)
        acks.add(1, print)
        assert [acks.next_id("a socket") for _ in range(2)] == [LARGEST, 2]


class TestPendingAcks:
    def test_waiter_is_given_once(self) -> None:
        acks = pending()
        acks.add(3, print)
        assert [acks.pop(3), acks.pop(3), acks.pop(None)] == [print, None, None]

    def test_number_is_bounded(self) -> None:
        acks = pending(limit=2)
        for _ in range(2):
            acks.add(acks.next_id("a socket"), print)
        with pytest.raises(TooManyPendingAcks, match=r"^'a socket' has not acknowledged 2 events \(SIO_MAX_PENDING"):
            acks.next_id("a socket")
        acks.pop(0)
        assert acks.next_id("a socket") == 2

    async def test_every_future_fails_at_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        waiting, done, cancelled = [loop.create_future() for _ in range(3)]
        called: list[Any] = []
        acks = pending()
        for ack_id, waiter in enumerate((waiting, done, cancelled, called.append)):
            acks.add(ack_id, waiter)
        done.set_result(("answer",))
        cancelled.cancel()
        acks.fail("a socket")
        with pytest.raises(Disconnected, match=r"^'a socket' disconnected before it acknowledged$"):
            await waiting
        assert (await done, cancelled.cancelled(), called) == (("answer",), True, [])
        assert [acks.pop(ack_id) for ack_id in range(4)] == [None] * 4
