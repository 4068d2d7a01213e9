"""Live servers and clients. Each configuration of a server is started once, by the first test that asks for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from . import forks
from .bystander import Bystander
from .parsers.oracle import Oracle
from .player import Transcript
from .report import note
from .scenarios.agents import Agents
from .servers import CALM, HASTY, OURS, Farm, Server
from .wire import Wire

HERE = Path(__file__).parent
#: Lines of a server's log that are shown with a test that failed.
SHOWN_LINES = 100

forks.want_forks()

#: All tests and fixtures here share one event loop, since they share the servers.
fixture = partial(pytest_asyncio.fixture, loop_scope="session")


def pytest_sessionfinish() -> None:
    forks.end()


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@fixture(scope="session")
async def farm() -> AsyncIterator[Farm]:
    """All servers of the run."""
    # Its debug mode makes a loop half as fast, and this one runs nothing of ours: that is in the servers' processes.
    asyncio.get_running_loop().set_debug(False)
    farm = Farm()
    yield farm
    await farm.stop()


@fixture(scope="session")
async def agents() -> AsyncIterator[Agents]:
    """The real clients."""
    agents = Agents()
    yield agents
    await agents.stop()


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The official parsers."""
    with Oracle() as oracle:
        yield oracle


class Bystanders:
    """A client on each server that tests must not harm."""

    def __init__(self) -> None:
        #: Each with the test that it was last served after.
        self._bystanders: dict[Server, tuple[Bystander, str]] = {}

    @contextlib.asynccontextmanager
    async def on(self, server: Server, item: pytest.Item) -> AsyncIterator[Bystander]:
        """One that has been there for many tests. Where pings are too frequent for that, since nothing is read between
        two tests, one that is there for one test. After a test that harmed it, there is another one for the next.
        """
        is_kept = "SIO_ENGINEIO_PING_INTERVAL_MS" not in server.settings
        bystander = self._kept(server, item) or await Bystander.open(server)
        try:
            yield bystander
        except BaseException:
            is_kept = False
            raise
        finally:
            if is_kept:
                self._bystanders[server] = bystander, item.nodeid
            else:
                await bystander.close()

    def _kept(self, server: Server, item: pytest.Item) -> Bystander | None:
        """The one from earlier tests. If it is gone, the test that was the last to use the server is to blame."""
        bystander, last = self._bystanders.pop(server, (None, ""))
        if bystander is None or bystander.end is None:
            return bystander
        note(item, f"after {last} the bystander on {server.kind} was {bystander.end}; it was opened anew")
        return None

    async def close(self) -> None:
        await asyncio.gather(*(bystander.close() for bystander, _ in self._bystanders.values()))


@fixture(scope="session")
async def bystanders(farm: Farm) -> AsyncIterator[Bystanders]:
    bystanders = Bystanders()
    yield bystanders
    await bystanders.close()


@contextlib.asynccontextmanager
async def unharmed(server: Server, bystanders: Bystanders, item: pytest.Item) -> AsyncIterator[Server]:
    """After a test, its server lives, serves its other clients, and has logged nothing that should not be there."""
    first = len(server.lines)
    async with bystanders.on(server, item) as bystander:
        yield server
        item.add_report_section("teardown", f"log of {server.kind}", "\n".join(server.lines[first:][-SHOWN_LINES:]))
        assert server.is_running
        await bystander.check()
    assert not server.take_troubles()


def server_fixture(kinds: Sequence[str], settings: Mapping[str, Any]) -> Any:
    """Returns a fixture: a server of each of the kinds."""

    @fixture(params=kinds)
    async def server(farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
        server = await farm.get(request.param, settings)
        async with unharmed(server, bystanders, request.node):
            yield server

    return server


#: Those, and the other ASGI servers that it runs on.
ASGI_SERVERS = ("uvicorn", "uvicorn-wsproto", "daphne", "hypercorn", "granian")


def on_servers(config: pytest.Config, transcripts: Iterable[Transcript]) -> list[Any]:
    """A parameter for each transcript and each server that it is played on: those of one server follow each other."""
    return [
        pytest.param(transcript, kind, id=f"{transcript.name}-{kind}")
        for kind in (["uvicorn"] if config.option.quick else ASGI_SERVERS)
        for transcript in transcripts
        if kind in OURS or transcript.shows_server or config.option.everywhere
    ]


#: `sio`, and with `any_` also the official server, which shows that the test is right.
server = server_fixture(OURS, CALM)
hasty_server = server_fixture(OURS, HASTY)
any_server = server_fixture(("node", *OURS), CALM)
any_hasty_server = server_fixture(("node", *OURS), HASTY)
reference = server_fixture(("node",), CALM)
hasty_reference = server_fixture(("node",), HASTY)


@fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    async with Wire(server) as wire:
        yield wire


@fixture
async def hasty_wire(hasty_server: Server) -> AsyncIterator[Wire]:
    async with Wire(hasty_server) as wire:
        yield wire


@fixture
async def any_wire(any_server: Server) -> AsyncIterator[Wire]:
    async with Wire(any_server) as wire:
        yield wire


@fixture
async def any_hasty_wire(any_hasty_server: Server) -> AsyncIterator[Wire]:
    async with Wire(any_hasty_server) as wire:
        yield wire
