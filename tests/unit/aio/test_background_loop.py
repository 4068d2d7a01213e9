"""`BackgroundLoop`: an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from sio.aio.background_loop import BackgroundLoop
from tests.pace import TIMEOUT

#: Threads that other tests have left.
OTHERS: set[threading.Thread] = set()


@pytest.fixture
def background() -> Iterator[BackgroundLoop]:
    OTHERS.update(threading.enumerate())
    background = BackgroundLoop()
    yield background
    background.stop()
    for thread in threads():
        thread.join(TIMEOUT)


def threads() -> list[threading.Thread]:
    """The threads of the loop, whose ends may still be on their way."""
    return [thread for thread in threading.enumerate() if thread.name == "sio-emitter" and thread not in OTHERS]


async def current() -> tuple[str, int]:
    return threading.current_thread().name, id(asyncio.get_running_loop())


async def fail() -> None:
    raise LookupError("of the coroutine")


def test_there_is_no_thread_before_the_first_use(background: BackgroundLoop) -> None:
    assert threads() == []


def test_one_thread_runs_all_coroutines(background: BackgroundLoop) -> None:
    name, loop = background.run(current())
    found = []
    callers = [threading.Thread(target=lambda: found.append(background.run(current()))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found == [(name, loop)] * 4
    assert name == "sio-emitter"
    assert len(threads()) == 1


def test_what_a_coroutine_raises_is_raised_to_the_caller(background: BackgroundLoop) -> None:
    with pytest.raises(LookupError, match="of the coroutine"):
        background.run(fail())


def test_thread_ends_when_it_is_stopped_and_starts_anew(background: BackgroundLoop) -> None:
    background.run(current())
    (thread,) = threads()
    background.stop()
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    assert background.run(current())[0] == "sio-emitter"
    assert len(threads()) == 1


def test_tasks_that_are_left_are_cancelled_as_it_stops(background: BackgroundLoop) -> None:
    ended = threading.Event()

    async def leave_behind() -> None:
        async def linger() -> None:
            try:
                await asyncio.sleep(TIMEOUT)
            finally:
                ended.set()

        background_tasks.add(asyncio.get_running_loop().create_task(linger()))
        await asyncio.sleep(0)

    background_tasks: set[asyncio.Task[None]] = set()
    background.run(leave_behind())
    background.stop()
    assert ended.wait(TIMEOUT)


def test_stopping_what_does_not_run_does_nothing() -> None:
    BackgroundLoop().stop()


def test_fork_has_a_thread_of_its_own(background: BackgroundLoop) -> None:
    background.run(current())
    pid = os.fork()
    if pid == 0:  # the child: it must not go on with the tests
        status = 1
        try:
            status = 0 if background.run(current())[0] == "sio-emitter" else 1
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert background.run(current())[0] == "sio-emitter"
