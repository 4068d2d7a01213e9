"""The places of a server: what takes one, and what happens when there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from sio.engineio import EngineIOOptions
from sio.engineio.admission import Admission
from sio.exceptions import Unavailable


class Places:
    """The sessions of a server, and their admission."""

    def __init__(self, **options: int) -> None:
        self.live: set[object] = set()
        self.admission = Admission(self.live)
        self._options = EngineIOOptions(**options)

    def open(self, count: int = 1) -> list[object]:
        """Opens sessions."""
        opened = [object() for _ in range(count)]
        for session in opened:
            self.live.add(session)
            self.admission.open(session)
        return opened

    def end(self, *sessions: object) -> None:
        """Ends sessions of which something still runs."""
        for session in sessions:
            self.live.remove(session)
            self.admission.linger(session)

    def release(self, *sessions: object) -> None:
        for session in sessions:
            self.admission.release(session)

    @property
    def are_free(self) -> bool:
        """Whether one more session may open."""
        try:
            self.admission.check(self._options)
        except Unavailable:
            return False
        return True


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def open_one(places: Places) -> None:
    places.open()


def establish_one(places: Places) -> None:
    places.admission.establish(*places.open())


def end_one(places: Places) -> None:
    places.end(*places.open())


def end_one_established(places: Places) -> None:
    establish_one(places)
    places.end(*places.live.copy())


def release_one(places: Places) -> None:
    (session,) = places.open()
    places.end(session)
    places.release(session)


def establish_one_that_is_released(places: Places) -> None:
    (session,) = places.open()
    places.end(session)
    places.release(session)
    places.admission.establish(session)


def release_one_twice(places: Places) -> None:
    (session,) = places.open()
    places.end(session)
    places.release(session, session)


def ask(places: Places) -> None:
    places.admission.undecided += 1


def ask_and_decide(places: Places) -> None:
    places.admission.undecided += 1
    places.admission.undecided -= 1


@pytest.mark.parametrize(
    ("happens", "takes_place", "takes_unestablished_place"),
    [
        (open_one, True, True),
        (establish_one, True, False),
        (end_one, True, True),
        (end_one_established, True, False),
        (release_one, False, False),
        (release_one_twice, False, False),
        (establish_one_that_is_released, False, False),
        (ask, True, True),
        (ask_and_decide, False, False),
    ],
)
def test_what_takes_a_place(
    happens: Callable[[Places], None], takes_place: bool, takes_unestablished_place: bool
) -> None:
    for options, takes in (
        ({"max_sessions": 1}, takes_place),
        ({"max_unestablished_sessions": 1}, takes_unestablished_place),
        ({"max_sessions": 2, "max_unestablished_sessions": 2}, False),
        ({}, False),
    ):
        places = Places(**options)
        assert places.are_free
        happens(places)
        assert places.are_free is not takes, options


@pytest.mark.parametrize("bound", ["max_sessions", "max_unestablished_sessions"])
def test_server_without_places_refuses_all(bound: str) -> None:
    assert not Places(**{bound: 0}).are_free


def test_refusal_says_why_and_when_to_come_again() -> None:
    places = Places(max_sessions=0)
    with pytest.raises(Unavailable, match="SIO_MAX_SESSIONS is reached") as caught:
        places.admission.check(EngineIOOptions(max_sessions=0))
    assert caught.value.retry_after == 5
    with pytest.raises(Unavailable, match="SIO_MAX_UNJOINED_SESSIONS is reached"):
        places.admission.check(EngineIOOptions(max_unestablished_sessions=0))


def test_refusals_are_counted() -> None:
    places = Places(max_sessions=1)
    places.open()
    assert [places.are_free for _ in range(3)] == [False] * 3
    assert places.admission.refused == 3


class TestLog:
    """A full server is logged once, and again when it was less full meanwhile."""

    def test_one_line_for_many_refusals(self, caplog: pytest.LogCaptureFixture) -> None:
        places = Places(max_sessions=3)
        places.open(3)
        assert [places.are_free for _ in range(3)] == [False] * 3
        assert warnings(caplog) == ["Refusing handshakes: SIO_MAX_SESSIONS = 3 is reached"]

    def test_each_setting_has_its_line(self, caplog: pytest.LogCaptureFixture) -> None:
        admission = Places().admission
        bounds: list[dict[str, Any]] = [{"max_sessions": 0}, {"max_unestablished_sessions": 0}]
        for bound in bounds * 2:
            with pytest.raises(Unavailable):
                admission.check(EngineIOOptions(**bound))
        assert warnings(caplog) == [
            "Refusing handshakes: SIO_MAX_SESSIONS = 0 is reached",
            "Refusing handshakes: SIO_MAX_UNJOINED_SESSIONS = 0 is reached",
        ]

    @pytest.mark.parametrize(("left", "lines"), [(19, 1), (18, 2)])
    def test_line_comes_again_when_a_tenth_was_free(
        self, left: int, lines: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        places = Places(max_sessions=20)
        sessions = places.open(20)
        assert not places.are_free
        gone = sessions[left:]
        places.end(*gone)
        places.release(*gone)
        assert places.are_free
        places.open(20 - left)
        assert not places.are_free
        assert len(warnings(caplog)) == lines

    def test_line_says_how_many_sessions_are_over(self, caplog: pytest.LogCaptureFixture) -> None:
        places = Places(max_sessions=3)
        places.end(*places.open(2))
        places.open()
        assert not places.are_free
        assert warnings(caplog) == [
            "Refusing handshakes: SIO_MAX_SESSIONS = 3 is reached (2 of them are over, but for handlers that run, or "
            "clients that do not read)"
        ]
