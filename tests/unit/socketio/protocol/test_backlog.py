"""`Backlog`: when too much waits of what a client sent."""

from __future__ import annotations

import pytest

from sio.socketio.protocol.backlog import Backlog


class TestBacklog:
    @pytest.mark.parametrize(
        ("steps", "is_full"),
        [
            pytest.param([(99, 99)], False, id="below"),
            pytest.param([(100, 100)], True, id="at the limit"),
            pytest.param([(100, 100), (-49, -49)], True, id="more than half"),
            pytest.param([(100, 100), (-50, -50)], False, id="half"),
            pytest.param([(100, 100), (-50, -50), (49, 49)], False, id="below, after it was full"),
            pytest.param([(500, 500), (0, -500)], False, id="what is handled alone"),
            pytest.param([(500, 500), (0, -500), (1, 1)], True, id="what is handled, and more"),
            pytest.param([(100, 100), (0, -40)], True, id="handled in part"),
        ],
    )
    def test_is_full_from_the_limit_on_until_half_of_it(self, steps: list[tuple[int, int]], is_full: bool) -> None:
        backlog = Backlog(100)
        for total, waiting in steps:
            backlog.total += total
            backlog.waiting += waiting
            before = backlog.is_full
            assert backlog.update() is (backlog.is_full is not before)
        assert backlog.is_full is is_full

    @pytest.mark.parametrize(
        ("before", "size", "is_flooded"), [(0, 1_000, False), (99, 1_000, False), (100, 100, False), (100, 101, True)]
    )
    def test_is_flooded_when_much_waited_and_twice_as_much_does(self, before: int, size: int, is_flooded: bool) -> None:
        backlog = Backlog(100)
        backlog.total, backlog.waiting = before + size + 1_000, before + size
        assert backlog.is_flooded(size) is is_flooded
