"""Numbers that mostly count up, kept as runs: both ends of a stream record it so, in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

#: A run as (first, last), both of them in it. In JSON it is a list.
Run = Sequence[int]


class Runs:
    """Numbers in the order in which they came. As long as each is the successor of the one before, they are one run."""

    def __init__(self) -> None:
        self.pairs: list[list[int]] = []

    def add(self, number: int) -> None:
        if self.pairs and self.pairs[-1][1] == number - 1:
            self.pairs[-1][1] = number
        else:
            self.pairs.append([number, number])


def expand(runs: Iterable[Run]) -> Iterator[int]:
    """The numbers of some runs. One that ends before it begins has none."""
    return chain.from_iterable(range(first, last + 1) for first, last in runs)
