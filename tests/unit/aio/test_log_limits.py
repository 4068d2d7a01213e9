"""What may happen again and again is logged once, and then counted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from sio.aio.log_limits import Once, Repeats, Tally
from tests import virtual_time

LOGGER = logging.getLogger("sio")


@pytest.fixture
def repeats() -> Repeats:
    return Repeats(LOGGER)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Returns the lines of the library, without those of asyncio's debug mode."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("sio")]


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine on a loop of its own, in which nothing fails."""
    problems: list[dict[str, Any]] = []
    virtual_time.run(main, problems)
    assert problems == []


class TestOnce:
    def test_each_key_is_new_once(self) -> None:
        once = Once()
        assert [once.is_new(key) for key in "abab"] == [True, True, False, False]

    def test_nothing_is_new_after_so_many_keys(self) -> None:
        once = Once()
        assert [once.is_new(str(number)) for number in range(30)] == [True] * 20 + [False] * 10


class TestRepeats:
    async def test_warning_is_logged_with_its_cause_and_then_counted(
        self, repeats: Repeats, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(3):
            repeats.warning("message", f"cause {number}")
        assert logged(caplog) == ["message (cause 0)"]
        await asyncio.sleep(11)
        assert logged(caplog)[1:] == ["2 more times in the last 10 s: message"]
        assert {record.levelno for record in caplog.records} == {logging.WARNING}

    async def test_error_is_logged_with_its_traceback_and_then_counted(
        self, repeats: Repeats, caplog: pytest.LogCaptureFixture
    ) -> None:
        errors = [LookupError(1), LookupError(2), KeyError(3)]
        for error in errors:
            repeats.error("hook raised", error)
        assert logged(caplog) == ["hook raised"] * 2
        assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [errors[0], errors[2]]
        await asyncio.sleep(11)
        assert logged(caplog)[2:] == ["1 more times in the last 10 s: hook raised: LookupError"]
        assert {record.levelno for record in caplog.records} == {logging.ERROR}

    async def test_message_that_goes_on_is_counted_every_ten_seconds(
        self, repeats: Repeats, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(35):
            repeats.warning("message")
            await asyncio.sleep(1)
        counted = [int(line.split()[0]) for line in logged(caplog)[1:]]
        assert counted == [9, 10, 10]

    async def test_message_is_news_again_when_it_stopped(
        self, repeats: Repeats, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(2):
            repeats.warning("message")
            await asyncio.sleep(11)
        assert logged(caplog) == ["message"] * 2

    async def test_different_messages_are_bounded(self, repeats: Repeats, caplog: pytest.LogCaptureFixture) -> None:
        for number in range(1_000):
            repeats.warning(f"message {number}")
        assert len(logged(caplog)) == 101
        await asyncio.sleep(11)
        assert logged(caplog)[101:] == ["899 more times in the last 10 s: others of this kind"]

    def test_another_loop_starts_anew(self, repeats: Repeats, caplog: pytest.LogCaptureFixture) -> None:
        """The timers of a loop that was closed never run."""

        async def warn() -> None:
            repeats.warning("message")
            repeats.warning("message")

        run(warn())
        run(warn())
        assert logged(caplog) == ["message"] * 2

    def test_timer_of_a_loop_that_is_not_the_last_one_logs_nothing(
        self, repeats: Repeats, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def other() -> None:
            repeats.warning("of the other loop")

        async def main() -> None:
            repeats.warning("of the first loop")
            await asyncio.to_thread(asyncio.run, other())
            await asyncio.sleep(30)

        run(main())
        assert logged(caplog) == ["of the first loop", "of the other loop"]


class TestTally:
    def test_all_are_counted_and_the_first_is_logged(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The next one is logged after ten seconds."""
        tally = Tally(LOGGER, "Lost messages")
        times = iter([5.0, 14.9, 15.0, 16.0])
        monkeypatch.setattr(time, "monotonic", lambda: next(times))
        for detail in ("a", "b", LookupError("c"), "d"):
            tally.add(detail)
        assert tally.count == 4
        assert logged(caplog) == ["Lost messages (1 so far): a", "Lost messages (3 so far): LookupError('c')"]
