"""What broken, hostile and unlucky clients send, and what is left of it: the data is in `hostile`.

The clauses are the rows of the catalogue of bad inputs. After each case its server lives, serves a bystander, has
logged nothing that should not be there, and has no session, task, room or anything else left that it had not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.pace import TIMEOUT

from .conftest import ASGI_SERVERS, Bystanders, fixture, on_servers, unharmed
from .fairness import fairly
from .http import control
from .player import Replay, Transcript, load_deviations, load_transcripts, replay
from .replays import AT_A_TIME, together
from .report import Verdict
from .servers import SETTINGS, Farm, Server
from .wire import Wire

HERE = Path(__file__).parent

TRANSCRIPTS = {transcript.name: transcript for transcript in load_transcripts(HERE / "hostile")}
DEVIATIONS = load_deviations(HERE / "hostile" / "deviations")

#: What a case may log: nothing that a client sends is logged in full, and it causes no flood.
MAX_LINE, MAX_LINES = 1000, 50


class Leftovers:
    """What there is on a server that there was not before."""

    def __init__(self, server: Server, before: dict[str, int]) -> None:
        self._server = server
        self._before = before
        self._first_line = len(server.lines)

    @classmethod
    async def since(cls, server: Server) -> Leftovers:
        return cls(server, await control(server, "stats"))

    async def gone(self) -> None:
        """Waits until there are none."""
        try:
            async with asyncio.timeout(TIMEOUT):
                while left := await self.left():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"left behind on {self._server.kind}: {left}") from None

    async def left(self) -> dict[str, int]:
        now = await control(self._server, "stats")
        return {name: count - self._before[name] for name, count in now.items() if count > self._before[name]}

    def check_log(self, cases: int) -> None:
        lines = [line for line in self._server.lines[self._first_line :] if " sio." in line]
        assert len(lines) <= MAX_LINES * cases, f"logged {len(lines)} lines"
        assert not [line[:MAX_LINE] for line in lines if len(line) > MAX_LINE]


class Attacks:
    """Each case once on each server. Those whose timers are short mostly wait, and are played all at a time."""

    def __init__(self) -> None:
        self._played: dict[tuple[str, str], Replay | BaseException] = {}

    async def play(self, transcript: Transcript, server: Server) -> Replay:
        """Raises player.Failure, and AssertionError if something is left behind."""
        if (transcript.name, server.kind) not in self._played:
            await self._play(_at_a_time(transcript, server.kind), server)
        played = self._played[transcript.name, server.kind]
        if isinstance(played, BaseException):
            raise played
        return played

    async def _play(self, transcripts: Sequence[Transcript], server: Server) -> None:
        leftovers = await Leftovers.since(server)
        places = asyncio.Semaphore(AT_A_TIME)
        replays = (_replay(transcript, server, places) for transcript in transcripts)
        played = await asyncio.gather(*replays, return_exceptions=True)
        for case, seen in zip(transcripts, played, strict=True):
            was_late = isinstance(seen, AssertionError) and len(transcripts) > 1  # perhaps because of the others
            self._played[case.name, server.kind] = await _alone(case, server) if was_late else seen
        try:
            await leftovers.gone()
            leftovers.check_log(len(transcripts))
        except AssertionError as error:
            await self._blame(transcripts, server, error)

    async def _blame(self, transcripts: Sequence[Transcript], server: Server, error: AssertionError) -> None:
        """Finds whose leftovers they are. A case that failed may well have left some, and its own failure says more."""
        if len(transcripts) > 1:
            for transcript in transcripts:
                await self._play([transcript], server)
        elif not isinstance(self._played[transcripts[0].name, server.kind], BaseException):
            self._played[transcripts[0].name, server.kind] = error


async def _alone(transcript: Transcript, server: Server) -> Replay | BaseException:
    try:
        return await fairly(lambda: replay(transcript, server, DEVIATIONS), server)
    except AssertionError as error:
        return error


async def _replay(transcript: Transcript, server: Server, places: asyncio.Semaphore) -> Replay:
    async with places:
        return await replay(transcript, server, DEVIATIONS)


def _at_a_time(transcript: Transcript, kind: str) -> list[Transcript]:
    return [transcript] if transcript.settings == "hostile" else together(transcript, kind, TRANSCRIPTS.values())


@pytest.fixture(scope="session")
def attacks() -> Attacks:
    return Attacks()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "transcript" in metafunc.fixturenames:
        cases = on_servers(metafunc.config, TRANSCRIPTS.values())
        metafunc.parametrize(("transcript", "server"), cases, indirect=["server"])


@fixture
async def server(
    request: pytest.FixtureRequest, transcript: Transcript, farm: Farm, bystanders: Bystanders
) -> AsyncIterator[Server]:
    server = await farm.get(request.param, SETTINGS[transcript.settings])
    async with unharmed(server, bystanders, request.node):
        yield server


async def test_hostile_input(transcript: Transcript, server: Server, attacks: Attacks, verdict: Verdict) -> None:
    verdict.of("Hostile input", transcript.clause, transcript.name, server=server.kind)
    for reason in (await attacks.play(transcript, server)).reasons:
        verdict.deviates(reason)


@pytest.mark.parametrize("kind", ASGI_SERVERS)
async def test_what_is_left_behind_is_seen(kind: str, farm: Farm) -> None:
    server = await farm.get(kind, SETTINGS["hostile"])
    leftovers = await Leftovers.since(server)
    async with Wire(server) as wire:
        await (await wire.polling()).join()
        assert (await leftovers.left()).keys() == {
            "sessions",
            "clients",
            "sockets, also those not accepted",
            "sockets of namespaces",
            "rooms",
            "members of rooms",
        }
    await leftovers.gone()
