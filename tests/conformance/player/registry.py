"""Where the kinds of steps are registered, and how what is seen is held against what is expected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..wire import mask
from .actors import Actor, Player
from .text import matched

Step = Callable[[Player, Actor, str], Awaitable[str]]

#: What a step does, by the word that its line begins with: a function that takes the player, the actor and the rest of
#: the line, and returns what it saw.
STEPS: dict[str, Step] = {}


class Unexpected(AssertionError):
    """The server did something else. It says what was seen."""


def step(word: str) -> Callable[[Step], Step]:
    def register(function: Step) -> Step:
        STEPS[word] = function
        return function

    return register


def compare(player: Player, expected: str, seen: str) -> str:
    """What was seen, without what differs from one run to the next. Raises Unexpected."""
    masked = matched(expected, player.in_the_words_of_the_reference(seen), player.variables)
    if masked is None:
        raise Unexpected(seen)
    return mask(masked)
