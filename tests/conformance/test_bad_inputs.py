"""What broken, hostile and unlucky clients send. The numbers are the rows of the catalogue of bad inputs.

After each test its server lives, serves a bystander, and has logged no traceback: the fixture `server` sees to that.
Inputs whose answer is compared with the official server's are in `wire_scripts`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest

from .http import Connection, Response, control
from .servers import Server
from .wire import TRANSPORTS, Polling, Session, Wire

LIMIT = 1_000_000

#: (row, method, query, code of the error)
REQUESTS = [
    (1, "GET", "EIO=4", 0),
    (1, "GET", "EIO=4&transport=constructor", 0),
    (2, "GET", "EIO=3&transport=polling", 5),
    (2, "GET", "transport=polling", 5),
    (3, "POST", "EIO=4&transport=polling", 2),
    (3, "DELETE", "EIO=4&transport=polling", 2),
    (4, "GET", "EIO=4&transport=polling&sid=unknown", 1),
    (4, "POST", "EIO=4&transport=polling&sid=unknown", 1),
    (5, "GET", f"EIO=4&transport=polling&sid={'%41' * 5_000}", 1),
    (5, "GET", "EIO=4&transport=polling&sid=%ff%fe%zz%", 1),
    (5, "GET", "EIO=4&transport=polling&sid=a&sid=b&sid[]=c", 1),
    (5, "GET", "&".join(["EIO=4&transport=polling", *(f"p{n}={n}" for n in range(1000))]), 0),
    (6, "GET", "EIO=4&transport=websocket", 3),
]


@pytest.mark.parametrize(("row", "method", "query", "code"), REQUESTS, ids=lambda value: str(value)[:60])
async def test_request_is_refused(wire: Wire, row: int, method: str, query: str, code: int) -> None:
    response = await wire.http(method, query)
    assert (response.status, response.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    "query", ["EIO=4&transport=websocket&sid=unknown", "EIO=4&transport=abc", "transport=websocket"]
)
async def test_websocket_is_refused(wire: Wire, query: str) -> None:
    """1, 2, 4."""
    answer = await wire.try_websocket(query)
    assert isinstance(answer, Response)
    assert answer.status == (403 if wire.server.kind == "daphne" else 400)


async def test_sid_of_a_megabyte_is_refused(wire: Wire) -> None:
    """5: by the server, before it reaches us."""
    connection = await Connection.open(wire.server)
    await connection.send("GET", f"/socket.io/?EIO=4&transport=polling&sid={'a' * LIMIT}")
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # cut while it was still being sent
        assert (await connection.response()).status in (400, 414, 431)


@pytest.mark.parametrize("character", "\x00\x01\x0b\x7f")
async def test_origin_with_a_control_character_is_refused(wire: Wire, character: str) -> None:
    """98."""
    response = await wire.http("GET", "EIO=4&transport=polling", headers={"Origin": f"http://a{character}b"})
    assert response.status in (400, 403)


FORCED, PARSE, TRANSPORT, STATE = "forced close", "parse error", "transport error", "forced server close"
PLACEHOLDER = '{"_placeholder":true,"num":0}'

#: (row, packets, reason) of what ends a session, on both transports
PACKETS: list[tuple[int, list[str | bytes], str]] = [
    (12, ["x"], PARSE),
    (12, ["9"], PARSE),
    (13, [""], PARSE),
    (13, ['42["echo"]', "", '42["echo"]'], PARSE),
    (19, ["b!!!!"], PARSE),
    (19, ["bAAA"], PARSE),
    (19, ["bAA=A"], PARSE),
    (19, ["bA\u00e9=="], PARSE),
    (28, ["2"], TRANSPORT),
    (36, [b"\x00"], FORCED),
    (37, [f'451-["echo",{PLACEHOLDER}]', '42["echo"]'], FORCED),
    (39, ['450-["echo"]', b"\x00"], FORCED),
    (40, ['455999999-["echo"]'], FORCED),
    (40, ['45-1-["echo"]'], FORCED),
    (40, ['451.5-["echo"]'], FORCED),
    (40, ['45 1-["echo"]'], FORCED),
    (40, ["451"], FORCED),
    (40, [f'45{"9" * 100_000}-["echo"]'], FORCED),
    (43, ['451-["echo",{"_placeholder":true,"num":-1}]', b"\x00"], FORCED),
    (43, ['451-["echo",{"_placeholder":true,"num":true}]', b"\x00"], FORCED),
    (43, ['451-["echo",{"_placeholder":true}]', b"\x00"], FORCED),
    (44, ["4"], FORCED),
    (44, ["47"], FORCED),
    (45, ['42{"0":"echo"}'], FORCED),
    (45, ["42[null]"], FORCED),
    (46, ['42["connect"]'], FORCED),
    (46, ['42["disconnect"]'], FORCED),
    (49, ["43\u00b2[]"], FORCED),
    (49, ["43\u0663[]"], FORCED),
    (49, [f'42{"9" * 5000}["echo"]'], FORCED),
    (53, ["430{}"], FORCED),
    (55, [f'42["echo",{"[" * 100_000}{"]" * 100_000}]'], FORCED),
    (55, [f'42["echo",{"[" * 100_000}'], FORCED),
    (55, [f'42["echo",{"".join(["{", chr(34), "a", chr(34), ":"]) * 5_000}1{"}" * 5_000}]'], FORCED),
    (56, ['42["echo",NaN]'], FORCED),
    (57, [f'42["echo",{"1" * 5000}]'], FORCED),
    (62, ['40/custom,"x"'], FORCED),
    (64, ['42/custom,["echo"]'], STATE),
    (64, [f'451-/custom,["echo",{PLACEHOLDER}]', b"\x00"], STATE),
    (66, ["40"], STATE),
    (69, ['44{"message":"no"}'], STATE),
    (71, [f"40/{'x' * 900_000},"], FORCED),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("row", "packets", "reason"), PACKETS, ids=lambda value: str(value)[:60])
async def test_packet_ends_the_session(
    wire: Wire, transport: str, row: int, packets: list[str | bytes], reason: str
) -> None:
    session = await wire.member(transport)
    await session.send(*packets)
    assert await wire.server.reason(session.id) == reason
    await session.drain()


@pytest.mark.parametrize("body", [b"\xff", b'42["echo","\xc3"]', b"\xed\xa0\x80", b"4\x00\xfe"])
async def test_payload_that_is_no_utf_8_ends_the_session(wire: Wire, body: bytes) -> None:
    """18."""
    session = await wire.member("polling")
    assert (await session.post(body)).status in (200, 400)
    assert await wire.server.reason(session.id) == PARSE


async def test_frame_that_is_no_utf_8_ends_the_session(wire: Wire) -> None:
    """18."""
    wire.server.forgive("Invalid UTF-8 sequence received from client", "Traceback")  # uvicorn's own
    session = await wire.member("websocket")
    await session.connection.send(b'42["echo","\xff"]', text=True)
    assert (await session.drain())[-1] in ("closed 1006", "closed 1007")
    assert (await wire.server.reason(session.id)).startswith("transport ")


#: (row, packets) of what is ignored, on both transports
IGNORED: list[tuple[int, list[str | bytes]]] = [
    (27, ["3"] * 1000),
    (29, ["0", '0{"sid":"x"}', "5", "6"]),
    (47, ['421["__class__"]', '422["on_connect"]', '423["send"]', '424["close"]', '425["handle_error"]']),
    (47, [f'42{number}["unknown {number}"]' for number in range(200)]),
    (47, [f'42["{"x" * 100_000}"]', '42["../x"]', '42["e\\u0000cho"]', '42["echo_"]', '42["_ack"]']),
    (50, ["4399[]", "430[]", '431["x"]', "4312345678[1]"]),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("row", "packets"), IGNORED, ids=lambda value: str(value)[:60])
async def test_packet_is_ignored(wire: Wire, transport: str, row: int, packets: list[str | bytes]) -> None:
    session = await wire.member(transport)
    await session.send(*packets)
    assert await session.call("echo_ack", "alive") == ["alive"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_strings_make_the_round_trip(wire: Wire, transport: str) -> None:
    """60, 59."""
    session, other = await wire.member(transport), await wire.member("websocket")
    for text in ("\x00", "\x1e", "\u2028\u2029", "é😀", "\u202eabc", "\ud800", "\ufeff", '"\\'):
        assert await session.call("echo_ack", {text: [text]}) == [{text: [text]}]
        room = f"{text} {transport}"
        assert await session.call("join", room) == [[room]]
        assert await other.call("broadcast", {"room": room}, "hello", text) == [True]
        assert await session.event() == ["hello", text]
        assert await session.call("leave", room) == [[]]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_numbers_make_the_round_trip(wire: Wire, transport: str) -> None:
    """48, 51, 52, 58."""
    session = await wire.member(transport)
    assert await session.call("echo_ack", 2**64, -1, 1e300, 0.1) == [2**64, -1, 1e300, 0.1]
    await session.send('420["echo_ack",1]', '420["echo_ack",2]', "421[1,3]")
    assert await session.receive_many(3) == ["430[1]", "430[2]", "431[3]"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_keys_of_objects_are_only_keys(wire: Wire, transport: str) -> None:
    """61, 43."""
    session = await wire.member(transport)
    await session.send('420["echo_ack",{"__proto__":1,"a":2,"a":3,"_placeholder":true,"num":"splice"}]')
    assert await session.receive() == '430[{"__proto__":1,"a":3,"_placeholder":true,"num":"splice"}]'


async def test_poll_without_its_upgrade_takes_nothing(wire: Wire) -> None:
    """7."""
    session = await wire.polling()
    await session.send("40")
    assert (await wire.http("GET", f"EIO=4&transport=websocket&sid={session.sid}")).json()["code"] == 3
    assert str(await session.receive()).startswith("40{")


async def test_poll_that_drops_while_it_is_answered_leaves_the_rest_in_order(wire: Wire) -> None:
    """23."""
    session = await wire.member("polling")
    await session.emit("burst", 6, 400_000)
    (await session.start_get()).reset()
    numbers = [int(str(packet)[len('42["burst",')]) for packet in await rest(session)]
    assert numbers == sorted(set(numbers))


async def rest(session: Session) -> list[Any]:
    """What still comes, up to an echo or the end."""
    await session.emit("echo", "fence")
    packets = []
    while not str(packet := await session.receive_or_end()).startswith(('42["echoed"', "ended")):
        packets.append(packet)
    return packets


async def test_body_that_is_cut_short_is_not_delivered(wire: Wire) -> None:
    """24."""
    session, other = await wire.member("polling"), await wire.member("websocket")
    await other.call("join", "cut short")
    packet = '42["broadcast",{"room":"cut short"},"never"]'
    post = await session.start_post({"Content-Length": str(len(packet) + 10)})
    await post.write(packet.encode())
    post.reset()
    assert await other.call("echo_ack", "nothing came before this") == ["nothing came before this"]


async def test_body_that_does_not_come_does_not_keep_the_session(hasty_wire: Wire) -> None:
    """25."""
    session = await hasty_wire.member("polling")
    await session.start_post({"Content-Length": "10"})
    assert await hasty_wire.server.reason(session.id) == "ping timeout"


@pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
@pytest.mark.parametrize("length", [LIMIT + 1, 10**12, 10**30])
async def test_length_over_the_limit_is_refused_before_the_body(wire: Wire, length: int) -> None:
    """14, 15. Daphne takes the whole body before we see the request: a proxy has to limit it."""
    session = await wire.member("polling")
    post = await session.start_post({"Content-Length": str(length)})
    assert (await post.response()).status in (400, 413)
    assert await session.call("echo_ack", "alive") == ["alive"]


@pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
async def test_chunks_over_the_limit_are_refused_before_their_end(wire: Wire) -> None:
    """15."""
    session = await wire.member("polling")
    post = await session.start_post({"Transfer-Encoding": "chunked"})
    for _ in range(LIMIT // 100_000 + 1):
        await post.write(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
    assert (await post.response()).status == 413
    assert await session.call("echo_ack", "alive") == ["alive"]


async def test_length_that_is_no_number_is_refused(wire: Wire) -> None:
    """15."""
    session = await wire.member("polling")
    post = await session.start_post({"Content-Length": "1_0"})
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # closed without an answer
        assert (await post.response()).status == 400


async def test_many_packets_in_a_payload_are_handled_in_order(wire: Wire) -> None:
    """21."""
    session = await wire.member("polling")
    await session.send(*(f'42["echo",{number}]' for number in range(1000)))
    assert [await session.event() for _ in range(1000)] == [["echoed", number] for number in range(1000)]


async def slowest_echo(other: Session, work: asyncio.Task[Any]) -> float:
    """Returns the longest that another client waited for an echo while `work` was being done."""
    slowest = 0.0
    while not work.done():
        started = time.monotonic()
        await other.call("echo_ack")
        slowest = max(slowest, time.monotonic() - started)
    await work
    return slowest


async def test_hundred_thousand_packets_in_a_payload_hold_up_nobody(wire: Wire) -> None:
    """20."""
    session, other = await wire.member("polling"), await wire.member("websocket")
    post = asyncio.create_task(session.send(*['42["x"]'] * 100_000))
    assert await slowest_echo(other, post) < 2
    assert await session.call("echo_ack", "alive") == ["alive"]


async def test_flood_of_events_is_served_in_order_and_holds_up_nobody(wire: Wire) -> None:
    """79."""
    session, other = await wire.member("websocket"), await wire.member("websocket")
    flood = asyncio.create_task(session.send(*(f'42["echo",{number}]' for number in range(10_000))))
    echoes = asyncio.create_task(session.receive_many(10_000))
    # Coverage is measured in the server, which takes several times as long with it.
    assert await slowest_echo(other, flood) < 3
    assert await echoes == [f'42["echoed",{number}]' for number in range(10_000)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_thousand_unknown_namespaces_are_refused(wire: Wire, transport: str) -> None:
    """65."""
    session = await wire.session(transport)
    await session.send(*(f"40/unknown{number}," for number in range(1000)))
    answers = await session.receive_many(1000)
    assert answers == [f'44/unknown{number},{{"message":"Invalid namespace"}}' for number in range(1000)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_connect_disconnect_connect_runs_the_hooks_in_order(wire: Wire, transport: str) -> None:
    """67."""
    session = await wire.member(transport)
    first = session.id
    await session.send("41", "40")
    second = str(await session.receive()).split('"')[3]
    assert await wire.server.reason(first) == "client namespace disconnect"
    await wire.server.hook(second, "connect")
    assert await session.call("echo_ack", "in") == ["in"]
    assert wire.server.hooks(second, "disconnect") == []


async def test_events_sent_during_an_upgrade_come_once_and_in_order(wire: Wire) -> None:
    """33."""
    session = await wire.member("polling")
    await session.emit("burst", 1000)
    websocket = await wire.websocket_for(session)
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    numbers = [packet for packet in (await session.get()).packets if packet != "6"]
    await session.emit("burst", 1000)
    await websocket.send("5")
    while len(numbers) < 2000:
        numbers.append(str(await websocket.receive()))
    assert numbers == [f'42["burst",{number},""]' for number in [*range(1000), *range(1000)]]


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT, 20 * LIMIT])
async def test_frame_over_the_limit_closes_the_websocket(wire: Wire, size: int) -> None:
    """72: by the server if it is over a limit of its own."""
    session = await wire.member("websocket")
    await session.send("4" + "x" * (size - 1))
    closed = str((await session.drain())[-1])
    # Daphne lets an application close with 1000 only, and drops what is over its own limit.
    assert closed.startswith(("closed 1000", "closed 1006") if wire.server.kind == "daphne" else "closed 1009")
    assert (await wire.server.reason(session.id)).startswith("transport ")


async def test_frame_of_characters_over_the_limit_closes_the_websocket(wire: Wire) -> None:
    """72: bytes are counted."""
    session = await wire.member("websocket")
    await session.send("4" + "é" * (LIMIT // 2))
    await session.drain()
    assert await wire.server.reason(session.id) == TRANSPORT


async def test_attachments_that_never_come_are_forgotten_with_the_session(hasty_wire: Wire) -> None:
    """41."""
    session = await hasty_wire.member("websocket")
    await session.send(f'452-["echo",{PLACEHOLDER}]', b"\x00")
    assert await hasty_wire.server.reason(session.id) == "ping timeout"


async def test_every_session_was_freed(server: Server) -> None:
    """Of all those before, only the bystander's is left."""
    async with asyncio.timeout(10):
        while await control(server, "sessions") > 1:
            await asyncio.sleep(0.05)


async def test_polling_session_is_freed_when_it_is_over(wire: Wire) -> None:
    before = await control(wire.server, "sessions")
    session: Polling = await wire.polling()
    assert await control(wire.server, "sessions") == before + 1
    await session.post("1")
    assert await control(wire.server, "sessions") == before
