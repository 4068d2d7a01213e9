"""The tasks of a session, and which of them a shutdown waits for."""

from __future__ import annotations

import asyncio

from sio.engineio.tasks import SessionTasks, unfinished


async def test_what_runs_after_the_session_is_waited_for() -> None:
    """Whether it began before the end, or after it."""
    tasks, may_end = SessionTasks(), asyncio.Event()
    before = tasks.create(may_end.wait())
    assert not unfinished
    tasks.end_session()
    after = tasks.create(may_end.wait())
    assert unfinished == {before, after}
    may_end.set()
    await tasks.wait(1)
    await asyncio.sleep(0)
    assert not unfinished
