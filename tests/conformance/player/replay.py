"""Goes through the steps of a transcript, against one server."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.pace import PACE, TIMEOUT

from ..http import late_at
from ..servers import Server
from . import (  # noqa: F401  # they register themselves
    foreign_steps,
    hostile_steps,
    request_steps,
    server_steps,
    session_steps,
    websocket_steps,
)
from .actors import Player
from .cases import Deviation, Transcript
from .registry import STEPS, Unexpected
from .serving import serving
from .text import filled

_STEP = re.compile(r"(?:(?P<actor>\w+): )?(?P<word>[\w-]+)(?: (?P<rest>.*))?", re.DOTALL)
_REPEAT = re.compile(r"repeat (\d+) (.*)")
_BETWEEN = re.compile(r"between (\d+) (\d+) (.*)")
_SERVING = re.compile(r"serving (\w+) (\d+) (.*)")


class Failure(AssertionError):
    """The server did not do what the transcript says. The message shows the steps up to that one."""


@dataclass
class Replay:
    """What was seen at each step, and the deviations that took the place of some."""

    #: For each step of the transcript, what was seen; None where a deviation took its place.
    seen: list[str | None] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


async def replay(transcript: Transcript, server: Server, deviations: Sequence[Deviation] = ()) -> Replay:
    """Plays a transcript. Raises Failure."""
    applying = [deviation for deviation in deviations if deviation.applies(transcript, server.kind)]
    done = Replay()
    played: list[str] = []
    async with Player(server, transcript.transport, applying) as player:
        for step in transcript.steps:
            deviation, instead = _instead(applying, step)
            player.begin_step()
            try:
                seen = [await _play(player, part) for part in instead]
            except (AssertionError, OSError, EOFError, KeyError) as error:
                raise Failure(_story(transcript, server, played, step, error)) from error
            done.seen.append(None if deviation else seen[0])
            if deviation:
                player.deviates(deviation)
            played += [f"  {part}" for part in instead]
        done.reasons = player.reasons
    return done


def _instead(applying: Sequence[Deviation], step: str) -> tuple[Deviation | None, tuple[str, ...]]:
    for deviation in applying:
        if (instead := deviation.instead(step)) is not None:
            return deviation, instead
    return None, (step,)


def _story(transcript: Transcript, server: Server, played: Sequence[str], step: str, error: BaseException) -> str:
    seen = str(error) or type(error).__name__
    lines = [f"{transcript.name} ({transcript.clause}), on {server.kind}:", *played, f"> {step}", f"  saw: {seen}"]
    return "\n".join(line if len(line) <= 2000 else f"{line[:1900]}… ({len(line)} characters)" for line in lines)


async def _play(player: Player, step: str) -> str:
    """One step, with what stands before it: how often it is done, how long that may take, and who must not notice."""
    if beside := _SERVING.fullmatch(step):
        return await serving(player.actor(beside[1]).member, PACE * int(beside[2]) / 1000, _play(player, beside[3]))
    if repeat := _REPEAT.fullmatch(step):
        return "\n".join([await _play(player, part) for part in _repeated(int(repeat[1]), repeat[2])])
    if between := _BETWEEN.fullmatch(step):
        return await _play_between(player, int(between[1]), int(between[2]), between[3])
    parts = _STEP.fullmatch(step)
    if parts is None or parts["word"] not in STEPS:
        raise AssertionError(f"no such step: {step}")
    rest = filled(parts["rest"] or "", player.variables)
    async with asyncio.timeout(2 * TIMEOUT):  # what it waits for says more when it is late than that the step is
        return await STEPS[parts["word"]](player, player.actor(parts["actor"] or ""), rest)


async def _play_between(player: Player, least: int, most: int, step: str) -> str:
    """One step, neither too early nor too late, in milliseconds.

    The least is counted from a moment at which what the step waits for had not begun: that of `watch`, or the beginning
    of the step before. The most is a timer of the server's own: when that has run out, what was to come before it must
    have come, however late both are.
    """
    since = player.began_before if player.watched is None else player.watched
    work = asyncio.ensure_future(_play(player, step))
    late = asyncio.ensure_future(late_at(player.server, most))
    try:
        await asyncio.wait((work, late), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise Unexpected(f"nothing within {most} ms of the server's own clock")
        seen = await work
        taken = (time.monotonic() - since) * 1000
        assert taken >= least * player.stretch, f"after {taken:.0f} ms: {seen}"
        return seen
    finally:
        work.cancel()
        late.cancel()
        await asyncio.gather(work, late, return_exceptions=True)


def _repeated(count: int, step: str) -> Iterator[str]:
    return (step.replace("{n}", str(number)) for number in range(count))
