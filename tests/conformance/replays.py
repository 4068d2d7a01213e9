"""Replays of transcripts: each at most once on each server, and those that wait for timers all at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from .fairness import fairly
from .player import Deviation, Replay, Transcript, replay
from .servers import OURS, SETTINGS, Farm, Server

#: How many transcripts that wait for timers run at a time: more of them would be late on a small machine.
AT_A_TIME = 10


class Replays:
    """What was seen, for the tests that compare it."""

    def __init__(self, farm: Farm, transcripts: Iterable[Transcript], deviations: Sequence[Deviation]) -> None:
        self._farm = farm
        self._transcripts = list(transcripts)
        self._deviations = deviations
        self._tasks: dict[tuple[str, str], asyncio.Task[Replay]] = {}

    async def get(self, transcript: Transcript, kind: str) -> Replay:
        """The replay of a transcript on a server. Raises player.Failure."""
        server = await self._farm.get(kind, SETTINGS[transcript.settings])
        if (transcript.name, kind) not in self._tasks:
            places = asyncio.Semaphore(AT_A_TIME)
            batch = self._at_a_time(transcript, kind)
            for started in batch:
                self._tasks[started.name, kind] = asyncio.create_task(self._replay(started, server, places))
            # All of them now: between two tests nothing runs, and a transcript that has begun would be late.
            await asyncio.wait([self._tasks[started.name, kind] for started in batch])
            if len(batch) > 1:
                await self._replay_failed(batch, server)
        return await self._tasks[transcript.name, kind]

    async def _replay_failed(self, batch: Sequence[Transcript], server: Server) -> None:
        """Those that failed may have been late because of the others: each once more, and alone."""
        for transcript in batch:
            if self._tasks[transcript.name, server.kind].exception() is not None:
                again = asyncio.create_task(fairly(partial(self._play, transcript, server), server))
                self._tasks[transcript.name, server.kind] = again
                await asyncio.wait([again])

    async def _replay(self, transcript: Transcript, server: Server, places: asyncio.Semaphore) -> Replay:
        async with places:
            return await self._play(transcript, server)

    async def _play(self, transcript: Transcript, server: Server) -> Replay:
        return await replay(transcript, server, () if server.kind == "node" else self._deviations)

    def _at_a_time(self, transcript: Transcript, kind: str) -> list[Transcript]:
        """Where timers are short, transcripts mostly wait, and disturb nobody."""
        return [transcript] if transcript.settings == "calm" else together(transcript, kind, self._transcripts)


def together(transcript: Transcript, kind: str, transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Those with the same settings that are asked for in every run, if this one is."""
    everywhere = kind in ("node", *OURS) or not transcript.shows_server
    return [
        other for other in transcripts if other.settings == transcript.settings and (everywhere or other.shows_server)
    ]
