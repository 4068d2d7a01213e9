"""The Socket.IO layer with the application in memory, through a consumer and the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings

from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer, get_asgi_application, get_socketio_server
from sio.engineio.registry import registry
from sio.engineio.state import Reason
from sio.exceptions import AckTimeout, Disconnected, EncodingError, TooManyPendingAcks
from tests.client import SocketIOClient

Ack = Callable[..., Awaitable[None]]


class Consumer(SocketIOConsumer):
    """Keeps its sockets and what happened for the test to look at."""

    namespace = "/test"
    log: ClassVar[list[Any]] = []
    sockets: ClassVar[list[NamespaceSocket]] = []
    gate: ClassVar[asyncio.Event]

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> Any:
        self.sockets.append(socket)
        if room := auth.get("room"):
            await socket.join(room)
        if auth.get("emit"):
            await socket.emit("early", b"\x01")
        if auth.get("wait"):
            await self.gate.wait()
        if "refuse" in auth:
            raise ConnectionRefused("go away", *auth["refuse"])
        if auth.get("raise"):
            raise LookupError("a secret")
        return auth.get("answer", True)

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        self.log.append((reason, len(socket.rooms)))

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args

    async def event_one(self, socket: NamespaceSocket, value: Any) -> Any:
        return value

    async def event_acked(self, socket: NamespaceSocket, *args: Any, ack: Ack | None = None) -> str:
        self.log.append(ack is not None)
        if ack is not None:
            await ack("first", b"\x02")
            await ack("second")
        return "ignored"

    async def event_wait(self, socket: NamespaceSocket, number: int) -> int:
        self.log.append(("start", number))
        await self.gate.wait()
        self.log.append(("end", number))
        return number

    async def event_raise(self, socket: NamespaceSocket) -> None:
        raise LookupError("oops")

    async def event_cancelled(self, socket: NamespaceSocket) -> None:
        raise asyncio.CancelledError

    async def event_suicide(self, socket: NamespaceSocket) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def event_count(self, socket: NamespaceSocket, number: int) -> None:
        self.log.append(number)

    async def event_ask(self, socket: NamespaceSocket, timeout: float = 1) -> Any:
        return ["answer", await socket.call("question", timeout=timeout)]

    async def event_leave(self, socket: NamespaceSocket, close: bool = False) -> None:
        await socket.disconnect(close)

    async def event_unsendable(self, socket: NamespaceSocket) -> Any:
        return object()


class Other(SocketIOConsumer):
    """A second namespace, with no hook and no handler."""

    namespace = "/other"


@pytest.fixture
def app() -> Any:
    Consumer.log, Consumer.sockets, Consumer.gate = [], [], asyncio.Event()
    return get_asgi_application(Consumer, Other)


@pytest.fixture
async def client(app: Any) -> SocketIOClient:
    return await SocketIOClient(app).open()


@pytest.fixture
async def joined(client: SocketIOClient) -> SocketIOClient:
    await client.connect("/test")
    return client


@pytest.fixture
async def socket(joined: SocketIOClient) -> NamespaceSocket:
    return Consumer.sockets[0]


async def wait_until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)


class TestConnect:
    async def test_main_namespace_is_always_there(self, client: SocketIOClient) -> None:
        assert len(await client.connect("/")) == 20

    async def test_namespace_without_hooks_accepts(self, client: SocketIOClient) -> None:
        await client.connect("/other")

    async def test_several_namespaces_share_a_connection(self, client: SocketIOClient) -> None:
        assert len({await client.connect(namespace) for namespace in ("/", "/test", "/other")}) == 3

    async def test_unknown_namespace_is_refused_and_the_connection_stays(self, client: SocketIOClient) -> None:
        client.send("0", "/nope?x=1")
        await client.received('4/nope?x=1,{"message":"Invalid namespace"}')
        await client.connect("/test")

    async def test_namespace_of_another_application_is_unknown(self, app: Any) -> None:
        client = await SocketIOClient(Other.as_asgi()).open()
        client.send("0", "/test")
        await client.received('4/test,{"message":"Invalid namespace"}')

    @pytest.mark.parametrize(
        ("auth", "error"),
        [
            ({"answer": False}, '{"message":"Not authorized"}'),
            ({"answer": 0}, '{"message":"Not authorized"}'),
            ({"answer": None}, '{"message":"Not authorized"}'),
            ({"refuse": []}, '{"message":"go away"}'),
            ({"refuse": [{"code": 7}]}, '{"message":"go away","data":{"code":7}}'),
            ({"raise": True}, '{"message":"Internal server error"}'),
        ],
    )
    async def test_refused_client_gets_an_error(self, client: SocketIOClient, auth: Any, error: str) -> None:
        client.send("0", "/test", {**auth, "emit": True, "room": "lobby"})
        await client.received("4/test," + error)
        await get_socketio_server().emit("x", room="lobby", namespace="/test")
        await client.connect("/other")
        client.leave()
        await client.websocket.finished()
        assert Consumer.log == [], "no disconnect hook for a refused socket"

    async def test_refusal_that_cannot_be_sent_is_another_refusal(
        self, client: SocketIOClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def connect(self: Any, socket: Any, auth: Any) -> None:
            raise ConnectionRefused("go away", object())

        monkeypatch.setattr(Consumer, "connect", connect)
        client.send("0", "/test")
        await client.received('4/test,{"message":"Internal server error"}')
        assert "could not be answered" in caplog.text

    async def test_forgotten_return_is_told_to_the_developer(
        self, client: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.send("0", "/test", {"answer": None})
        await client.receive()
        assert "Consumer.connect returned None" in caplog.text
        assert "return True" in caplog.text

    async def test_auth_is_an_empty_dict_when_absent(self, socket: NamespaceSocket) -> None:
        assert socket.auth == {}

    async def test_emits_in_connect_follow_the_answer(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"emit": True})
        assert (await client.receive()).startswith('0/test,{"sid"')
        await client.received('51-/test,["early",{"_placeholder":true,"num":0}]', b"\x01")

    async def test_broadcasts_reach_a_socket_once_it_is_accepted(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"wait": True, "room": "lobby"})
        await wait_until(lambda: Consumer.sockets)
        await get_socketio_server().emit("missed", room="lobby", namespace="/test")
        Consumer.gate.set()
        assert (await client.receive()).startswith("0/test,")
        await get_socketio_server().emit("got", room="lobby", namespace="/test")
        await client.received('2/test,["got"]')

    async def test_client_that_leaves_amid_connect_was_never_there(self, client: SocketIOClient) -> None:
        client.send("0", "/test", {"wait": True, "room": "lobby"})
        await wait_until(lambda: Consumer.sockets)
        client.leave()
        await client.websocket.finished()
        Consumer.gate.set()
        await wait_until(lambda: not Consumer.sockets[0]._client.eio.tasks)
        assert (Consumer.log, get_socketio_server().adapter._rooms) == ([], {})

    @pytest.mark.parametrize("call", ["disconnect", "call"])
    async def test_what_needs_an_accepted_socket_says_so(
        self, client: SocketIOClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        async def connect(self: Any, socket: NamespaceSocket, auth: Any) -> None:
            await (socket.disconnect() if call == "disconnect" else socket.call("x"))

        monkeypatch.setattr(Consumer, "connect", connect)
        client.send("0", "/test")
        await client.received('4/test,{"message":"Internal server error"}')
        assert f"{call}() cannot be used in connect()" in caplog.text


class TestInvalidState:
    """What closes the connection in the reference, closes it here."""

    @pytest.mark.parametrize(
        "packet",
        [
            '42["before CONNECT"]',
            '42/other,["namespace not joined"]',
            "41/other,",
            '43/other,1["ack"]',
            '451-/other,["x",{"_placeholder":true,"num":0}]',
            "40/test,",
            '44/test,{"message":"from a client"}',
            "47",
            "4",
            '42/test,{"not":"a list"}',
            '42/test,["connect"]',
            '40/other,["not an object"]',
            b"stray attachment",
        ],
    )
    async def test_closes_the_connection(self, joined: SocketIOClient, packet: str | bytes) -> None:
        joined.websocket.send(packet)
        await joined.websocket.closed()
        await wait_until(lambda: Consumer.log)
        assert Consumer.log[0][0] in ("forced close", "forced server close")
        assert len(Consumer.log) == 1

    @pytest.mark.parametrize("packet", ['42/test,["x"]', "41/test,", "40/test,"])
    async def test_socket_does_not_exist_before_it_is_accepted(self, client: SocketIOClient, packet: str) -> None:
        client.send("0", "/test", {"wait": True})
        await wait_until(lambda: Consumer.sockets)
        client.websocket.send(packet)
        await client.websocket.closed()

    @override_settings(SIO_CONNECT_TIMEOUT_MS=20)
    async def test_client_that_joins_nothing_is_closed(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        client.send("0", "/nope")
        await client.receive()
        await client.websocket.closed()

    @override_settings(SIO_CONNECT_TIMEOUT_MS=300)
    async def test_client_that_joined_stays(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        await asyncio.sleep(0.35)
        client.emit("/test", "one", "still here", ack_id=1)
        await client.received('3/test,1["still here"]')


class TestAttachments:
    """A packet waits for its attachments, and for each of them only so long."""

    HEADER = ("52-", "/test", ["echo", {"_placeholder": True, "num": 0}, {"_placeholder": True, "num": 1}], 1)

    @staticmethod
    async def join(app: Any) -> SocketIOClient:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        return client

    @override_settings(SIO_ATTACHMENTS_TIMEOUT_MS=20)
    async def test_packet_without_them_ends_the_connection(self, app: Any) -> None:
        client = await self.join(app)
        client.send(*self.HEADER)
        client.websocket.send(b"one")
        await client.websocket.closed()
        assert Consumer.log == [("forced close", 1)]

    @override_settings(SIO_ATTACHMENTS_TIMEOUT_MS=300)
    async def test_time_starts_anew_with_each(self, app: Any) -> None:
        client = await self.join(app)
        client.send(*self.HEADER)
        for attachment in (b"one", b"two"):
            await asyncio.sleep(0.2)
            client.websocket.send(attachment)
        assert (await client.receive()).startswith("62-/test,1[")
        await client.received(b"one", b"two")
        await asyncio.sleep(0.35)
        client.emit("/test", "one", "still here", ack_id=2)
        await client.received('3/test,2["still here"]')

    @override_settings(SIO_ATTACHMENTS_TIMEOUT_MS=20)
    async def test_those_that_wait_to_be_read_are_not_missing(self, app: Any) -> None:
        client = await self.join(app)
        (connection,) = registry
        client.send(*self.HEADER)
        await asyncio.sleep(0.005)  # the header is read
        connection.pause_reading()
        for attachment in (b"one", b"two"):
            client.websocket.send(attachment)
        await asyncio.sleep(0.05)
        connection.resume_reading()
        assert (await client.receive()).startswith("62-/test,1[")

    @override_settings(SIO_MAX_ATTACHMENTS_BYTES=5)
    async def test_too_many_bytes_of_them_end_the_connection(self, app: Any) -> None:
        client = await self.join(app)
        client.send(*self.HEADER)
        client.websocket.send(b"three")
        client.websocket.send(b"four")
        await client.websocket.closed()
        assert Consumer.log == [("forced close", 1)]


@override_settings(SIO_MAX_QUEUED_EVENTS=4, SIO_MAX_BUFFERED_BYTES=1_000)
async def test_emit_that_waits_for_a_pong_behind_a_full_queue_gets_it() -> None:
    """A handler waits for the client to take what it was sent, which shows by a pong that stands behind its events."""
    client = await SocketIOClient(Repeating.as_asgi()).open()
    await client.connect("/repeating")
    for _ in range(7):
        client.emit("/repeating", "repeat")
    answers = 0
    while answers < 7 * 4:
        frame = await client.websocket.receive()
        if frame == "2":
            client.websocket.send("3")
        else:
            answers += 1


class Repeating(SocketIOConsumer):
    namespace = "/repeating"

    async def event_repeat(self, socket: NamespaceSocket) -> None:
        for _ in range(4):
            await socket.emit("answer", "x" * 200)


class Hanging(SocketIOConsumer):
    namespace = "/hanging"
    released: ClassVar[threading.Event]

    async def event_hang(self, socket: NamespaceSocket) -> None:
        await sync_to_async(self.released.wait)()

    async def event_echo(self, socket: NamespaceSocket, value: Any) -> Any:
        return value


async def test_sync_code_that_hangs_holds_up_nobody_else() -> None:
    Hanging.released = threading.Event()
    application = Hanging.as_asgi()
    clients = [await SocketIOClient(application).open() for _ in range(2)]
    for client in clients:
        await client.connect("/hanging")
    clients[0].emit("/hanging", "hang", ack_id=1)
    clients[0].emit("/hanging", "echo", "later", ack_id=2)
    for number in range(20):
        clients[1].emit("/hanging", "echo", number, ack_id=number)
        await clients[1].received(f"3/hanging,{number}[{number}]")
    Hanging.released.set()
    await clients[0].received("3/hanging,1[]", '3/hanging,2["later"]')


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "answer"),
        [
            (["echo"], "[]"),
            (["echo", 1, {"a": None}], '[1,{"a":null}]'),
            (["one", 1], "[1]"),
            (["one", [1, 2]], "[[1,2]]"),
            (["one", None], "[]"),
        ],
    )
    async def test_what_a_handler_returns_is_the_ack(self, joined: SocketIOClient, event: Any, answer: str) -> None:
        joined.emit("/test", *event, ack_id=0)
        await joined.received(f"3/test,0{answer}")

    async def test_handler_acks_once(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "acked", ack_id=7)
        await joined.received('61-/test,7["first",{"_placeholder":true,"num":0}]', b"\x02")
        joined.emit("/test", "one", "next", ack_id=8)
        await joined.received('3/test,8["next"]')

    async def test_client_that_wants_no_ack_gets_none(self, joined: SocketIOClient) -> None:
        for event in ("acked", "echo"):
            joined.emit("/test", event)
        joined.emit("/test", "one", "next", ack_id=1)
        await joined.received('3/test,1["next"]')
        assert Consumer.log == [False]

    async def test_binary_arrives_in_its_place(self, joined: SocketIOClient) -> None:
        placeholders = [{"_placeholder": True, "num": number} for number in (1, 0)]
        joined.send("52-", "/test", ["echo", *placeholders], 3)
        for attachment in (b"zero", b""):
            joined.websocket.send(attachment)
        packet = '62-/test,3[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        await joined.received(packet, b"", b"zero")

    @pytest.mark.parametrize(
        ("event", "problem"),
        [
            (["typo", 1], "no method handles it"),
            ([12, 1], "no method handles it"),
            (["one"], "event_one takes 1 arguments, not 0"),
            (["ask", 1, 2], "event_ask takes 0 to 1 arguments, not 2"),
        ],
    )
    async def test_event_that_nobody_gets_is_told_once_and_not_acked(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture, event: Any, problem: str
    ) -> None:
        for _ in range(2):
            joined.emit("/test", *event, ack_id=1)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')
        assert caplog.text.count(problem) == 1

    async def test_event_without_payload_is_taken(self, joined: SocketIOClient) -> None:
        joined.send("2", "/test")
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')

    @pytest.mark.parametrize("event", ["raise", "cancelled", "unsendable"])
    async def test_handler_that_fails_ends_nothing(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture, event: str
    ) -> None:
        joined.emit("/test", event, ack_id=1)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')
        assert caplog.text.count(f"Consumer.event_{event} raised") == 1

    async def test_events_are_handled_one_at_a_time_in_order(self, joined: SocketIOClient) -> None:
        for number in (1, 2):
            joined.emit("/test", "wait", number, ack_id=number)
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("start", 1)]
        Consumer.gate.set()
        await joined.received("3/test,1[1]", "3/test,2[2]")
        assert Consumer.log == [("start", 1), ("end", 1), ("start", 2), ("end", 2)]

    async def test_slow_handler_holds_up_no_other_namespace(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "wait", 1)
        await joined.connect("/other")

    @override_settings(SIO_MAX_QUEUED_EVENTS=3)
    async def test_full_queue_keeps_no_handler_from_its_answer(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        for number in range(4):
            client.emit("/test", "ask", ack_id=number)
        for number in range(4):
            await client.received(f'2/test,{number}["question"]')
            client.send("3", "/test", [number], number)
            await client.received(f'3/test,{number}[["answer",{number}]]')

    @override_settings(SIO_MAX_QUEUED_EVENTS=3)
    async def test_client_that_floods_instead_of_answering_is_cut(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        for _ in range(10):
            client.emit("/test", "ask")
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("transport error", 1)]
        assert "SIO_MAX_QUEUED_EVENTS" in caplog.text

    @override_settings(SIO_MAX_QUEUED_EVENTS=2)
    async def test_reading_goes_on_when_no_queue_is_full_any_more(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        for number in range(2):
            client.emit("/test", "wait", number)
        await wait_until(lambda: Consumer.sockets[0]._client.eio.is_paused)
        Consumer.sockets[0].end(Reason.SERVER_NAMESPACE_DISCONNECT)
        await client.connect("/other")

    async def test_handler_that_cancels_its_own_task_stops_no_other(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "suicide", ack_id=1)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')

    async def test_handlers_that_never_wait_give_others_a_turn(self, joined: SocketIOClient) -> None:
        for number in range(100):
            joined.emit("/test", "count", number)
        while not Consumer.log:
            await asyncio.sleep(0)
        assert len(Consumer.log) < 100
        await wait_until(lambda: len(Consumer.log) == 100)

    @override_settings(SIO_MAX_QUEUED_EVENTS=4)
    async def test_full_queue_pauses_reading_and_loses_nothing(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        for number in range(20):
            client.emit("/test", "wait", number, ack_id=number)
        await wait_until(lambda: Consumer.sockets[0]._client.eio.is_paused)
        assert len(Consumer.sockets[0]._worker._jobs) <= 4
        Consumer.gate.set()
        await client.received(*[f"3/test,{number}[{number}]" for number in range(20)])


class TestServerAcks:
    async def test_call_returns_what_the_client_answers(self, joined: SocketIOClient) -> None:
        for answer, result in (([], "null"), (["x"], '"x"'), ([1, 2], "[1,2]")):
            joined.emit("/test", "ask", ack_id=5)
            number = (await joined.receive()).removeprefix("2/test,").removesuffix('["question"]')
            joined.send("3", "/test", answer, number)
            await joined.received(f'3/test,5[["answer",{result}]]')

    async def test_call_that_is_not_answered_times_out(self, socket: NamespaceSocket) -> None:
        with pytest.raises(AckTimeout, match=r"did not acknowledge 'x' within 0\.01 s"):
            await socket.call("x", timeout=0.01)
        assert socket._acks == {}

    async def test_call_fails_when_the_client_leaves(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        call = asyncio.ensure_future(socket.call("x"))
        await joined.receive()
        joined.leave()
        with pytest.raises(Disconnected):
            await call
        with pytest.raises(Disconnected):
            await socket.call("x")

    async def test_late_and_foreign_acks_are_ignored(self, joined: SocketIOClient) -> None:
        for ack_id in ("", 0, 999):
            joined.send("3", "/test", ["x"], ack_id)
        joined.emit("/test", "one", "next", ack_id=2)
        await joined.received('3/test,2["next"]')

    async def test_client_that_leaves_a_handler_waiting_is_no_error(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        joined.emit("/test", "ask")
        await joined.receive()
        joined.leave()
        await wait_until(lambda: Consumer.log)
        assert caplog.text == ""

    async def test_callback_runs_while_a_handler_does(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        joined.emit("/test", "wait", 1)
        got: list[Any] = []
        await socket.emit("x", callback=got.append)
        await joined.receive()
        joined.send("3", "/test", ["answer"], 0)
        await wait_until(lambda: got)

    async def test_ids_are_not_shared_by_sockets(self, app: Any, joined: SocketIOClient) -> None:
        second = await SocketIOClient(app).open()
        await second.connect("/test")
        for socket in Consumer.sockets:
            await socket.emit("x", callback=print)
        assert await joined.receive() != await second.receive()

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_callback_gets_the_arguments_once(
        self, joined: SocketIOClient, socket: NamespaceSocket, is_async: bool
    ) -> None:
        got: list[Any] = []

        async def callback(*args: Any) -> None:
            got.append(args)

        await socket.send("x", callback=callback if is_async else lambda *args: got.append(args))
        await joined.received('2/test,0["message","x"]')
        for _ in range(2):
            joined.send("3", "/test", [1, 2], 0)
        await wait_until(lambda: got)
        assert got == [(1, 2)]

    async def test_callback_that_raises_ends_nothing(
        self, joined: SocketIOClient, socket: NamespaceSocket, caplog: pytest.LogCaptureFixture
    ) -> None:
        await socket.emit("x", callback=lambda: 1 / 0)
        await joined.receive()
        joined.send("3", "/test", [], 0)
        await wait_until(lambda: "raised" in caplog.text)

    @override_settings(SIO_MAX_PENDING_ACKS=2)
    async def test_pending_acks_are_bounded(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        for _ in range(2):
            await Consumer.sockets[0].emit("x", callback=print)
        with pytest.raises(TooManyPendingAcks, match="SIO_MAX_PENDING_ACKS"):
            await Consumer.sockets[0].emit("x", callback=print)


class TestEmit:
    @pytest.mark.parametrize(
        ("event", "error"), [("connect", ValueError), ("disconnecting", ValueError), (1, TypeError), (None, TypeError)]
    )
    async def test_impossible_event_name(self, socket: NamespaceSocket, event: Any, error: type[Exception]) -> None:
        for emit in (socket.emit, get_socketio_server().emit):
            with pytest.raises(error):
                await emit(event)

    async def test_what_cannot_be_encoded_is_an_error_here_and_reaches_nobody(
        self, joined: SocketIOClient, socket: NamespaceSocket
    ) -> None:
        for emit in (socket.emit, get_socketio_server().emit):
            with pytest.raises(EncodingError, match="the event 'x'"):
                await emit("x", {"value": object()})
        await socket.emit("next")
        await joined.received('2/test,["next"]')

    async def test_disconnected_socket_sends_nothing(self, joined: SocketIOClient, socket: NamespaceSocket) -> None:
        await socket.disconnect()
        await joined.received("1/test,")
        await socket.emit("x")
        await socket.emit("x", callback=print)
        await socket.join("room")
        await socket.leave("room")
        await socket.disconnect()
        await joined.connect("/other")

    async def test_socket_knows_its_request(self, app: Any) -> None:
        client = await SocketIOClient(app, headers=[(b"x-test", b"1")], user="someone").open()
        await client.connect("/test")
        socket = Consumer.sockets[0]
        assert (b"x-test", b"1") in socket.scope["headers"]
        assert (socket.user, socket.transport, socket.state) == ("someone", "websocket", socket.data)
        assert socket.id in repr(socket)


class TestRooms:
    @pytest.fixture
    async def clients(self, app: Any) -> list[SocketIOClient]:
        clients = [await SocketIOClient(app).open() for _ in range(3)]
        for client in clients:
            await client.connect("/test")
        a, b, c = Consumer.sockets
        for socket, rooms in ((a, "xy"), (b, "y"), (c, "z")):
            for room in rooms:
                await socket.join(room)
        return clients

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ({}, "abc"),
            ({"room": "y"}, "ab"),
            ({"room": ["x", "y"]}, "ab"),
            ({"room": ["x", "z"]}, "ac"),
            ({"room": []}, ""),
            ({"room": "nobody"}, ""),
            ({"except_": "y"}, "c"),
            ({"room": ("y", "z"), "except_": ["x"]}, "bc"),
            ({"namespace": "/other"}, ""),
            ({"namespace": "/unknown"}, ""),
        ],
    )
    async def test_broadcast_reaches_each_once(
        self, clients: list[SocketIOClient], target: dict[str, Any], expected: str
    ) -> None:
        await get_socketio_server().emit("hit", **({"namespace": "/test"} | target))
        await get_socketio_server().emit("end", namespace="/test")
        for name, client in zip("abc", clients, strict=True):
            await client.received(*['2/test,["hit"]'] * (name in expected), '2/test,["end"]')

    async def test_id_of_a_socket_is_its_room(self, clients: list[SocketIOClient]) -> None:
        first = Consumer.sockets[0]
        assert first.rooms == {first.id, "x", "y"}
        await get_socketio_server().emit("hit", room=first.id, namespace="/test")
        await clients[0].received('2/test,["hit"]')

    async def test_socket_that_left_is_not_reached(self, clients: list[SocketIOClient]) -> None:
        a, b, _ = Consumer.sockets
        await a.leave_all()
        await b.leave("y")
        assert (a.rooms, b.rooms) == ({a.id}, {b.id})
        await get_socketio_server().emit("hit", room=["x", "y"], namespace="/test")
        await a.emit("end")
        await clients[0].received('2/test,["end"]')

    @pytest.mark.parametrize("room", [1, None, b"x"])
    async def test_room_that_is_no_string_is_an_error(self, clients: list[SocketIOClient], room: Any) -> None:
        with pytest.raises(TypeError, match="a room name is a str"):
            await Consumer.sockets[0].join(room)
        with pytest.raises(TypeError, match="a room name is a str"):
            await get_socketio_server().emit("x", room=[room])

    @override_settings(SIO_MAX_BUFFERED_PACKETS=3)
    async def test_broadcasts_in_a_loop_overflow_no_buffer(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        await client.connect("/test")
        for number in range(50):
            await get_socketio_server().emit("x", number, namespace="/test")
        await client.received(*[f'2/test,["x",{number}]' for number in range(50)])

    @override_settings(SIO_MAX_BUFFERED_PACKETS=3)
    async def test_slow_consumer_is_cut_amid_a_broadcast(self, app: Any) -> None:
        clients = [await SocketIOClient(app).open() for _ in range(3)]
        for client in clients:
            await client.connect("/test")
        clients[1].websocket.taken.clear()
        Consumer.sockets[1].send_packets(get_socketio_server().encode_event("/test", "x", [b"1", b"2"]))
        await get_socketio_server().emit("y", b"1", namespace="/test")
        for client in (clients[0], clients[2]):
            await client.received('51-/test,["y",{"_placeholder":true,"num":0}]', b"1")
        assert [reason for reason, _ in Consumer.log] == ["transport error"]

    async def test_no_room_is_left_behind(self, clients: list[SocketIOClient]) -> None:
        for client in clients:
            client.leave()
            await client.websocket.finished()
        assert get_socketio_server().adapter._rooms == {}
        assert len(registry) == 0


class TestDisconnect:
    async def test_client_leaves_the_namespace(self, joined: SocketIOClient) -> None:
        await Consumer.sockets[0].join("room")
        joined.send("1", "/test")
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("client namespace disconnect", 2)]
        await joined.connect("/test")

    async def test_client_drops_the_connection(self, joined: SocketIOClient) -> None:
        joined.leave()
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("transport close", 1)]

    async def test_server_disconnects_the_namespace(self, joined: SocketIOClient) -> None:
        joined.emit("/test", "leave")
        await joined.received("1/test,")
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("server namespace disconnect", 1)]
        await joined.connect("/other")

    async def test_server_closes_the_connection(self, joined: SocketIOClient) -> None:
        await joined.connect("/other")
        joined.emit("/test", "leave", True)
        await joined.received("1/test,", "1/other,")
        await joined.websocket.closed()
        assert Consumer.log == [("server namespace disconnect", 1)]

    async def test_closing_says_nothing_of_a_namespace_that_is_not_joined_yet(self, joined: SocketIOClient) -> None:
        await joined.connect("/other")
        joined.send("1", "/test")
        await wait_until(lambda: Consumer.log)
        joined.send("0", "/test", {"wait": True})
        await wait_until(lambda: len(Consumer.sockets) == 2)
        get_socketio_server().namespaces["/other"].sockets.copy().popitem()[1]._client.disconnect()
        await joined.received("1/other,")
        await joined.websocket.closed()

    async def test_server_shuts_down(self, joined: SocketIOClient) -> None:
        await get_socketio_server().close()
        await joined.websocket.closed()
        assert Consumer.log == [("server shutting down", 1)]

    async def test_hook_runs_after_the_handler_and_drops_what_is_queued(self, joined: SocketIOClient) -> None:
        for number in (1, 2):
            joined.emit("/test", "wait", number)
        await wait_until(lambda: Consumer.log)
        joined.leave()
        await joined.websocket.finished()
        Consumer.gate.set()
        await wait_until(lambda: len(Consumer.log) == 3)
        assert Consumer.log == [("start", 1), ("end", 1), ("transport close", 1)]

    async def test_hook_that_raises_is_told(
        self, joined: SocketIOClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def disconnect(self: Any, socket: Any, reason: str) -> None:
            raise LookupError

        monkeypatch.setattr(Consumer, "disconnect", disconnect)
        joined.leave()
        await wait_until(lambda: "Consumer.disconnect raised" in caplog.text)
