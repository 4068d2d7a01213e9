"""`sio` does on the wire what the official server does: the same transcripts, replayed on both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .conftest import Bystanders, fixture, on_servers, unharmed
from .player import Replay, Transcript, load_deviations, load_transcripts
from .replays import Replays
from .report import Verdict
from .servers import SETTINGS, Farm

HERE = Path(__file__).parent

TRANSCRIPTS = {transcript.name: transcript for transcript in load_transcripts(HERE / "transcripts")}
DEVIATIONS = load_deviations(HERE / "deviations")


@fixture(scope="session")
async def replays(farm: Farm) -> Replays:
    return Replays(farm, TRANSCRIPTS.values(), DEVIATIONS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize(("transcript", "kind"), on_servers(metafunc.config, TRANSCRIPTS.values()), indirect=["kind"])


@fixture
async def kind(
    request: pytest.FixtureRequest, transcript: Transcript, farm: Farm, bystanders: Bystanders
) -> AsyncIterator[str]:
    """The kind of the server, which is not harmed."""
    server = await farm.get(request.param, SETTINGS[transcript.settings])
    async with unharmed(server, bystanders, request.node):
        yield request.param


async def test_transcript(transcript: Transcript, kind: str, replays: Replays, verdict: Verdict) -> None:
    verdict.of("Transcripts", transcript.clause, transcript.name, server=kind)
    ours = await replays.get(transcript, kind)
    for reason in ours.reasons:
        verdict.deviates(reason)
    if not transcript.not_on_the_reference:
        compare(transcript, ours, await replays.get(transcript, "node"))


def compare(transcript: Transcript, ours: Replay, theirs: Replay) -> None:
    """All that was seen is the same, in the steps and beyond what they expect, but where a deviation was."""
    differences = [
        f"{step}\n  sio: {seen}\n  reference: {expected}"
        for step, seen, expected in zip(transcript.steps, ours.seen, theirs.seen, strict=True)
        if seen not in (None, expected)
    ]
    assert not differences, "\n".join(differences)
