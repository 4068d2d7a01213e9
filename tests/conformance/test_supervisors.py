"""Servers with a supervisor, and with systemd: the signal that ends them comes twice, and `disconnect` hooks run."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from .conftest import OURS
from .servers import CALM, Server
from .test_shutdown import REASON, reasons, serving
from .wire import Wire

#: Makes the server the leader of a group of processes, as a shell and systemd do.
LEADER = "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"
#: What starts a supervisor, and what a worker says when it serves.
SUPERVISORS = {
    "--workers": (["--workers", "2"], "Application startup complete"),
    "--reload": (["--reload", "--reload-dir", "tests/conformance/project"], "Application startup complete"),
}


class Group(Server):
    """A server and all the processes that it starts."""

    def __init__(self, kind: str, *options: str, ready: str = "") -> None:
        super().__init__(kind, CALM)
        self.command = [sys.executable, "-c", LEADER, *self.command, *options]
        if ready:
            self._ready = ready
            at = self.command.index("--timeout-graceful-shutdown")
            del self.command[at : at + 2]

    def send_signal(self, number: signal.Signals) -> None:
        """As a terminal does, and systemd by its default `KillMode`."""
        os.killpg(self.process.pid, number)


async def goodbyes(server: Group, *numbers: signal.Signals) -> list[bool]:
    """Ends a server with two clients. Returns whether the hooks ran to their ends."""
    wire = Wire(server)
    sessions = [await wire.member("websocket", "/parting") for _ in range(2)]
    for number in numbers:
        server.send_signal(number)
        # One process of the group has it before another hands it on.
        await asyncio.gather(*(server.hook(session.id, "disconnect") for session in sessions))
    await server.ended()
    assert [reasons(server, session.id) for session in sessions] == [[REASON]] * 2
    return [bool(server.hooks(session.id, "parted")) for session in sessions]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("kind", SUPERVISORS)
async def test_hooks_run_although_the_supervisor_hands_the_signal_on(kind: str, number: signal.Signals) -> None:
    options, ready = SUPERVISORS[kind]
    async with serving(Group("uvicorn", *options, ready=ready)) as server:
        assert await goodbyes(server, number) == [True, True]
        assert not server.take_troubles()


@pytest.mark.parametrize("kind", OURS)
async def test_signal_that_comes_again_is_no_impatience(kind: str) -> None:
    async with serving(Group(kind)) as server:
        assert await goodbyes(server, signal.SIGTERM, signal.SIGTERM) == [True, True]
        assert not server.take_troubles()


@pytest.mark.parametrize("kind", OURS)
async def test_second_interrupt_is_and_what_it_cuts_is_logged(kind: str) -> None:
    async with serving(Group(kind)) as server:
        assert await goodbyes(server, signal.SIGINT, signal.SIGINT) == [False, False]
        (trouble,) = server.take_troubles()
        assert "A second SIGINT cuts 2 hooks and handlers short" in trouble
