"""The endurance test finds what it looks for, and its proxy does what its plans say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest

from tests.pace import TIMEOUT

from .ledger import Ledger, Record, difference
from .plans import CALM, Cut, Plan, Stall, draw
from .proxy import Proxy
from .report import SEEN, failures
from .runs import Runs, expand
from .soak import Outcome, leftovers

CONNECT = {"side": "server", "hook": "connect", "id": "a"}


def server(**details: Any) -> Record:
    """What the server wrote down of a session that had an event of its client, and three messages for it."""
    room = {"lobby": [[4, 5], [9, 9]]}
    record = {"side": "server", "hook": "disconnect", "id": "a", "took": [[0, 0]], "sent": 3, "rooms": room}
    return {**record, "faults": [], **details}


def client(**details: Any) -> Record:
    """What its client wrote down."""
    record = {"side": "client", "id": "a", "kind": "node", "plan": "polling", "transport": "polling", "reason": "x"}
    room = {"lobby": [[4, 5], [9, 9]]}
    return {**record, "sent": 1, "acked": 0, "got": [[0, 2]], "rooms": room, "faults": [], **details}


class TestRuns:
    def test_keeps_numbers_that_count_up_as_one_run(self) -> None:
        runs = Runs()
        for number in (0, 1, 2, 2, 5, 4):
            runs.add(number)
        assert runs.pairs == [[0, 2], [2, 2], [5, 5], [4, 4]]
        assert list(expand(runs.pairs)) == [0, 1, 2, 2, 5, 4]


class TestDifference:
    @pytest.mark.parametrize(
        ("received", "problem"),
        [
            ([[0, 4], [7, 9]], None),
            ([[0, 4], [7, 7]], None),
            ([], None),
            ([[0, 2], [4, 4], [7, 9]], "3 is missing: 4 came after 2"),
            ([[1, 4]], "0 is missing: 1 came at the beginning"),
            ([[0, 2], [2, 4]], "2 came twice, again after 2"),
            ([[0, 4], [7, 9], [0, 0]], "0 came twice, again after 9"),
            ([[0, 1], [3, 3], [2, 2], [4, 4]], "3 came after 1, and 2 later"),
            ([[0, 5]], "5 came after 4, and was not sent"),
            ([[0, 4], [7, 10]], "10 came after 9, and was not sent"),
        ],
    )
    def test_finds_what_is_no_beginning_of_what_was_sent(self, received: list[list[int]], problem: str | None) -> None:
        assert difference([[0, 4], [7, 9]], received) == problem

    def test_takes_a_pause_in_which_nothing_was_sent_for_none(self) -> None:
        assert difference([[0, 4], [5, 9]], [[0, 9]]) is None


class TestLedger:
    @pytest.mark.parametrize(
        ("records", "problems"),
        [
            pytest.param([CONNECT, server(), client()], [], id="all is well"),
            pytest.param([CONNECT, server(), client(got=[[0, 1]], rooms={})], [], id="cut at the end"),
            pytest.param([CONNECT], [], id="left before it was accepted"),
            pytest.param([CONNECT, server()], [], id="the answer was lost"),
            pytest.param([CONNECT, client()], ["0 disconnect hooks"], id="no disconnect hook"),
            pytest.param([CONNECT, server(), server(), client()], ["2 disconnect hooks"], id="two disconnect hooks"),
            pytest.param([CONNECT, CONNECT, server(), client()], ["2 connect hooks"], id="two connect hooks"),
            pytest.param([server(), client()], ["0 connect hooks"], id="no connect hook"),
            pytest.param([CONNECT, server(), client(), client()], ["2 clients had it"], id="two clients"),
            pytest.param(
                [CONNECT, server(took=[[0, 0], [0, 0]]), client()],
                ["events to the server: 0 came twice, again after 0"],
                id="an event handled twice",
            ),
            pytest.param(
                [CONNECT, server(), client(sent=2, acked=1)],
                ["events to the server: 1 was acknowledged, but only 1 were handled"],
                id="acknowledged and not handled",
            ),
            pytest.param(
                [CONNECT, server(), client(got=[[0, 0], [2, 2]])],
                ["events to the client: 1 is missing: 2 came after 0"],
                id="a message lost",
            ),
            pytest.param(
                [CONNECT, server(), client(rooms={"lobby": [[5, 5], [4, 4]]})],
                ["room lobby: 5 came at the beginning, and 4 later"],
                id="broadcasts swapped",
            ),
            pytest.param(
                [CONNECT, server(), client(rooms={"other": [[0, 0]]})],
                ["room other: 0 came at the beginning, and was not sent"],
                id="a broadcast to a room that it was not in",
            ),
            pytest.param(
                [CONNECT, server(faults=["one"]), client(faults=["two"])], ["one", "two"], id="what the sides noticed"
            ),
        ],
    )
    def test_compares_the_records_of_a_session(self, records: list[Record], problems: list[str]) -> None:
        ledger = Ledger()
        for record in records:
            ledger.add(record)
        assert [violation.problem for violation in ledger.violations()] == problems

    def test_says_whose_session_it_was(self) -> None:
        ledger = Ledger()
        ledger.add(client())
        assert str(ledger.violations()[0]).startswith("a (node, polling, ended on polling: x): ")


def test_what_is_left_does_not_count_the_namespaces() -> None:
    assert leftovers({"left": {"sessions": 0, "timers": 2, "namespaces": 1}}) == {"timers": 2}


def test_plans_depend_on_the_seed_alone() -> None:
    plans = [[draw(random.Random(f"{seed} {number}"), True) for number in range(50)] for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    assert any(plan.cut for plan in plans[0])
    assert any(plan.stalls for plan in plans[0])


@asynccontextmanager
async def echo_through(plan: Plan) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Proxy]]:
    """A connection to a server that sends everything back, through a proxy with this plan."""
    ended: list[asyncio.Future[None]] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = asyncio.get_running_loop().create_future()
        ended.append(end)
        try:
            while data := await reader.read(4096):
                writer.write(data)
        except OSError:
            pass
        writer.close()
        end.set_result(None)

    far = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = await Proxy(far.sockets[0].getsockname()[1], lambda number, is_websocket: plan).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        async with asyncio.timeout(TIMEOUT):
            yield reader, writer, proxy
    finally:
        writer.close()
        await proxy.stop()
        await asyncio.gather(*ended)
        far.close()


class TestProxy:
    @pytest.mark.parametrize("plan", [CALM, Plan(delay=0.02), Plan(dribble=3, dribbled=50)])
    async def test_passes_everything_on_in_order(self, plan: Plan) -> None:
        data = bytes(range(256)) * 20
        async with echo_through(plan) as (reader, writer, _):
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
            writer.write_eof()
            assert await reader.read() == b""

    async def test_delays(self) -> None:
        loop = asyncio.get_running_loop()
        async with echo_through(Plan(delay=0.05)) as (reader, writer, _):
            start = loop.time()
            writer.write(b"x")
            await reader.readexactly(1)
            assert loop.time() - start >= 0.09

    async def test_dribbles(self) -> None:
        """Each piece comes by itself, though they may be read together."""
        async with echo_through(Plan(dribble=1, dribbled=4)) as (reader, writer, proxy):
            writer.write(b"0123456789")
            assert await reader.readexactly(10) == b"0123456789"
            assert proxy.deeds["dribbled"] == 1

    async def test_stalls_and_goes_on(self) -> None:
        async with echo_through(Plan(stalls=(Stall(0, 0.2, ("down",)),))) as (reader, writer, proxy):
            loop = asyncio.get_running_loop()
            start = loop.time()
            writer.write(b"first")
            first = await reader.readexactly(5)
            assert first == b"first"
            assert proxy.deeds["stalled"] == 1
            writer.write(b"second")
            assert await reader.readexactly(6) == b"second"
            assert loop.time() - start >= 0.15

    @pytest.mark.parametrize("size", [None, 10])
    async def test_closes(self, size: int | None) -> None:
        async with echo_through(Plan(cut=Cut("fin", 0.1, "up", size))) as (reader, writer, proxy):
            writer.write(b"x" * 20)
            assert len(await reader.read(20)) <= 20
            assert await reader.read() == b""
            assert proxy.deeds["cuts (fin)"] == 1

    async def test_cuts_in_the_middle(self) -> None:
        async with echo_through(Plan(cut=Cut("fin", 5, "down", 3))) as (reader, writer, _):
            writer.write(b"x" * 20)
            assert await reader.read() == b"xxx"

    async def test_tells_one_end_of_a_cut_and_the_other_later(self) -> None:
        async with echo_through(Plan(cut=Cut("half", 5, "up", 3, unnoticed=0.3))) as (reader, writer, proxy):
            loop = asyncio.get_running_loop()
            start = loop.time()
            writer.write(b"x" * 3)
            assert set(await reader.read()) <= {ord("x")}
            assert loop.time() - start >= 0.25
            assert proxy.deeds["cuts (half)"] == 1

    async def test_resets(self) -> None:
        async with echo_through(Plan(cut=Cut("rst", 0.1))) as (reader, writer, proxy):
            writer.write(b"x")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            assert proxy.deeds["cuts (rst)"] == 1

    async def test_leaves_connections_alone_when_calm(self) -> None:
        async with echo_through(Plan(cut=Cut("rst", 0))) as (reader, writer, proxy):
            proxy.is_calm = True
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            assert not proxy.deeds["cuts (rst)"]


class TestFailures:
    @pytest.fixture
    def outcome(self) -> Outcome:
        """A run in which all went well."""
        ledger = Ledger()
        for record in (CONNECT, server(), client()):
            ledger.add(record)
        empty: dict[str, Any] = {
            "left": dict.fromkeys(SEEN, 0),
            "objects": {"Outbox": 1},
            "memory": {"rss": 100_000, "blocks": 1000},
        }
        busy = {"left": dict.fromkeys(SEEN, 3)}
        return Outcome("uvicorn", 1, 1800.0, 1, ledger, {}, empty, deepcopy(empty), deepcopy(empty), busy)

    def test_finds_none_if_all_is_well(self, outcome: Outcome) -> None:
        assert failures(outcome) == []

    @pytest.mark.parametrize(
        ("kind", "details", "failure"),
        [
            ("left", {"timers": 2}, "left at the end: 2 timers"),
            ("objects", {"Outbox": 42}, "41 more Outbox than after the warm-up"),
            ("memory", {"rss": 105_001}, "the server grew from 100000 to 105001 kB of memory"),
            ("memory", {"blocks": 1051}, "the server grew from 1000 to 1051 blocks of Python's memory"),
        ],
    )
    def test_finds_what_is_left(self, outcome: Outcome, kind: str, details: dict[str, int], failure: str) -> None:
        outcome.end[kind].update(details)
        assert failures(outcome) == [failure]

    def test_bears_with_the_memory_of_a_short_run(self, outcome: Outcome) -> None:
        outcome.end["memory"]["rss"] = 106_000
        outcome.seconds = 60.0
        assert failures(outcome) == []

    def test_finds_counters_that_see_nothing(self, outcome: Outcome) -> None:
        outcome.busy["left"]["timers"] = 0
        assert failures(outcome) == ["no timers were seen when there must have been some"]

    def test_finds_violations_and_what_was_logged(self, outcome: Outcome) -> None:
        outcome.ledger.add(CONNECT)
        outcome.troubles = ["Traceback"]
        violation, logged = failures(outcome)
        assert violation.endswith("2 connect hooks")
        assert logged == "logged: Traceback"

    def test_finds_what_the_witness_saw(self, outcome: Outcome) -> None:
        outcome.witness.longest = 1.25
        outcome.witness.faults.append("sent away")
        assert failures(outcome) == [
            "sent away",
            "a client with a good network waited while the server worked for 1.25 s",
        ]
