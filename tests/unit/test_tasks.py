"""The tasks of a session, which of them a shutdown waits for, and when the last of them is done."""

from __future__ import annotations

import asyncio

from sio.engineio.tasks import SessionTasks, unfinished


async def test_what_runs_after_the_session_is_waited_for() -> None:
    """Whether it began before the end, or after it."""
    tasks, may_end, idle = SessionTasks(), asyncio.Event(), list[str]()
    before = tasks.create(may_end.wait())
    assert not unfinished
    tasks.end_session(lambda: idle.append("idle"))
    after = tasks.create(may_end.wait())
    assert unfinished == {before, after}
    assert idle == []
    may_end.set()
    await tasks.wait(1)
    await asyncio.sleep(0)
    assert not unfinished
    assert idle == ["idle"]


async def test_session_without_tasks_is_idle_at_its_end() -> None:
    idle: list[str] = []
    SessionTasks().end_session(lambda: idle.append("idle"))
    assert idle == ["idle"]
