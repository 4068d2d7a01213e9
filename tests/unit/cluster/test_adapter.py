"""Rooms over several processes: here, servers in one process that share a layer."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers

from sio.cluster import adapter as adapter_module
from sio.cluster.adapter import ChannelLayerAdapter
from sio.cluster.messages import group_name
from sio.engineio.protocol.packets import EncodedPacket
from sio.socketio.server import SocketIOServer
from sio.socketio.target import Target
from tests.unit.cluster.layers import Layer, time_of, until
from tests.unit.cluster.processes import Process
from tests.unit.cluster.test_messages import message

PACKETS = [EncodedPacket.message('2/chat,["x"]')]


class TestBroadcast:
    async def test_room_reaches_all_processes(self, processes: list[Process]) -> None:
        a, b, c = processes
        for process in (a, b):
            await process.socket.join("room")
        await a.emit("x", room="room")
        for process, events in ((a, ["x"]), (b, ["x"]), (c, [])):
            await process.receives(*events)

    async def test_namespace_reaches_all_processes(self, processes: list[Process]) -> None:
        await processes[0].emit("x")
        for process in processes:
            await process.receives("x")

    async def test_several_rooms_reach_each_socket_once(self, processes: list[Process]) -> None:
        a, b, c = processes
        for room in "xy":
            await b.socket.join(room)
        await a.emit("hit", room=["x", "y", c.sid], except_=[c.sid])
        for process, events in ((a, []), (b, ["hit"]), (c, [])):
            await process.receives(*events)

    async def test_id_of_a_socket_reaches_it_in_another_process(self, processes: list[Process]) -> None:
        await processes[0].emit("x", room=processes[2].sid)
        await processes[2].receives("x")

    async def test_attachments_arrive(self, processes: list[Process]) -> None:
        await processes[0].server.emit("x", b"\x00\xff", namespace="/chat")
        await processes[1].client.received('51-/chat,["x",{"_placeholder":true,"num":0}]', b"\x00\xff")

    async def test_volatile_event_passes_over_a_client_that_does_not_read(self, processes: list[Process]) -> None:
        a, b, c = processes
        b.client.websocket.taken.clear()
        await b.socket.emit("blocks")
        await a.emit("x", volatile=True)
        await c.receives("x")
        b.client.websocket.taken.set()
        await b.receives("blocks")

    async def test_is_sent_to_the_layer_once(self, processes: list[Process], layer: Layer) -> None:
        layer.calls.clear()
        await processes[0].emit("x", room=["a", "b"])
        await processes[0].emit("x", room="a")
        await processes[0].emit("x", room=[])
        assert layer.calls == [("send", group_name("/chat", None)), ("send", group_name("/chat", "a"))]

    @pytest.mark.parametrize(
        ("target", "room"),
        [
            (Target("/chat"), None),
            (Target("/chat", frozenset("a")), "a"),
            (Target("/chat", frozenset("a"), frozenset("b"), volatile=True), "a"),
            (Target("/chat", frozenset("ab")), None),
            (Target("/chat", frozenset(["~user:1"])), "~user:1"),
            (Target("/chat", None, frozenset("a")), None),
        ],
    )
    async def test_costs_one_message(
        self, processes: list[Process], layer: Layer, target: Target, room: str | None
    ) -> None:
        layer.calls.clear()
        await processes[0].adapter.broadcast(target, PACKETS)
        assert layer.calls == [("send", group_name("/chat", room))]

    @pytest.mark.parametrize(
        "target",
        [
            Target("/chat", local=True),
            Target("/chat", frozenset("a"), local=True),
            Target("/chat", frozenset("ab"), frozenset("c"), local=True),
            Target("/chat", frozenset()),
            Target("/chat", frozenset(), frozenset("a"), volatile=True),
        ],
    )
    async def test_local_one_and_one_to_nobody_cost_none(
        self, processes: list[Process], layer: Layer, target: Target
    ) -> None:
        layer.calls.clear()
        await processes[0].adapter.broadcast(target, PACKETS)
        await asyncio.sleep(0.02)
        assert layer.calls == []

    @pytest.mark.parametrize("room", ["", "/", "a b", "é", "日本", "\ud800", "x" * 10_000, "a!b"])
    async def test_any_string_is_a_room(self, processes: list[Process], room: str) -> None:
        await processes[1].socket.join(room)
        await processes[0].emit("x", room=room)
        await processes[1].receives("x")


class TestMembership:
    async def test_is_one_for_each_process_and_room(self, processes: list[Process], layer: Layer) -> None:
        sockets = [processes[0].socket, await processes[0].another_socket()]
        layer.calls.clear()
        for socket in sockets:
            await socket.join("room")
        for socket in sockets:
            await socket.leave("room")
        group = group_name("/chat", "room")
        await until(lambda: ("discard", group) in layer.calls)
        assert [call for call, target in layer.calls if target == group] == ["add", "discard"]

    async def test_ends_with_the_last_socket(self, processes: list[Process], layer: Layer) -> None:
        for process in processes:
            process.client.leave()
        await until(lambda: not layer.groups)

    async def test_is_renewed_before_the_layer_forgets_it(self, layer: Layer) -> None:
        layer.group_expiry = 0.04
        process = await Process().start()
        before = set(layer.groups)
        layer.groups.clear()
        await until(lambda: set(layer.groups) == before)
        await process.server.close()

    async def test_server_that_closes_leaves_its_groups(self, layer: Layer) -> None:
        process = await Process().start()
        await process.server.adapter.close()
        assert layer.groups == {}

    async def test_client_is_answered_when_other_processes_reach_it(self, layer: Layer) -> None:
        layer.delay = 0.01
        process = await Process().start()
        assert layer.rooms == {group_name("/chat", room) for room in (None, process.sid, "~user:ada")}
        await process.server.close()

    async def test_join_waits_for_the_layer(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.01
        await asyncio.gather(processes[0].socket.join("a"), processes[0].socket.join("b"))
        assert {group_name("/chat", room) for room in "ab"} <= layer.rooms

    async def test_memberships_are_made_side_by_side(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.05
        joins = asyncio.gather(*(processes[0].socket.join(str(number)) for number in range(100)))
        assert await time_of(joins) <= 0.2  # one after the other, they take five seconds

    async def test_server_that_closed_can_start_anew(self, layer: Layer) -> None:
        process = await Process().start()
        await process.server.adapter.close()
        await process.socket.join("room")
        layer.calls.clear()
        other = await Process().start()
        await other.emit("x", room="room")
        await process.receives("x")
        for each in (process, other):
            await each.server.close()


class TestOutage:
    async def test_local_sockets_are_reached_and_it_is_logged_once(
        self, processes: list[Process], layer: Layer, caplog: pytest.LogCaptureFixture
    ) -> None:
        layer.error = OSError("gone")
        for event in ("x", "y"):
            await processes[0].emit(event)
        await processes[0].receives("x", "y")
        assert caplog.text.count("The channel layer failed (OSError('gone'))") == 1

    async def test_memberships_come_back_by_themselves(
        self, processes: list[Process], layer: Layer, caplog: pytest.LogCaptureFixture
    ) -> None:
        layer.error = OSError("gone")
        await processes[1].socket.join("room")
        await processes[0].emit("lost", room="room")
        layer.groups.clear()
        layer.error = None
        await until(lambda: caplog.text.count("works again") == 2, 5)
        assert group_name("/chat", "room") in layer.groups
        await processes[0].emit("x", room="room")
        await processes[1].receives("x")

    @pytest.mark.real_time
    async def test_threads_without_sockets_find_out_and_log_it_once(
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
        await asyncio.sleep(0.01)  # the probe that is due now fails before the server closes

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
        await process.receives("x")
        assert process.adapter._channel is None
        assert not process.adapter.reaches_others
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
        await processes[0].receives(*"x" * 10)
        layer.error = None
        await processes[0].emit("y")
        await processes[1].receives("y")
        lines = [line for line in caplog.text.splitlines() if "sio.channel_layer" in line]
        assert "cannot carry a broadcast, which reached this process only (1 so far): TypeError('Object of" in lines[0]
        assert not any("The channel layer failed" in line for line in lines)


class TestOrder:
    async def test_broadcasts_to_one_room_stay_in_order(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.001
        await asyncio.gather(*(processes[0].emit(str(number), room=processes[1].sid) for number in range(20)))
        await processes[1].receives(*map(str, range(20)))
        assert processes[0].adapter._sending == {}

    async def test_broadcasts_to_many_rooms_go_side_by_side(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.05
        emits = asyncio.gather(*(processes[0].emit("x", room=str(number)) for number in range(100)))
        assert await time_of(emits) <= 0.1  # one after the other, they take five seconds

    async def test_cancelled_broadcast_does_not_let_the_next_one_overtake(
        self, processes: list[Process], layer: Layer
    ) -> None:
        layer.delay = 0.05
        first, second = [asyncio.create_task(processes[0].emit(event)) for event in ("1", "2")]
        await asyncio.sleep(0.01)
        second.cancel()
        third = asyncio.create_task(processes[0].emit("3"))
        assert await time_of(asyncio.wait([first])) == pytest.approx(0.04)
        assert await time_of(asyncio.wait([third])) == pytest.approx(0.05)
        await processes[1].receives("1", "3")
        assert processes[0].adapter._sending == {}


class TestReceiving:
    @pytest.mark.parametrize(
        "malformed",
        [
            None,
            {},
            "text",
            message(version=2),
            message(type="other"),
            message(packets=[1]),
            message(rooms=["text"]),
            message(rooms=[b"\xff"]),
            message(number="x"),
            message(number=float("inf")),
            message(packets=["\ud800"]),
        ],
    )
    async def test_malformed_message_is_dropped_and_counted(self, processes: list[Process], malformed: Any) -> None:
        process = processes[0]
        process.adapter.receive(malformed)
        await process.receives()
        assert process.adapter.malformed == 1

    async def test_many_malformed_messages_do_not_fill_the_log(
        self, processes: list[Process], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr("sio.aio.log_limits.time.monotonic", lambda: clock[0])
        for clock[0] in (0, 5, 9, 10, 11):
            for _ in range(100):
                processes[0].adapter.receive({})
        assert processes[0].adapter.malformed == 500
        assert re.findall(r"no broadcast \((\d+) so far\)", caplog.text) == ["1", "301"]

    async def test_duplicate_is_dropped(self, processes: list[Process]) -> None:
        for _ in range(2):
            processes[0].adapter.receive(message())
        await processes[0].receives("x")

    async def test_own_message_is_skipped(self, processes: list[Process]) -> None:
        processes[0].adapter.receive(message(sender=processes[0].adapter._process))
        await processes[0].receives()

    async def test_gap_is_counted_and_logged(self, processes: list[Process], caplog: pytest.LogCaptureFixture) -> None:
        for number, previous in ((5, 4), (9, 5), (12, 11)):
            processes[0].adapter.receive(message(number=number, previous=previous))
        assert processes[0].adapter.lost == 1
        assert caplog.text.count("lost broadcasts") == 1

    async def test_senders_and_groups_are_numbered_apart(self, processes: list[Process]) -> None:
        adapter = processes[0].adapter
        adapter.receive(message(number=5))
        adapter.receive(message(number=1, sender="third"))
        await processes[0].socket.join("room")
        adapter.receive(message(number=1, rooms=[b"room"]))
        assert adapter.lost == 0
        await processes[0].receives("x", "x", "x")

    async def test_nothing_is_kept_of_rooms_that_nobody_here_is_in(self, processes: list[Process]) -> None:
        adapter = processes[0].adapter
        for number in range(1, 100):
            adapter.receive(message(number=number, rooms=[b"%d" % number]))
        await processes[0].socket.join("room")
        adapter.receive(message(number=100, rooms=[b"room"]))
        await processes[0].socket.leave("room")
        assert adapter._received == {}

    async def test_what_is_remembered_of_rooms_and_processes_is_bounded(
        self, processes: list[Process], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adapter_module, "_MAX_NUMBERED_GROUPS", 3)
        monkeypatch.setattr(adapter_module, "_MAX_SENDERS", 3)
        for number in range(10):
            await processes[0].emit("x", room=str(number))
            processes[1].adapter.receive(message(sender=f"process {number}"))
        assert list(processes[0].adapter._sent) == [group_name("/chat", str(number)) for number in (7, 8, 9)]
        (senders,) = processes[1].adapter._received.values()
        assert list(senders) == ["process 7", "process 8", "process 9"]
        await processes[1].receives(*"x" * 10)

    def test_processes_that_fork_have_names_of_their_own(self) -> None:
        assert "_process" not in vars(ChannelLayerAdapter())
