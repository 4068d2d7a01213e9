"""The loop that reads a channel: it outlives errors, and tells a message at fault from a layer that fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sio.cluster.health import Health
from sio.cluster.reader import Reader, is_unreadable, is_unwritable
from tests.unit.cluster.layers import Layer, Member, until


class InvalidToken(Exception):
    """What `cryptography` raises."""


def raised_by(function: Callable[..., Any], *args: Any) -> Exception:
    """Returns what a function raises, with its traceback."""
    try:
        function(*args)
    except Exception as error:
        return error
    raise AssertionError


def serialize(error: Exception) -> Any:
    raise error


def deserialize(error: Exception) -> Any:
    raise error


class Reading:
    """A reader of a layer of its own."""

    def __init__(self, layer: Layer) -> None:
        self.received: list[Any] = []
        self.rejected: list[Exception] = []
        self.health = Health()
        self.reader = Reader(layer, self.health, self.received.append, self.rejected.append)


@contextmanager
def reading(layer: Layer) -> Iterator[Reading]:
    found = Reading(layer)
    task = asyncio.create_task(found.reader.run("channel"))
    yield found
    task.cancel()


class TestReader:
    async def test_survives_errors_of_the_layer(self) -> None:
        layer = Layer()
        layer.results = [OSError("down"), OSError("down"), {"n": 1}, {"n": 2}]
        with reading(layer) as found:
            await until(lambda: len(found.received) == 2, 2)
            assert found.received == [{"n": 1}, {"n": 2}]
            assert (found.reader.count, found.health.is_up) == (2, False)

    async def test_pauses_grow_while_the_layer_fails(self) -> None:
        layer = Layer()
        layer.results = [*map(OSError, range(1_000))]
        with reading(layer):
            await asyncio.sleep(60)
        assert 30 <= 1_000 - len(layer.results) <= 50

    @pytest.mark.parametrize(
        ("error", "seconds", "is_up"),
        [("TimeoutError", 1.1, True), ("TimeoutError", 0.9, False), ("ConnectionError", 1.1, False)],
    )
    async def test_silence_is_no_outage(self, error: str, seconds: float, is_up: bool) -> None:
        """redis-py ends a read that waited for long, with an exception class of its own."""

        class Idle(Layer):
            reads = 0

            async def receive(self, channel: str) -> Any:
                self.reads += 1
                await asyncio.sleep(seconds)
                raise type(error, (Exception,), {})

        layer = Idle()
        with reading(layer) as found:
            await until(lambda: layer.reads > 1)
            assert found.health.is_up is is_up

    async def test_unreadable_message_is_rejected_and_counted(self) -> None:
        error, layer = ValueError("no JSON"), Layer()
        layer.results = [error, {"n": 1}]
        with reading(layer) as found:
            await until(lambda: found.received, 1)
            assert (found.rejected, found.reader.count, found.health.is_up) == ([error], 2, True)

    async def test_writers_get_their_turn_between_messages(self) -> None:
        layer, turns = Layer(), list[int]()
        layer.results = [*range(3)]
        with reading(layer) as found:
            while len(found.received) < 3:
                turns.append(len(found.received))
                await asyncio.sleep(0)
        assert set(turns) == {0, 1, 2}


class TestMessagesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("error", "is_at_fault"),
        [
            (raised_by(deserialize, InvalidToken()), True),
            (raised_by(json.loads, b"\xff"), True),
            (raised_by(json.loads, "{"), True),
            (TypeError("argument of type 'int' is not iterable"), True),
            (KeyError("x"), True),
            (OSError("gone"), False),
            (TimeoutError(), False),
            (RuntimeError("Event loop is closed"), False),
            (type("ConnectionError", (Exception,), {})(), False),
            (raised_by(serialize, InvalidToken()), False),
        ],
    )
    def test_message_is_told_from_layer(self, error: Exception, is_at_fault: bool) -> None:
        assert is_unreadable(error) is is_at_fault

    async def test_it_costs_the_others_nothing(self, member: Member, caplog: pytest.LogCaptureFixture) -> None:
        member.layer.results = [*map(ValueError, range(60))]
        await member.send()
        assert await until(lambda: member.received, 3) < 0.1
        # The first `receive` had begun before.
        await member.send()
        assert await until(lambda: len(member.received) == 2, 3) < 0.1
        assert len(member.rejected) == 60
        assert member.channel.is_up
        assert caplog.text == ""

    async def test_what_always_fails_is_not_tried_without_a_pause(self, member: Member) -> None:
        member.layer.results = [*map(ValueError, range(100_000))]
        await member.send()
        await asyncio.sleep(10)
        assert 300 < len(member.rejected) < 5_000


class TestMessagesThatCannotBeSent:
    @pytest.mark.parametrize(
        ("error", "is_at_fault"),
        [
            (TypeError("Object of type bytes is not JSON serializable"), True),
            (OverflowError("Integer value out of range"), True),
            (raised_by(serialize, InvalidToken()), True),
            (OSError("gone"), False),
        ],
    )
    async def test_message_that_cannot_be_sent_is_the_callers(
        self, member: Member, error: Exception, is_at_fault: bool
    ) -> None:
        assert is_unwritable(error) is is_at_fault

        async def group_send(group: str, message: Any) -> None:
            raise error

        layer_send, member.layer.group_send = member.layer.group_send, group_send
        if is_at_fault:
            with pytest.raises(type(error)):
                await member.send()
        else:
            await member.send()
        assert member.channel.is_up is is_at_fault
        member.layer.group_send = layer_send
