"""`sio` answers on the wire what the official server answers: the same scripts, on both."""

from __future__ import annotations

import asyncio

import pytest

from .servers import Server
from .wire import Wire
from .wire_differences import DIFFERENCES, normalized
from .wire_scripts import HASTY_SCRIPTS, SCRIPTS, Script

_expected: dict[str, list[str]] = {}


async def transcript(server: Server, script: Script) -> list[str]:
    async with Wire(server) as wire:
        await script(wire)
        return wire.transcript


async def expected_transcript(name: str, reference: Server, script: Script) -> list[str]:
    """What the official server shows, which is asked once."""
    if name not in _expected:
        _expected[name] = await transcript(reference, script)
    return _expected[name]


async def compare(name: str, script: Script, server: Server, reference: Server) -> None:
    expected, seen = await asyncio.gather(expected_transcript(name, reference, script), transcript(server, script))
    seen = normalized(seen)
    difference = DIFFERENCES.get((name, server.kind))
    if difference is None:
        assert seen == expected, name
    else:
        assert seen == difference.seen, difference.reason
        assert seen != expected, "the difference is gone"


@pytest.mark.parametrize("name", SCRIPTS)
async def test_clients_see_what_the_official_server_shows(name: str, server: Server, reference: Server) -> None:
    await compare(name, SCRIPTS[name], server, reference)


async def test_timers_run_as_in_the_official_server(hasty_server: Server, hasty_reference: Server) -> None:
    """All at a time, since they mostly wait."""
    async with asyncio.TaskGroup() as group:
        for name, script in HASTY_SCRIPTS.items():
            group.create_task(compare(name, script, hasty_server, hasty_reference))


def test_each_named_difference_is_of_a_script() -> None:
    assert {name for name, _ in DIFFERENCES} <= SCRIPTS.keys() | HASTY_SCRIPTS.keys()
