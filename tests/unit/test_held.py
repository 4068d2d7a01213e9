"""What a session may hold of what its client sent: bytes that wait and are handled, `auth`, and rooms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer, get_asgi_application
from sio.exceptions import TooManyRooms
from sio.socketio.client import Client
from sio.socketio.held import HeldBytes
from sio.socketio.json_text import LARGE
from sio.socketio.options import SocketIOOptions
from sio.socketio.packets import PacketType, ParseError, SocketIOPacket
from sio.socketio.parser import SocketIOParser
from sio.socketio.socket import LONG_ROOM_NAME
from tests.client import SocketIOClient
from tests.pace import TIMEOUT


class TestHeldBytes:
    @pytest.mark.parametrize(
        ("steps", "is_full"),
        [
            pytest.param([(99, 99)], False, id="below"),
            pytest.param([(100, 100)], True, id="at the limit"),
            pytest.param([(100, 100), (-49, -49)], True, id="more than half"),
            pytest.param([(100, 100), (-50, -50)], False, id="half"),
            pytest.param([(100, 100), (-50, -50), (49, 49)], False, id="below, after it was full"),
            pytest.param([(500, 500), (0, -500)], False, id="what is handled alone"),
            pytest.param([(500, 500), (0, -500), (1, 1)], True, id="what is handled, and more"),
            pytest.param([(100, 100), (0, -40)], True, id="handled in part"),
        ],
    )
    def test_is_full_from_the_limit_on_until_half_of_it(self, steps: list[tuple[int, int]], is_full: bool) -> None:
        held = HeldBytes(100)
        for total, waiting in steps:
            held.total += total
            held.waiting += waiting
            before = held.is_full
            assert held.update() is (held.is_full is not before)
        assert held.is_full is is_full

    @pytest.mark.parametrize(
        ("before", "size", "is_flooded"), [(0, 1_000, False), (99, 1_000, False), (100, 100, False), (100, 101, True)]
    )
    def test_is_flooded_when_much_waited_and_twice_as_much_does(self, before: int, size: int, is_flooded: bool) -> None:
        held = HeldBytes(100)
        held.total, held.waiting = before + size + 1_000, before + size
        assert held.is_flooded(size) is is_flooded


class TestParser:
    """A packet that waits for its attachments is kept as text if it is large."""

    PLACEHOLDERS = '{"_placeholder":true,"num":0},[[{"a":{"_placeholder":true,"num":1}}]]'
    HEADER = f'52-/a,7["a",{PLACEHOLDERS},"{"x" * LARGE}"]'
    DATA: ClassVar[list[Any]] = ["a", b"zero", [[{"a": b"one"}]], "x" * LARGE]

    def test_only_the_text_of_a_large_one_is_kept(self) -> None:
        parser = SocketIOParser(SocketIOOptions())
        assert parser.feed(self.HEADER) is None
        assert parser.pending is not None
        assert parser.pending.data is None
        assert parser.feed(b"zero") is None
        packet = parser.feed(b"one")
        assert packet == SocketIOPacket(PacketType.EVENT, "/a", self.DATA, 7)
        assert packet.size >= len(self.HEADER) + len(b"zeroone")
        assert parser.pending is None

    def test_next_packet_has_nothing_of_it(self) -> None:
        parser = SocketIOParser(SocketIOOptions())
        parser.feed(self.HEADER)
        parser.clear()
        parser.feed('51-["b",{"_placeholder":true,"num":0}]')
        assert parser.feed(b"x") == SocketIOPacket(PacketType.EVENT, data=["b", b"x"])

    @pytest.mark.parametrize("end", ['"', "", ",]", "]]"])
    def test_large_header_that_is_no_json_is_refused_at_once(self, end: str) -> None:
        with pytest.raises(ParseError):
            SocketIOParser(SocketIOOptions()).feed(f'51-["a","{"x" * LARGE}"{end}')

    def test_large_packet_without_its_attachment_is_refused(self) -> None:
        parser = SocketIOParser(SocketIOOptions())
        parser.feed('51-["a",{"_placeholder":true,"num":1},"' + "x" * LARGE + '"]')
        with pytest.raises(ParseError):
            parser.feed(b"x")

    @pytest.mark.parametrize(
        ("text", "size"), [('0{"a":"é"}', 10), ("0", 0), ('0/ns,{"a":1}', 7), ('2["a"]', 6), ('2/ns,["a"]', 10)]
    )
    def test_size_of_a_short_packet(self, text: str, size: int) -> None:
        packet = SocketIOParser(SocketIOOptions()).feed(text)
        assert packet is not None
        assert packet.size == size


class Consumer(SocketIOConsumer):
    """Handlers wait for the gate. `log` has what they were given."""

    namespace = "/test"
    gate: asyncio.Event
    log: list[Any]
    sockets: list[NamespaceSocket]

    async def connect(self, socket: NamespaceSocket, auth: Any) -> bool:
        self.sockets.append(socket)
        return True

    async def event_take(self, socket: NamespaceSocket, number: int, *data: Any) -> int:
        await self.gate.wait()
        self.log.append(number)
        return number

    async def event_ask(self, socket: NamespaceSocket, *data: Any) -> Any:
        return await socket.call("question")

    async def event_wait_for_answer(self, socket: NamespaceSocket, *data: Any) -> Any:
        """As `call`, but by hand: the server cannot know that an answer is waited for."""
        answer = asyncio.get_running_loop().create_future()
        await socket.emit("question", callback=answer.set_result)
        return await answer

    async def event_join(self, socket: NamespaceSocket, *rooms: str) -> int:
        for room in rooms:
            await socket.join(room)
        return len(socket.rooms)


class OtherConsumer(Consumer):
    namespace = "/other"


@pytest.fixture
def app() -> Any:
    Consumer.gate, Consumer.log, Consumer.sockets = asyncio.Event(), [], []
    return get_asgi_application(Consumer, OtherConsumer)


async def member(app: Any, *namespaces: str) -> SocketIOClient:
    client = await SocketIOClient(app).open()
    for namespace in namespaces or ("/test",):
        await client.connect(namespace)
    return client


def client_of(socket: NamespaceSocket) -> Client:
    return socket._client


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.001)


async def paused() -> None:
    await until(lambda: client_of(Consumer.sockets[0]).eio.is_paused)


async def settled() -> None:
    """What could be read is read: the client has no more to say."""
    for _ in range(50):
        await asyncio.sleep(0)


async def all_released() -> None:
    held = client_of(Consumer.sockets[0]).held
    await until(lambda: (held.total, held.waiting, held.is_full) == (0, 0, False))


NUMBERS = range(12)


class TestBytesThatWait:
    @pytest.mark.parametrize("setting", ["SIO_MAX_QUEUED_BYTES", "SIO_MAX_SESSION_BYTES"])
    @pytest.mark.parametrize("namespaces", [("/test",), ("/test", "/other")])
    async def test_pause_reading_and_are_not_lost(self, app: Any, setting: str, namespaces: tuple[str, ...]) -> None:
        with override_settings(**{setting: 3_000}):
            client = await member(app, *namespaces)
            for number in NUMBERS:
                client.emit(namespaces[number % len(namespaces)], "take", number, "x" * 990)
            await paused()
            await settled()
            assert 3_000 <= client_of(Consumer.sockets[0]).held.total < 3_000 * len(namespaces) + 2_000
            Consumer.gate.set()
            await until(lambda: len(Consumer.log) == len(NUMBERS))
            assert [number for number in Consumer.log if number % 2] == [number for number in NUMBERS if number % 2]
            await all_released()

    @override_settings(SIO_MAX_QUEUED_BYTES=3_000)
    async def test_attachments_count(self, app: Any) -> None:
        client = await member(app)
        for number in NUMBERS:
            client.send("51-", "/test", ["take", number, {"_placeholder": True, "num": 0}])
            client.websocket.send(b"x" * 990)
        await paused()
        Consumer.gate.set()
        await until(lambda: Consumer.log == list(NUMBERS))

    @override_settings(SIO_MAX_QUEUED_BYTES=40_000)
    async def test_containers_count(self, app: Any) -> None:
        """1,500 bytes that are a hundred thousand when they are parsed."""
        client = await member(app)
        for number in range(3):
            client.emit("/test", "take", number, [{}] * 500)
        await paused()
        Consumer.gate.set()
        await until(lambda: Consumer.log == [0, 1, 2])

    @override_settings(SIO_MAX_SESSION_BYTES=3_000)
    async def test_client_that_floods_instead_of_answering_is_cut(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await member(app)
        client.emit("/test", "ask")
        await client.received('2/test,0["question"]')
        for number in NUMBERS:
            client.emit("/test", "take", number, "x" * 990)
        assert await client.websocket.closed() == 1000
        assert caplog.text.count("more than twice SIO_MAX_SESSION_BYTES") == 1
        await all_released()

    @pytest.mark.parametrize("setting", ["SIO_MAX_QUEUED_BYTES", "SIO_MAX_SESSION_BYTES"])
    @pytest.mark.parametrize("event", ["ask", "wait_for_answer"])
    async def test_event_that_is_larger_than_the_bound_is_handled(self, app: Any, setting: str, event: str) -> None:
        """Its handler gets what it waits for: it is alone, and what is alone pauses nothing."""
        with override_settings(**{setting: 1_000}):
            client = await member(app)
            client.emit("/test", event, "x" * 5_000, ack_id=7)
            await client.received('2/test,0["question"]')
            client.send("3", "/test", ["answer"], 0)
            await client.received('3/test,7["answer"]')
            await all_released()

    @override_settings(SIO_MAX_SESSION_BYTES=3_000)
    async def test_answers_count_while_their_callbacks_run(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.sockets

        async def callback(number: int, text: str) -> None:
            await Consumer.gate.wait()
            Consumer.log.append(number)

        for number in NUMBERS:
            await socket.emit("question", callback=callback)
            client.send("3", "/test", [number, "x" * 990], number)
        await paused()
        Consumer.gate.set()
        await until(lambda: sorted(Consumer.log) == list(NUMBERS))
        await all_released()

    @override_settings(SIO_MAX_SESSION_BYTES=3_000)
    async def test_what_waits_is_forgotten_with_its_socket(self, app: Any) -> None:
        client = await member(app, "/test", "/other")
        for number in range(3):
            client.emit("/test", "take", number, "x" * 990)
        await paused()
        await Consumer.sockets[0].disconnect()
        client.emit("/other", "join", ack_id=3)
        await client.received("1/test,", "3/other,3[1]")


async def test_large_events_that_waited_are_handled_in_turns(app: Any) -> None:
    client = await member(app)
    for number in NUMBERS:
        client.emit("/test", "take", number, "x" * 70_000)
    await until(lambda: client_of(Consumer.sockets[0]).held.total > len(NUMBERS) * 70_000)
    Consumer.gate.set()
    handled = []
    while len(Consumer.log) < len(NUMBERS):
        await asyncio.sleep(0)
        handled.append(len(Consumer.log))
    assert all(after - before <= 1 for before, after in pairwise([0, *handled]))


class TestAuth:
    @pytest.mark.parametrize("letter", ["x", "é"])
    async def test_of_as_many_bytes_as_allowed_is_taken(self, app: Any, letter: str) -> None:
        with override_settings(SIO_MAX_AUTH_BYTES=100):
            client = await member(app)
            text = json.dumps({"a": ""}, separators=(",", ":"))
            auth = letter * ((100 - len(text)) // len(letter.encode()))
            client.websocket.send(f'40/other,{{"a":"{auth}"}}')
            assert (await client.receive()).startswith('0/other,{"sid":')
            assert Consumer.sockets[-1].auth == {"a": auth}

    @pytest.mark.parametrize("letter", ["x", "é"])
    async def test_of_more_is_refused_and_not_kept(self, app: Any, letter: str) -> None:
        with override_settings(SIO_MAX_AUTH_BYTES=100):
            client = await member(app)
            for _ in range(3):
                client.websocket.send('40/other,{"a":"' + letter * (93 // len(letter.encode()) + 1) + '"}')
                await client.received('4/other,{"message":"auth is larger than 100 bytes (SIO_MAX_AUTH_BYTES)"}')
            assert len(Consumer.sockets) == 1
            await client.connect("/other", {"a": "x"})

    async def test_default_is_16_kb(self, app: Any) -> None:
        client = await member(app)
        client.send("0", "/other", {"token": "x" * 16_384})
        assert "SIO_MAX_AUTH_BYTES" in await client.receive()
        await client.connect("/other", {"token": "x" * 16_000})


class TestRooms:
    @override_settings(SIO_MAX_ROOMS=3)
    async def test_are_as_many_as_allowed(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.sockets
        client.emit("/test", "join", "a", "b", "c", "a", ack_id=1)
        await client.received("3/test,1[4]")
        with pytest.raises(TooManyRooms, match="is in 3 rooms, and SIO_MAX_ROOMS is 3"):
            await socket.join("d")
        assert socket.rooms == {socket.id, "a", "b", "c"}
        await socket.leave("a")
        await socket.join("d")

    @override_settings(SIO_MAX_ROOMS=3)
    async def test_long_names_count_as_several(self, app: Any) -> None:
        await member(app)
        (socket,) = Consumer.sockets
        long = "x" * (2 * LONG_ROOM_NAME - 1)
        await socket.join(long)
        for room in ("y" * LONG_ROOM_NAME, "z" * 1_000_000):
            with pytest.raises(TooManyRooms, match="is in 1 rooms"):
                await socket.join(room)
        await socket.join("a")
        await socket.leave_all()
        await socket.join("y" * LONG_ROOM_NAME)
