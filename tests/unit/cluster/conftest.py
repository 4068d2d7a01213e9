"""A channel layer for each test, and the channel of a process in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from channels.layers import channel_layers

from tests.unit.cluster.layers import Layer, Member
from tests.unit.cluster.processes import Chat, Process


@pytest.fixture
def problems() -> Iterator[list[dict[str, Any]]]:
    """What the loop's exception handler is called with: nothing, until the loop is closed."""
    problems: list[dict[str, Any]] = []
    yield problems
    assert problems == []


@pytest.fixture(autouse=True)
async def watched_loop(problems: list[dict[str, Any]]) -> None:
    """No exception of a task is lost."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))


@pytest.fixture
async def layer() -> AsyncIterator[Layer]:
    """The default layer."""
    layer = Layer()
    channel_layers.set("default", layer)
    yield layer
    channel_layers.backends.pop("default")


@pytest.fixture
async def processes(layer: Layer) -> AsyncIterator[list[Process]]:
    """Three, of whose clients the first and the last are one user's."""
    processes = [await Process(user).start() for user in ("ada", "bob", "ada")]
    yield processes
    for process in processes:
        await process.server.close()
    Chat.members.clear()


@pytest.fixture
async def member() -> AsyncIterator[Member]:
    """A channel that is in the group `room`."""
    member = Member()
    member.channel.add("room")
    await member.channel.settle()
    yield member
    await member.layer.go_on()
    await member.channel.close()
    assert member.layer.cancelled == 0
