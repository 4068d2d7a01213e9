"""Rooms over several processes: here, servers in one process that share a layer."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers
from django.test import override_settings

from sio.engineio import set_engineio_app
from sio.socketio import channel_layer
from sio.socketio.channel_layer import ChannelLayerAdapter, group_name
from sio.socketio.handlers import Handlers
from sio.socketio.layer_channel import LayerChannel
from sio.socketio.server import SocketIOServer, get_socketio_server
from tests.asgi import APP
from tests.client import SocketIOClient


class Layer(InMemoryChannelLayer):  # type: ignore[misc]
    """An in-memory layer that counts what is asked of it, and fails on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.delay = 0.0

    async def _note(self, call: str, target: str) -> None:
        if self.error is not None:
            raise self.error
        await asyncio.sleep(self.delay)
        self.calls.append((call, target))

    async def group_add(self, group: str, channel: str) -> None:
        await self._note("add", group)
        await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._note("discard", group)
        await super().group_discard(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._note("send", group)
        await super().group_send(group, message)


class Process:
    """A server, and a client of it in the namespace /chat."""

    async def start(self, *, settle: bool = True) -> Process:
        self.server = SocketIOServer(adapter=ChannelLayerAdapter)
        self.server.register("/chat", Handlers("test"))
        set_engineio_app(self.server)
        self.client = await SocketIOClient(APP).open()
        self.sid = await self.client.connect("/chat")
        self.socket = self.server.namespaces["/chat"].sockets[self.sid]
        if settle:
            await self.server.adapter.settle()
        return self

    @property
    def adapter(self) -> ChannelLayerAdapter:
        assert isinstance(self.server.adapter, ChannelLayerAdapter)
        return self.server.adapter

    async def emit(self, event: str, **target: Any) -> None:
        await self.server.emit(event, namespace="/chat", **target)

    async def gets(self, *events: str) -> None:
        """The client gets exactly these events: a last one of its own follows them."""
        await asyncio.sleep(0.02)
        await self.socket.emit("end")
        await self.client.received(*[f'2/chat,["{event}"]' for event in events], '2/chat,["end"]')


@pytest.fixture
async def layer() -> AsyncIterator[Layer]:
    layer = Layer()
    channel_layers.set("default", layer)
    yield layer
    channel_layers.backends.pop("default")


@pytest.fixture
async def processes(layer: Layer) -> AsyncIterator[list[Process]]:
    processes = [await Process().start() for _ in range(3)]
    yield processes
    for process in processes:
        await process.server.close()


async def wait_until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)


class TestBroadcast:
    async def test_room_reaches_all_processes(self, processes: list[Process]) -> None:
        a, b, c = processes
        for process in (a, b):
            await process.socket.join("room")
        await a.emit("x", room="room")
        for process, events in ((a, ["x"]), (b, ["x"]), (c, [])):
            await process.gets(*events)

    async def test_namespace_reaches_all_processes(self, processes: list[Process]) -> None:
        await processes[0].emit("x")
        for process in processes:
            await process.gets("x")

    async def test_several_rooms_reach_each_socket_once(self, processes: list[Process]) -> None:
        a, b, c = processes
        for room in "xy":
            await b.socket.join(room)
        await a.emit("hit", room=["x", "y", c.sid], except_=[c.sid])
        for process, events in ((a, []), (b, ["hit"]), (c, [])):
            await process.gets(*events)

    async def test_id_of_a_socket_reaches_it_in_another_process(self, processes: list[Process]) -> None:
        await processes[0].emit("x", room=processes[2].sid)
        await processes[2].gets("x")

    async def test_attachments_arrive(self, processes: list[Process]) -> None:
        await processes[0].server.emit("x", b"\x00\xff", namespace="/chat")
        await processes[1].client.received('51-/chat,["x",{"_placeholder":true,"num":0}]', b"\x00\xff")

    async def test_volatile_one_passes_over_who_does_not_read(self, processes: list[Process]) -> None:
        a, b, c = processes
        b.client.websocket.taken.clear()
        await b.socket.emit("blocks")
        await a.emit("x", volatile=True)
        await c.gets("x")
        b.client.websocket.taken.set()
        await b.gets("blocks")

    async def test_is_sent_to_the_layer_once(self, processes: list[Process], layer: Layer) -> None:
        layer.calls.clear()
        await processes[0].emit("x", room=["a", "b"])
        await processes[0].emit("x", room="a")
        await processes[0].emit("x", room=[])
        assert layer.calls == [("send", group_name("/chat", None)), ("send", group_name("/chat", "a"))]

    @pytest.mark.parametrize("room", ["", "/", "a b", "é", "日本", "\ud800", "x" * 10_000, "a!b"])
    async def test_any_string_is_a_room(self, processes: list[Process], room: str) -> None:
        await processes[1].socket.join(room)
        await processes[0].emit("x", room=room)
        await processes[1].gets("x")

    def test_rooms_never_share_a_group(self) -> None:
        rooms = [
            ("/a", "b"),
            ("/ab", ""),
            ("/a_b", "c"),
            ("/a", "b_c"),
            ("/a", "é"),
            ("/a", "ü"),
            ("/a", ""),
            ("/a", None),
        ]
        assert len({group_name(*room) for room in rooms}) == len(rooms)


class TestMembership:
    async def test_is_one_for_each_process_and_room(self, processes: list[Process], layer: Layer) -> None:
        first = processes[0]
        set_engineio_app(first.server)
        second = await SocketIOClient(APP).open()
        sid = await second.connect("/chat")
        layer.calls.clear()
        for socket in (first.socket, first.server.namespaces["/chat"].sockets[sid]):
            await socket.join("room")
        for socket in (first.socket, first.server.namespaces["/chat"].sockets[sid]):
            await socket.leave("room")
        group = group_name("/chat", "room")
        await wait_until(lambda: ("discard", group) in layer.calls)
        assert [call for call, target in layer.calls if target == group] == ["add", "discard"]

    async def test_ends_with_the_last_socket(self, processes: list[Process], layer: Layer) -> None:
        for process in processes:
            process.client.leave()
        await wait_until(lambda: not layer.groups)

    async def test_is_renewed_before_the_layer_forgets_it(self, layer: Layer) -> None:
        layer.group_expiry = 0.04
        process = await Process().start()
        before = set(layer.groups)
        layer.groups.clear()
        await wait_until(lambda: set(layer.groups) == before)
        await process.server.close()

    async def test_server_that_closes_leaves_its_groups(self, layer: Layer) -> None:
        process = await Process().start()
        await process.server.adapter.close()
        assert layer.groups == {}

    async def test_client_is_answered_when_other_processes_reach_it(self, layer: Layer) -> None:
        layer.delay = 0.01
        process = await Process().start(settle=False)
        groups = {group_name("/chat", room) for room in (None, process.sid)}
        assert {target for call, target in layer.calls if call == "add" and "probe" not in target} == groups
        await process.server.close()

    async def test_join_waits_for_the_layer(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.01
        await asyncio.gather(processes[0].socket.join("a"), processes[0].socket.join("b"))
        assert {("add", group_name("/chat", room)) for room in "ab"} <= set(layer.calls)

    async def test_memberships_are_made_side_by_side(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.05
        async with asyncio.timeout(2.5):  # one after the other, they take twice as long
            await asyncio.gather(*(processes[0].socket.join(str(number)) for number in range(100)))

    async def test_room_that_changes_during_an_outage_is_queued_once(
        self, processes: list[Process], layer: Layer
    ) -> None:
        layer.error = OSError("gone")
        for _ in range(100):
            await processes[0].socket.join("room")
            await processes[0].socket.leave("room")
        assert processes[0].adapter._channel is not None
        assert len(processes[0].adapter._channel._groups._changes) < 5

    async def test_server_that_closed_can_start_anew(self, layer: Layer) -> None:
        process = await Process().start()
        await process.server.adapter.close()
        await process.socket.join("room")
        layer.calls.clear()
        other = await Process().start()
        await other.emit("x", room="room")
        await process.gets("x")
        for each in (process, other):
            await each.server.close()


class TestOutage:
    async def test_local_sockets_are_reached_and_it_is_told_once(
        self, processes: list[Process], layer: Layer, caplog: pytest.LogCaptureFixture
    ) -> None:
        layer.error = OSError("gone")
        for event in ("x", "y"):
            await processes[0].emit(event)
        await processes[0].gets("x", "y")
        assert caplog.text.count("The channel layer failed (OSError('gone'))") == 1

    async def test_memberships_come_back_by_themselves(
        self, processes: list[Process], layer: Layer, caplog: pytest.LogCaptureFixture
    ) -> None:
        layer.error = OSError("gone")
        await processes[1].socket.join("room")
        await processes[0].emit("lost", room="room")
        layer.groups.clear()
        layer.error = None
        await wait_until(lambda: caplog.text.count("works again") == 2)
        assert group_name("/chat", "room") in layer.groups
        await processes[0].emit("x", room="room")
        await processes[1].gets("x")

    async def test_threads_without_sockets_find_out_and_tell_once(
        self, layer: Layer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """`async_to_sync` may have a new thread for each call."""
        server = SocketIOServer(adapter=ChannelLayerAdapter)

        async def emit() -> None:
            thread = threading.Thread(target=async_to_sync(server.emit), args=("x",))
            thread.start()
            while thread.is_alive():
                await asyncio.sleep(0.001)

        layer.error = OSError("gone")
        for _ in range(5):
            await emit()
        layer.error = None
        while not layer.calls:
            await emit()
        assert [caplog.text.count(text) for text in ("The channel layer failed", "works again")] == [1, 1]

    async def test_join_does_not_wait_for_a_layer_that_fails(self, processes: list[Process], layer: Layer) -> None:
        layer.error = OSError("gone")
        async with asyncio.timeout(1):
            for room in ("a", "b"):
                await processes[0].socket.join(room)

    async def test_reader_survives_errors(self) -> None:
        received: list[Any] = []
        results: list[Any] = [OSError("down"), OSError("down"), {"n": 1}, {"n": 2}]

        class Failing(Layer):
            async def receive(self, channel: str) -> Any:
                if not results:
                    await asyncio.Event().wait()
                result = results.pop(0)
                if isinstance(result, Exception):
                    raise result
                return result

        channel = LayerChannel(Failing(), received.append, print)
        channel.add("group")
        await wait_until(lambda: len(received) == 2)
        await channel.close()
        assert received == [{"n": 1}, {"n": 2}]

    @pytest.mark.parametrize(("error", "is_up"), [("TimeoutError", True), ("ConnectionError", False)])
    async def test_silence_is_no_outage(self, monkeypatch: pytest.MonkeyPatch, error: str, is_up: bool) -> None:
        """redis-py ends a read that waited for long, with an exception class of its own."""
        monkeypatch.setattr("sio.socketio.layer_reader._IDLE_READ", 0.01)

        class Idle(Layer):
            reads = 0

            async def receive(self, channel: str) -> Any:
                self.reads += 1
                await asyncio.sleep(0.02)
                raise type(error, (Exception,), {})

        layer = Idle()
        channel = LayerChannel(layer, print, print)
        channel.add("group")
        await wait_until(lambda: layer.reads > 1)
        assert channel.is_up is is_up
        await channel.close()

    async def test_broadcasts_do_not_wait_for_a_layer_that_fails(self, processes: list[Process], layer: Layer) -> None:
        layer.error = OSError("gone")
        await processes[0].emit("x")
        layer.delay = 1
        async with asyncio.timeout(0.5):
            for _ in range(10):
                await processes[0].emit("y")

    @pytest.mark.parametrize("layer", [None, InMemoryChannelLayer()])
    async def test_without_a_layer_that_reaches_others_there_is_this_process(self, layer: Any) -> None:
        """It is sent nothing, and asked nothing at an interval."""
        channel_layers.set("default", layer)
        process = await Process().start()
        await process.emit("x")
        await process.gets("x")
        assert process.adapter._channel is None
        assert layer is None or not (layer.groups or layer.channels)
        await process.server.close()
        channel_layers.backends.pop("default")

    async def test_layer_that_cannot_carry_a_broadcast_is_no_broken_layer(
        self, processes: list[Process], layer: Layer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Such as one of channels_redis with the serializer for JSON, which has no bytes."""
        layer.error = TypeError("Object of type bytes is not JSON serializable")
        for _ in range(10):
            await processes[0].emit("x")
        await processes[0].gets(*"x" * 10)
        layer.error = None
        await processes[0].emit("y")
        await processes[1].gets("y")
        lines = [line for line in caplog.text.splitlines() if "sio.channel_layer" in line]
        assert "cannot carry a broadcast, which reached this process only (1 so far): TypeError('Object of" in lines[0]
        assert not any("The channel layer failed" in line for line in lines)

    @override_settings(SIO_CHANNEL_LAYER_TIMEOUT_MS=123, SIO_CHANNEL_LAYER_CHECK_MS=456)
    async def test_times_are_settings(self, layer: Layer) -> None:
        adapter = get_socketio_server().adapter
        assert isinstance(adapter, ChannelLayerAdapter)
        channel = adapter._get_channel()
        assert channel is not None
        assert (channel._timeout(), channel._interval()) == (0.123, 0.456)


class TestMessages:
    def message(self, **changes: Any) -> dict[str, Any]:
        return {
            "type": "sio.broadcast",
            "version": 1,
            "sender": "other",
            "number": 1,
            "previous": 0,
            "namespace": "/chat",
            "rooms": None,
            "except": [],
            "packets": ['42/chat,["x"]'],
        } | changes

    @pytest.mark.parametrize(
        "message",
        [
            None,
            {},
            "text",
            {"version": 2},
            {"type": "other"},
            {"packets": [1]},
            {"rooms": ["text"]},
            {"rooms": [b"\xff"]},
            {"number": "x"},
            {"number": float("inf")},
            {"packets": ["\ud800"]},
        ],
    )
    async def test_malformed_message_is_dropped_and_counted(self, processes: list[Process], message: Any) -> None:
        process = processes[0]
        process.adapter.receive(self.message(**message) if message and isinstance(message, dict) else message)
        await process.gets()
        assert process.adapter.malformed == 1

    async def test_many_malformed_messages_do_not_fill_the_log(
        self, processes: list[Process], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr("sio.socketio.tally.time.monotonic", lambda: clock[0])
        for clock[0] in (0, 5, 9, 10, 11):
            for _ in range(100):
                processes[0].adapter.receive({})
        assert processes[0].adapter.malformed == 500
        assert re.findall(r"no broadcast \((\d+) so far\)", caplog.text) == ["1", "301"]

    async def test_duplicate_is_dropped(self, processes: list[Process]) -> None:
        for _ in range(2):
            processes[0].adapter.receive(self.message())
        await processes[0].gets("x")

    async def test_own_message_is_skipped(self, processes: list[Process]) -> None:
        processes[0].adapter.receive(self.message(sender=processes[0].adapter._process))
        await processes[0].gets()

    async def test_gap_is_counted_and_told(self, processes: list[Process], caplog: pytest.LogCaptureFixture) -> None:
        for number, previous in ((5, 4), (9, 5), (12, 11)):
            processes[0].adapter.receive(self.message(number=number, previous=previous))
        assert processes[0].adapter.lost == 1
        assert caplog.text.count("lost broadcasts") == 1

    async def test_senders_and_groups_are_numbered_apart(self, processes: list[Process]) -> None:
        adapter = processes[0].adapter
        adapter.receive(self.message(number=5))
        adapter.receive(self.message(number=1, sender="third"))
        await processes[0].socket.join("room")
        adapter.receive(self.message(number=1, rooms=[b"room"]))
        assert adapter.lost == 0
        await processes[0].gets("x", "x", "x")

    async def test_nothing_is_kept_of_rooms_that_nobody_here_is_in(self, processes: list[Process]) -> None:
        adapter = processes[0].adapter
        for number in range(1, 100):
            adapter.receive(self.message(number=number, rooms=[b"%d" % number]))
        await processes[0].socket.join("room")
        adapter.receive(self.message(number=100, rooms=[b"room"]))
        await processes[0].socket.leave("room")
        assert adapter._received == {}

    async def test_broadcasts_to_one_room_stay_in_order(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.001
        await asyncio.gather(*(processes[0].emit(str(number), room=processes[1].sid) for number in range(20)))
        await processes[1].gets(*map(str, range(20)))
        assert processes[0].adapter._sending == {}

    async def test_broadcasts_to_many_rooms_go_side_by_side(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.05
        async with asyncio.timeout(2.5):  # one after the other, they take twice as long
            await asyncio.gather(*(processes[0].emit("x", room=str(number)) for number in range(100)))

    async def test_what_is_remembered_of_rooms_and_processes_is_bounded(
        self, processes: list[Process], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(channel_layer, "_MAX_NUMBERED_GROUPS", 3)
        monkeypatch.setattr(channel_layer, "_MAX_SENDERS", 3)
        for number in range(10):
            await processes[0].emit("x", room=str(number))
            processes[1].adapter.receive(self.message(sender=f"process {number}"))
        assert list(processes[0].adapter._sent) == [group_name("/chat", str(number)) for number in (7, 8, 9)]
        (senders,) = processes[1].adapter._received.values()
        assert list(senders) == ["process 7", "process 8", "process 9"]
        await processes[1].gets(*"x" * 10)

    def test_processes_that_fork_have_names_of_their_own(self) -> None:
        assert "_process" not in vars(ChannelLayerAdapter())
