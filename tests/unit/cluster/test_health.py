"""What is known of a layer: what works, when it is tried again, and what the log says."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sio.cluster.health import Health, Operation
from tests.unit.cluster.layers import FAILED, LOST, WORKS

SEND, JOIN, READ = Operation.SEND, Operation.JOIN, Operation.READ


def in_groups(doubts: list[int] | None = None) -> Health:
    """Returns the health of a layer, in a process that is in groups. Each doubt is noted."""
    health = Health(None if doubts is None else lambda: doubts.append(1))
    health.has_groups = True
    return health


class TestDoubt:
    @pytest.mark.parametrize(
        ("operations", "is_up"),
        [
            ([], False),
            ([SEND], False),
            ([SEND, READ], False),
            ([JOIN, READ], False),
            ([SEND, JOIN, READ], True),
            ([READ, JOIN, SEND, SEND], True),
        ],
    )
    async def test_after_a_failure_each_operation_has_to_work(self, operations: list[Operation], is_up: bool) -> None:
        health = in_groups()
        assert health.is_up
        health.failed(OSError("gone"))
        for operation in operations:
            health.works(operation)
        assert health.is_up is is_up

    async def test_process_without_groups_is_in_doubt_about_sending_only(self) -> None:
        health = Health()
        health.failed(OSError("gone"))
        assert not health.is_up
        health.works(SEND)
        assert health.is_up

    @pytest.mark.parametrize(("operations", "is_up"), [([SEND], False), ([READ], False), ([JOIN, READ], True)])
    async def test_lost_message_says_nothing_about_sending(self, operations: list[Operation], is_up: bool) -> None:
        health = in_groups()
        health.lost()
        assert health.is_worth_a_try
        health.works(*operations)
        assert health.is_up is is_up

    async def test_process_that_left_its_groups_has_no_doubt_about_memberships(self) -> None:
        health = in_groups()
        health.lost()
        health.left_groups()
        assert (health.is_up, health.has_groups) == (True, False)

    async def test_failure_outlasts_the_groups(self) -> None:
        health = in_groups()
        health.failed(OSError("gone"))
        health.left_groups()
        assert not health.is_up

    async def test_memberships_come_into_doubt_once(self) -> None:
        doubts: list[int] = []
        health = in_groups(doubts)
        for _ in range(3):
            health.failed(OSError("gone"))
            health.lost()
        assert doubts == [1]
        health.works(JOIN)
        health.failed(OSError("gone"))
        assert doubts == [1, 1]

    async def test_process_without_groups_has_no_memberships_to_doubt(self) -> None:
        doubts: list[int] = []
        Health(lambda: doubts.append(1)).failed(OSError("gone"))
        assert doubts == []


class TestRetry:
    async def test_process_in_groups_does_not_send_until_the_layer_works(self) -> None:
        health = in_groups()
        health.failed(OSError("gone"))
        await asyncio.sleep(3_600)
        assert not health.is_worth_a_try
        health.works(SEND)
        assert health.is_worth_a_try

    async def test_other_process_tries_after_pauses_that_grow(self) -> None:
        health = Health()
        for longest in (0.1, 0.2, 0.4):
            health.failed(OSError("gone"))
            await asyncio.sleep(longest * 0.79)
            assert not health.is_worth_a_try
            await asyncio.sleep(longest * 0.22)
            assert health.is_worth_a_try

    async def test_pause_after_a_success_is_short_again(self) -> None:
        health = Health()
        for _ in range(10):
            health.failed(OSError("gone"))
        health.works(SEND)
        health.failed(OSError("gone"))
        await asyncio.sleep(0.101)
        assert health.is_worth_a_try


class TestLog:
    async def test_outage_is_two_lines(self, caplog: pytest.LogCaptureFixture) -> None:
        health = in_groups()
        for _ in range(3):
            health.failed(OSError("gone"))
            health.lost()
        for _ in range(3):
            health.works(SEND, JOIN, READ)
        assert [(record.name, record.levelno) for record in caplog.records] == [
            ("sio.channel_layer", logging.WARNING)
        ] * 2
        assert f"{FAILED} (OSError('gone'))" in caplog.messages[0]
        assert WORKS in caplog.messages[1]

    async def test_lost_message_is_a_line_of_its_own(self, caplog: pytest.LogCaptureFixture) -> None:
        health = in_groups()
        health.lost()
        health.works(JOIN, READ)
        assert [LOST in caplog.messages[0], WORKS in caplog.messages[1]] == [True, True]

    async def test_layer_that_works_is_no_news(self, caplog: pytest.LogCaptureFixture) -> None:
        in_groups().works(SEND, JOIN, READ)
        assert caplog.messages == []
