"""`EventQueue`: handlers of one socket run one at a time, in order, and a full queue stops the client's reading."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from django.test import override_settings

from tests.client import SocketIOClient

from .consumers import Consumer, client_of, member, only_session, settled, wait_until, wait_until_paused


class TestOrder:
    async def test_events_are_handled_one_at_a_time_in_order(self, joined: SocketIOClient) -> None:
        for number in (1, 2):
            joined.emit("/test", "wait", number, ack_id=number)
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("start", 1)]
        Consumer.gate.set()
        await joined.received("3/test,1[1]", "3/test,2[2]")
        assert Consumer.log == [("start", 1), ("end", 1), ("start", 2), ("end", 2)]

    async def test_slow_handler_holds_up_no_other_namespace(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "wait", 1)
        await joined.connect("/other")

    async def test_handler_that_cancels_its_own_task_stops_no_other(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "cancel_task", ack_id=1)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')

    async def test_handler_that_ends_before_its_cancellation_arrives_stops_no_other(
        self, joined: SocketIOClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def event_raise(self: Any, socket: Any) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

        monkeypatch.setattr(Consumer, "event_raise", event_raise)
        joined.emit("/test", "raise", ack_id=1)
        joined.emit("/test", "wait", 1, ack_id=2)
        await joined.received("3/test,1[]")
        await wait_until(lambda: Consumer.log)
        Consumer.gate.set()
        await joined.received("3/test,2[1]")

    async def test_hook_runs_after_a_handler_that_cancels_its_own_task(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "cancel_task")
        joined.leave()
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("transport close", 1)]

    async def test_idle_socket_has_no_task(self, joined: SocketIOClient) -> None:
        tasks = Consumer.members[0]._eio.tasks
        joined.emit("/test", "wait", 1, ack_id=1)
        await wait_until(lambda: Consumer.log)
        Consumer.gate.set()
        await joined.received("3/test,1[1]")
        await asyncio.wait_for(tasks.wait(1), 0.5)


class TestTurns:
    async def test_handlers_that_never_wait_give_others_a_turn(self, joined: SocketIOClient) -> None:
        await settled()
        for number in range(100):
            joined.emit("/test", "count", number)
        while not Consumer.log:
            await asyncio.sleep(0)
        assert len(Consumer.log) < 100
        await wait_until(lambda: len(Consumer.log) == 100)

    async def test_large_events_that_waited_are_handled_in_turns(self, app: Any) -> None:
        client = await member(app)
        for number in range(12):
            client.emit("/test", "take", number, "x" * 70_000)
        await wait_until(lambda: client_of(Consumer.members[0]).backlog.total > 12 * 70_000)
        Consumer.gate.set()
        handled = []
        while len(Consumer.log) < 12:
            await asyncio.sleep(0)
            handled.append(len(Consumer.log))
        assert all(after - before <= 1 for before, after in pairwise([0, *handled]))


class TestFullQueue:
    @override_settings(SIO_MAX_QUEUED_EVENTS=4)
    async def test_full_queue_pauses_reading_and_loses_nothing(self, app: Any) -> None:
        client = await member(app)
        for number in range(20):
            client.emit("/test", "wait", number, ack_id=number)
        await wait_until_paused()
        assert len(Consumer.members[0]._connection._queue._jobs) <= 4
        Consumer.gate.set()
        await client.received(*[f"3/test,{number}[{number}]" for number in range(20)])

    @override_settings(SIO_MAX_QUEUED_EVENTS=4)
    async def test_reading_goes_on_when_the_queue_is_half_empty(
        self, app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        permits = asyncio.Semaphore(0)

        async def event_take(self: Any, socket: Any, number: int) -> None:
            self.log.append(number)
            await permits.acquire()

        monkeypatch.setattr(Consumer, "event_take", event_take)
        client = await member(app)
        client.emit("/test", "take", 0)
        await wait_until(lambda: Consumer.log)
        for number in range(1, 5):
            client.emit("/test", "take", number)
        await wait_until_paused()
        states = []
        for _ in range(3):
            permits.release()
            await settled()
            states.append(only_session().is_paused)
        assert states == [True, True, False]

    @override_settings(SIO_MAX_QUEUED_EVENTS=3)
    async def test_full_queue_keeps_no_handler_from_its_answer(self, app: Any) -> None:
        client = await member(app)
        for number in range(4):
            client.emit("/test", "ask", ack_id=number)
        for number in range(4):
            await client.received(f'2/test,{number}["question"]')
            client.send("3", "/test", [number], number)
            await client.received(f'3/test,{number}[["answer",{number}]]')

    @override_settings(SIO_MAX_QUEUED_EVENTS=3)
    async def test_client_that_floods_instead_of_answering_is_cut(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await member(app)
        for _ in range(10):
            client.emit("/test", "ask")
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("transport error", 1)]
        assert "SIO_MAX_QUEUED_EVENTS" in caplog.text

    @override_settings(SIO_MAX_QUEUED_EVENTS=2)
    async def test_reading_goes_on_when_no_queue_is_full_any_more(self, app: Any) -> None:
        client = await member(app)
        client.emit("/test", "wait", 0)
        await wait_until(lambda: Consumer.log)
        for number in (1, 2):
            client.emit("/test", "wait", number)
        await wait_until_paused()
        await Consumer.members[0].disconnect()
        await client.received("1/test,")
        await client.connect("/other")

    @override_settings(SIO_MAX_QUEUED_EVENTS=2)
    async def test_full_queue_of_one_namespace_stops_the_others_reading_too(self, app: Any) -> None:
        """They share a connection, which is read or not."""
        client = await member(app, "/test", "/second")
        for number in range(3):
            client.emit("/test", "wait", number)
        client.emit("/second", "one", "waits", ack_id=1)
        await wait_until_paused()
        assert client_of(Consumer.members[1]).eio.is_paused
        Consumer.gate.set()
        await client.received('3/second,1["waits"]')
