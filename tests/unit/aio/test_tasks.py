"""The tasks of an owner: which of them outlive it, and when nothing of it is left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sio.aio.tasks import OwnedTasks


@pytest.fixture
def outliving() -> set[asyncio.Task[Any]]:
    return set()


@pytest.fixture
def tasks(outliving: set[asyncio.Task[Any]]) -> OwnedTasks:
    return OwnedTasks(outliving)


@pytest.fixture
def idle() -> list[str]:
    """What was called when nothing was left."""
    return []


async def test_tasks_that_run_longer_than_their_owner_are_known(
    tasks: OwnedTasks, outliving: set[asyncio.Task[Any]], idle: list[str]
) -> None:
    """Whether they began before its end, or after it."""
    may_end = asyncio.Event()
    before = tasks.create(may_end.wait())
    assert not outliving
    tasks.end(lambda: idle.append("idle"))
    after = tasks.create(may_end.wait())
    assert outliving == {before, after}
    assert idle == []
    may_end.set()
    await tasks.wait(1)
    await asyncio.sleep(0)
    assert not outliving
    assert idle == ["idle"]


async def test_owner_without_tasks_is_idle_at_its_end(tasks: OwnedTasks, idle: list[str]) -> None:
    tasks.end(lambda: idle.append("idle"))
    assert idle == ["idle"]


async def test_owner_is_idle_when_the_last_request_is_done_too(tasks: OwnedTasks, idle: list[str]) -> None:
    may_end = asyncio.Event()
    task = tasks.create(may_end.wait())
    tasks.hold()
    tasks.hold()
    tasks.let_go()
    tasks.end(lambda: idle.append("idle"))
    may_end.set()
    await task
    await asyncio.sleep(0)
    assert idle == []
    tasks.let_go()
    assert idle == ["idle"]


async def test_owner_is_idle_only_once(tasks: OwnedTasks, idle: list[str]) -> None:
    tasks.end(lambda: idle.append("idle"))
    await tasks.create(asyncio.sleep(0))
    tasks.hold()
    tasks.let_go()
    await asyncio.sleep(0)
    assert idle == ["idle"]


async def test_adopted_task_releases_itself(tasks: OwnedTasks, outliving: set[asyncio.Task[Any]]) -> None:
    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.release(task)

    tasks.end(lambda: None)
    task = tasks.adopt(work())
    assert outliving == {task}
    await task
    assert not outliving


async def test_owners_share_the_set_of_tasks_that_outlive_them(outliving: set[asyncio.Task[Any]]) -> None:
    owners = [OwnedTasks(outliving) for _ in range(2)]
    running = {owner.create(asyncio.sleep(1)) for owner in owners}
    for owner in owners:
        owner.end(lambda: None)
    assert outliving == running
    await asyncio.wait(running)
    await asyncio.sleep(0)
    assert not outliving


async def test_wait_has_a_bound(tasks: OwnedTasks) -> None:
    loop = asyncio.get_running_loop()
    await tasks.wait(5)
    assert loop.time() == 0
    task = tasks.create(asyncio.Event().wait())
    await tasks.wait(5)
    assert loop.time() == 5
    assert not task.done()
    task.cancel()
