"""The transition table of a session, and the diagram that explains it."""

from __future__ import annotations

import re
from itertools import product

import pytest

from sio.engineio.protocol import state as state_module
from sio.engineio.protocol.state import (
    OPEN_STATES,
    TRANSITIONS,
    UPGRADING_STATES,
    WEBSOCKET_STATES,
    CloseReason,
    Input,
    State,
    transition,
)
from sio.exceptions import InvalidTransition

CLOSING_STATES = {State.CLOSING_POLLING, State.CLOSING_UPGRADING, State.CLOSING_WEBSOCKET}
TABLE = {(state, trigger): target for state, row in TRANSITIONS.items() for trigger, target in row.items()}


def reachable(*states: State) -> set[State]:
    """Returns the states that sessions that start in `states` can come to."""
    reached = set(states)
    while more := {TABLE[key] for key in TABLE if key[0] in reached} - reached:
        reached |= more
    return reached


class TestTable:
    """The table is closed: what it leads to is in it."""

    def test_every_state_has_a_row(self) -> None:
        assert TRANSITIONS.keys() == set(State)

    def test_every_state_is_reached(self) -> None:
        assert reachable(State.POLLING) == set(State)

    def test_session_that_starts_on_websocket_stays_on_it(self) -> None:
        assert reachable(State.WEBSOCKET) == {State.WEBSOCKET, State.CLOSING_WEBSOCKET, State.CLOSED}

    def test_upgraded_session_never_comes_back_to_polling(self) -> None:
        assert reachable(*WEBSOCKET_STATES).isdisjoint({State.POLLING, State.CLOSING_POLLING})

    def test_closed_is_final(self) -> None:
        assert reachable(State.CLOSED) == {State.CLOSED}

    def test_every_input_does_something_somewhere(self) -> None:
        assert {trigger for _, trigger in TABLE} == set(Input)

    @pytest.mark.parametrize("state", State)
    def test_end_is_accepted_everywhere(self, state: State) -> None:
        assert transition(state, Input.END) is State.CLOSED

    @pytest.mark.parametrize("state", State)
    def test_close_is_accepted_everywhere_and_idempotent(self, state: State) -> None:
        closing = transition(state, Input.CLOSE)
        assert closing not in OPEN_STATES
        assert transition(closing, Input.CLOSE) is closing

    @pytest.mark.parametrize("state", State)
    def test_close_keeps_the_transport(self, state: State) -> None:
        closing = transition(state, Input.CLOSE)
        assert (state in WEBSOCKET_STATES) == (closing in WEBSOCKET_STATES)
        assert (state in UPGRADING_STATES) == (closing in UPGRADING_STATES)

    @pytest.mark.parametrize("state", [state for state in State if state not in OPEN_STATES])
    def test_session_that_closes_never_opens_again(self, state: State) -> None:
        assert reachable(state).isdisjoint(OPEN_STATES)

    def test_only_a_session_on_polling_takes_a_probe(self) -> None:
        assert [state for state, trigger in TABLE if trigger is Input.PROBE] == [State.POLLING]

    def test_only_an_upgrading_session_ends_its_probe(self) -> None:
        for trigger in (Input.UPGRADE, Input.PROBE_FAILED):
            assert {state for state, other in TABLE if other is trigger} == UPGRADING_STATES

    @pytest.mark.parametrize(
        ("state", "trigger"), [key for key in product(State, Input) if key not in TABLE], ids=lambda member: member.name
    )
    def test_input_that_is_not_in_the_table_is_invalid(self, state: State, trigger: Input) -> None:
        with pytest.raises(InvalidTransition, match=rf"^{trigger.name} is not possible in the state {state.name}$"):
            transition(state, trigger)


class TestDiagram:
    """The diagram in the module's docstring and the table do not drift apart."""

    TEXT = state_module.__doc__ or ""

    def arrows(self) -> set[tuple[State, Input, State]]:
        """Returns the arrows that point right."""
        arrows, rest = set(), self.TEXT
        while match := re.search(r"([A-Z_]+)\s*──([A-Z_]+)──▶ ([A-Z_]+)", rest):
            source, trigger, target = match.groups()
            arrows.add((State[source], Input[trigger], State[target]))
            rest = rest[match.start(3) :]  # it may be the source of the next arrow
        return arrows

    def back_arrows(self) -> set[tuple[State, Input, State]]:
        """Returns the arrows that go down from under one state and up to another."""
        found = set()
        lines = self.TEXT.splitlines()
        for number, line in enumerate(lines):
            if match := re.search(r"└─+([A-Z_]+)─+┘", line):
                stem, states = lines[number - 1], lines[number - 2]
                head, tail = match.start(), match.end() - 1
                assert (stem[head], stem[tail]) == ("▲", "│")
                source, target = state_above(states, tail), state_above(states, head)
                found.add((source, Input[match[1]], target))
        return found

    def test_diagram_shows_the_open_states_and_their_closing(self) -> None:
        """The diagram leaves END out, which is everywhere, and what happens while the session closes."""
        expected = {
            (source, trigger, target)
            for (source, trigger), target in TABLE.items()
            if trigger is not Input.END and source in OPEN_STATES
        }
        assert self.arrows() | self.back_arrows() == expected

    def test_docstring_names_every_input(self) -> None:
        assert {trigger.name for trigger in Input} <= set(re.findall(r"[A-Z_]+", self.TEXT))


def state_above(line: str, column: int) -> State:
    """Returns the state that is written over a column of the diagram."""
    (name,) = [word[0] for word in re.finditer(r"[A-Z_]{3,}", line) if word.start() <= column < word.end()]
    return State[name]


class TestGroups:
    """The sets of states, by which a session knows what it is."""

    def test_open_closing_and_closed_are_all(self) -> None:
        assert OPEN_STATES | CLOSING_STATES | {State.CLOSED} == set(State)
        assert OPEN_STATES.isdisjoint(CLOSING_STATES)

    def test_no_state_is_upgrading_and_on_websocket(self) -> None:
        assert UPGRADING_STATES.isdisjoint(WEBSOCKET_STATES)


def test_reasons_are_the_strings_of_the_reference() -> None:
    assert set(map(str, CloseReason)) == {
        "transport close",
        "transport error",
        "ping timeout",
        "parse error",
        "forced close",
        "server shutting down",
    }
