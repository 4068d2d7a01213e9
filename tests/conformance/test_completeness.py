"""Nothing is left out: each clause has a transcript or a reason, each bad input a case, each deviation its steps."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from .conftest import ASGI_SERVERS
from .player import Deviation, Transcript, load_deviations, load_transcripts

HERE = Path(__file__).parent

TRANSCRIPTS = load_transcripts(HERE / "transcripts")
HOSTILE = load_transcripts(HERE / "hostile")
DEVIATIONS = load_deviations(HERE / "deviations")
HOSTILE_DEVIATIONS = load_deviations(HERE / "hostile" / "deviations")

#: Clauses of semantics.md that no transcript can show, or that are about what is not offered.
NOT_OBSERVABLE = {
    entry["clause"]: entry["reason"]
    for entry in tomllib.loads((HERE / "not-observable.toml").read_text())["not_observable"]
}

#: The numbers of semantics.md that are not about the recovery of a connection.
SEMANTICS = [f"semantics {number}" for number in range(1, 67)]
#: Its tables about the wire: what the published packages changed, errors of Engine.IO, reasons, packets at connect.
SECTIONS = [f"semantics section {number}" for number in range(4)]

#: The cases of the official suites, by the line that each is on.
ENGINEIO_SUITE = [
    *(60, 87, 99, 109, 131, 158, 180, 204, 232, 260, 288, 312, 336, 357, 375, 392, 412, 438, 452, 470, 482, 508),
    *(523, 559, 584),
]
SOCKETIO_SUITE = [
    *(95, 122, 134, 144, 166, 193, 215, 241, 267, 281, 299, 311, 337, 352, 372, 391, 414, 437, 460, 483, 506, 520),
    *(532, 542, 552, 572, 582, 602, 612, 632, 640, 648),
]
SUITES = [
    *(f"engine.io-protocol v4 suite L{line}" for line in ENGINEIO_SUITE),
    *(f"socket.io-protocol v5 suite L{line}" for line in SOCKETIO_SUITE),
]

#: The rows of bad-inputs.md that are about one connection.
BAD_INPUTS = [f"bad input {number}" for number in (*range(1, 76), 95, 96, 97, 98, 106)]

#: The other rows that need no cluster: faults of the application, of the network, and of many clients at once.
FAULTS = {
    "76": "conformance/test_slow_readers.py::test_client_that_reads_nothing_is_cut_off",
    "77": "conformance/test_bad_inputs.py::test_client_that_reads_a_little_now_and_then_is_cut_off",
    "78": "conformance/test_heartbeat.py::test_silent_client_is_gone_after_interval_and_timeout",
    "79": "conformance/test_bad_inputs.py::test_flood_of_events_is_handled_and_holds_up_nobody",
    "80": "conformance/test_blocking.py::test_handler_that_raises_ends_nothing",
    "81": "conformance/test_blocking.py::test_handler_that_blocks_the_loop_costs_no_client_its_connection",
    "82": "unit/socketio/test_dispatch.py::test_sync_code_that_hangs_holds_up_nobody_else",
    "83": "conformance/test_bad_inputs.py::test_handler_that_is_cancelled_ends_alone",
    "84": "conformance/test_bad_inputs.py::test_emit_that_reaches_nobody_does_nothing",
    "85": "conformance/test_bad_inputs.py::test_broadcast_that_cannot_be_encoded_reaches_nobody",
    "85, size": "conformance/test_bad_inputs.py::test_event_of_ten_megabytes_arrives_on_a_websocket",
    "86": "conformance/test_bad_inputs.py::test_broadcasts_while_a_crowd_leaves",
    "86, closed": "conformance/test_bad_inputs.py::test_server_that_closes_a_crowd_in_one_turn",
    "93": "conformance/test_shutdown.py::test_crowd_is_sent_away_and_comes_back_to_the_next_server",
    "93, reload": "conformance/test_shutdown.py::test_crowd_survives_a_reload_of_runserver",
    "94": "unit/whole/test_cancellation.py::test_cancelled_request_leaves_nothing_half_done",
    "99": "unit/integration/test_users.py::test_request_of_another_user_is_refused",
    "100": "unit/integration/test_user_checks.py::test_user_who_logs_out_is_disconnected",
    "101": "conformance/test_admission.py::test_handshakes_that_lead_to_nothing_are_freed",
    "102": "unit/integration/test_allow_request.py::test_limit_for_each_user",
    "103": "conformance/test_bad_inputs.py::test_clock_that_jumps_changes_nothing",
    "104": "unit/whole/test_threads.py::test_broadcast_reaches_the_sockets",
    "105": "unit/integration/test_database.py::test_is_replaced_before_the_next_query",
    "108": "conformance/test_admission.py::test_storm_of_clients_is_served_in_turn_and_harms_nobody",
}


def clauses(transcripts: Iterable[Transcript]) -> set[str]:
    return {clause for transcript in transcripts for clause in transcript.clauses}


def test_each_clause_has_a_transcript_or_a_reason() -> None:
    shown = clauses(TRANSCRIPTS)
    assert [clause for clause in SEMANTICS if clause not in shown | NOT_OBSERVABLE.keys()] == []
    assert [clause for clause in SECTIONS if clause not in shown] == []


def test_no_clause_has_both() -> None:
    assert clauses(TRANSCRIPTS) & NOT_OBSERVABLE.keys() == set()
    assert NOT_OBSERVABLE.keys() <= set(SEMANTICS)
    assert all(NOT_OBSERVABLE.values())


def test_each_case_of_the_official_suites_has_a_transcript() -> None:
    assert (len(ENGINEIO_SUITE), len(SOCKETIO_SUITE)) == (25, 32)
    assert [clause for clause in SUITES if clause not in clauses(TRANSCRIPTS)] == []


def test_each_bad_input_has_a_case() -> None:
    assert [clause for clause in BAD_INPUTS if clause not in clauses(HOSTILE)] == []


@pytest.mark.parametrize("test", FAULTS.values())
def test_each_fault_has_its_test(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (HERE.parent / file).read_text()


def test_each_clause_is_one_that_there_is() -> None:
    known = {*SEMANTICS, *SECTIONS, *SUITES, *BAD_INPUTS}
    cases = [*TRANSCRIPTS, *HOSTILE]
    assert [(case.name, case.clause) for case in cases if not known.issuperset(case.clauses)] == []


def stale(deviation: Deviation, transcripts: Iterable[Transcript]) -> Iterator[str]:
    """The parts of a deviation that match nothing."""
    transcripts = list(transcripts)
    for kind in deviation.servers:
        if not any(_matches(kind, server) for server in ASGI_SERVERS):
            yield f"server {kind}"
    for name in deviation.transcripts:
        if not any(_matches(name, transcript.name) for transcript in transcripts):
            yield f"transcript {name}"
    steps = [step for transcript in transcripts if _is_of(deviation, transcript) for step in transcript.steps]
    for key in deviation.steps:
        if not any(step == key or (key.endswith("…") and step.startswith(key[:-1])) for step in steps):
            yield f"step {key}"


def _is_of(deviation: Deviation, transcript: Transcript) -> bool:
    return any(_matches(name, transcript.name) for name in deviation.transcripts)


def _matches(glob: str, name: str) -> bool:
    return fnmatch.fnmatchcase(name, glob)


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.reason)
def test_deviation_is_of_a_transcript(deviation: Deviation) -> None:
    assert list(stale(deviation, TRANSCRIPTS)) == []


@pytest.mark.parametrize("deviation", HOSTILE_DEVIATIONS, ids=lambda deviation: deviation.reason)
def test_deviation_is_of_a_hostile_case(deviation: Deviation) -> None:
    assert list(stale(deviation, HOSTILE)) == []


@pytest.mark.parametrize("deviation", [*DEVIATIONS, *HOSTILE_DEVIATIONS], ids=lambda deviation: deviation.reason)
def test_deviation_says_something(deviation: Deviation) -> None:
    assert deviation.reason
    assert deviation.steps or deviation.seen
