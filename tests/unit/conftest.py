"""Unit tests run on a loop whose time is virtual: nothing waits, and nothing depends on the machine.

Those that use sockets, other threads or another loop are marked with `real_time`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    real = item.get_closest_marker("real_time") is not None
    return {"real time": asyncio.new_event_loop} if real else {"virtual time": VirtualTimeLoop}
