"""`BroadcastOperator` over several processes: here, servers in one process that share a layer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sio import BroadcastOperator, NamespaceSocket
from sio.cluster.adapter import ChannelLayerAdapter
from sio.cluster.messages import group_name
from sio.socketio.server import SocketIOServer
from tests.unit.cluster.layers import Layer, time_of, until
from tests.unit.cluster.processes import Chat, Process

Choose = Callable[[BroadcastOperator, list[NamespaceSocket]], BroadcastOperator]


class TestOperators:
    """They mean the same sockets in every process."""

    @pytest.fixture
    async def operator(self, processes: list[Process]) -> BroadcastOperator:
        """All sockets, from the first process. Each socket is in a room of its number, and the first two in `both`."""
        for number, process in enumerate(processes):
            await process.socket.join(str(number), *(["both"] if number < 2 else []))
        return processes[0].server.of(Chat)

    @pytest.mark.parametrize(
        ("choose", "hearers"),
        [
            (lambda all, sockets: all, "012"),
            (lambda all, sockets: all.to("1"), "1"),
            (lambda all, sockets: all.to("both", "2"), "012"),
            (lambda all, sockets: all.to("0", "1").to("both"), "01"),
            (lambda all, sockets: all.to("both").except_("0"), "1"),
            (lambda all, sockets: all.to("both", "2").except_("0", "2"), "1"),
            (lambda all, sockets: all.except_("both"), "2"),
            (lambda all, sockets: all.to(sockets[1].id, sockets[2].id).except_(sockets[2].id), "1"),
            (lambda all, sockets: all.to_user("ada"), "02"),
            (lambda all, sockets: all.to_user("bob"), "1"),
            (lambda all, sockets: all.to_user("ada", "bob").except_("2"), "01"),
            (lambda all, sockets: all.to("1").to_user("ada"), "012"),
            (lambda all, sockets: all.except_user("ada"), "1"),
            (lambda all, sockets: all.to("both").except_user("ada"), "1"),
            (lambda all, sockets: all.to_user("nobody"), ""),
            (lambda all, sockets: all.to([]), ""),
            (lambda all, sockets: all.local, "0"),
            (lambda all, sockets: all.to("both", "2").local, "0"),
            (lambda all, sockets: all.to_user("ada").local, "0"),
            (lambda all, sockets: all.to("1").local, ""),
            (lambda all, sockets: all.volatile, "012"),
            (lambda all, sockets: sockets[0].broadcast, "12"),
            (lambda all, sockets: sockets[1].broadcast, "02"),
            (lambda all, sockets: sockets[1].to("both"), "0"),
            (lambda all, sockets: sockets[0].to("0", "1", "2").except_("2"), "1"),
            (lambda all, sockets: sockets[2].broadcast.to_user("ada"), "0"),
            (lambda all, sockets: sockets[2].broadcast.local, ""),
        ],
    )
    async def test_sockets_of_all_processes_are_reached_once(
        self, processes: list[Process], operator: BroadcastOperator, choose: Choose, hearers: str
    ) -> None:
        await choose(operator, [process.socket for process in processes]).emit("x")
        for number, process in enumerate(processes):
            await process.receives(*["x"] * (str(number) in hearers))

    async def test_volatile_one_passes_over_a_client_that_does_not_read(
        self, processes: list[Process], operator: BroadcastOperator
    ) -> None:
        _, b, c = processes
        b.client.websocket.taken.clear()
        await b.socket.emit("blocks")
        await operator.to("1", "2").volatile.emit("x")
        await c.receives("x")
        b.client.websocket.taken.set()
        await b.receives("blocks")

    async def test_room_of_a_user_is_one_group_of_the_process(self, processes: list[Process], layer: Layer) -> None:
        """It comes with the user's first socket in the process, and goes with the last one."""
        group = group_name("/chat", "~user:ada")
        layer.calls.clear()
        second = await processes[0].another_socket()
        assert ("add", group) not in layer.calls
        for socket in (processes[0].socket, second):
            assert ("discard", group) not in layer.calls
            await socket.disconnect()
        await until(lambda: ("discard", group) in layer.calls)
        await processes[1].server.of(Chat).to_user("ada").emit("x")
        await processes[2].receives("x")

    async def test_several_rooms_are_waited_for_at_once(self, processes: list[Process], layer: Layer) -> None:
        layer.delay = 0.05
        rooms = list(map(str, range(100)))
        assert await time_of(processes[0].socket.join(*rooms)) <= 0.2  # one after the other, they take five seconds
        assert {group_name("/chat", room) for room in rooms} <= layer.rooms

    async def test_process_without_sockets_reaches_those_of_others(self, processes: list[Process]) -> None:
        """But with `local` nobody, as it has none."""
        sender = SocketIOServer(adapter=ChannelLayerAdapter)
        await sender.of("/chat").to_user("bob").emit("x")
        await sender.of("/chat").local.emit("y")
        for process, events in zip(processes, ([], ["x"], []), strict=True):
            await process.receives(*events)
