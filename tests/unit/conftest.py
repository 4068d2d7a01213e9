"""Unit tests run on a loop whose time is virtual: nothing waits, and nothing depends on the machine.

Those that use sockets, other threads or another loop are marked with `real_time`.
"""

from __future__ import annotations

import asyncio
import asyncio.constants
from collections.abc import Callable, Mapping

import pytest

from tests.virtual_time import VirtualTimeLoop

# The loops' debug mode notes for each call, future and task where it was made. No test looks at that, and ten frames
# of it each time are a tenth of what these tests take.
asyncio.constants.DEBUG_STACK_DEPTH = 1


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    real = item.get_closest_marker("real_time") is not None
    return {"real time": asyncio.new_event_loop} if real else {"virtual time": VirtualTimeLoop}
