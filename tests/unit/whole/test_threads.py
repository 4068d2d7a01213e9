"""Broadcasts and sockets that are used from event loops and threads other than their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync

from sio import NamespaceSocket, SocketIOConsumer, SocketIOServer, get_socketio_server
from sio.exceptions import EncodingError, WrongEventLoop
from sio.socketio.adapter import Adapter
from tests.client import SocketIOClient
from tests.pace import TIMEOUT
from tests.unit.other_loops import elsewhere

pytestmark = pytest.mark.real_time

#: How many threads do the same at once, and how often.
THREADS, TIMES = 8, 25


class Consumer(SocketIOConsumer):
    members: ClassVar[list[NamespaceSocket]] = []

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.members.append(socket)
        return True


@pytest.fixture
async def client() -> SocketIOClient:
    Consumer.members = []
    client = await SocketIOClient(Consumer.as_asgi()).open()
    await client.connect()
    return client


class TestBroadcast:
    """`server.emit` may be awaited anywhere."""

    @pytest.mark.parametrize("bridge", [lambda send: asyncio.run(send()), lambda send: async_to_sync(send)()])
    async def test_broadcast_reaches_the_sockets(self, client: SocketIOClient, bridge: Callable[..., Any]) -> None:
        async def send() -> None:
            await get_socketio_server().emit("news", 1, b"\1", room=Consumer.members[0].id)

        thread = threading.Thread(target=bridge, args=[send])
        thread.start()
        await client.received('51-["news",1,{"_placeholder":true,"num":0}]', b"\1")
        await asyncio.to_thread(thread.join)

    async def test_sync_code_that_the_loop_waits_for_can_send(self, client: SocketIOClient) -> None:
        await asyncio.to_thread(async_to_sync(get_socketio_server().emit), "news")
        await client.received('2["news"]')

    async def test_many_threads_at_once_mix_nothing_up(self, client: SocketIOClient) -> None:
        """Each packet is followed by its own attachment."""

        async def emit(number: int) -> None:
            for _ in range(TIMES):
                await get_socketio_server().emit("n", b"%d" % number, number)

        with ThreadPoolExecutor(THREADS) as pool:
            runs = [pool.submit(asyncio.run, emit(number)) for number in range(THREADS)]
            for _ in range(THREADS * TIMES):
                header, attachment = await client.receive(), await client.receive()
                assert header == f'51-["n",{{"_placeholder":true,"num":0}},{int(attachment)}]'
            await asyncio.gather(*map(asyncio.wrap_future, runs))

    @pytest.mark.parametrize(
        ("event", "argument", "room", "error"),
        [("x", object(), None, EncodingError), ("connect", 1, None, ValueError), ("x", 1, 5, TypeError)],
    )
    async def test_error_is_raised_to_the_caller(
        self, client: SocketIOClient, event: str, argument: Any, room: Any, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            await elsewhere(get_socketio_server().emit(event, argument, room=[room] if room else None))

    async def test_excluded_rooms_are_heeded(self, client: SocketIOClient) -> None:
        await Consumer.members[0].join("quiet")
        await elsewhere(get_socketio_server().emit("x", except_="quiet"))
        await elsewhere(get_socketio_server().emit("x", room=[]))
        await elsewhere(get_socketio_server().emit("y", room={"quiet"}))
        await client.received('2["y"]')


class TestWithoutSockets:
    """In a process that serves no clients, every thread sends for itself."""

    class Sender(Adapter):
        """Keeps in which thread which adapter sent."""

        sent: ClassVar[list[tuple[int, Adapter]]] = []

        async def broadcast(self, *args: Any) -> None:
            self.sent.append((threading.get_ident(), self))
            await super().broadcast(*args)

    async def test_threads_share_nothing(self) -> None:
        self.Sender.sent = []
        server, barrier = SocketIOServer(adapter=self.Sender), threading.Barrier(2)

        async def emit() -> None:
            barrier.wait(TIMEOUT)
            await server.emit("x", b"\1")
            await server.emit("y", b"\1")
            barrier.wait(TIMEOUT)

        await asyncio.gather(elsewhere(emit()), elsewhere(emit()))
        adapters = {thread: {used for by, used in self.Sender.sent if by == thread} for thread, _ in self.Sender.sent}
        assert [len(used) for used in adapters.values()] == [1, 1]
        assert len(set.union(*adapters.values())) == 2

    async def test_error_is_raised(self) -> None:
        with pytest.raises(EncodingError):
            await SocketIOServer().emit("x", object())
        with pytest.raises(ValueError, match="reserved"):
            await SocketIOServer().emit("connect")


class TestSocket:
    """The methods of a socket belong to its loop, and say so."""

    @pytest.mark.parametrize(
        "use",
        [
            lambda socket: socket.emit("x"),
            lambda socket: socket.emit("x", callback=print),
            lambda socket: socket.send("x"),
            lambda socket: socket.call("x"),
            lambda socket: socket.join("room"),
            lambda socket: socket.leave(socket.id),
            lambda socket: socket.disconnect(),
            lambda socket: socket.disconnect(close=True),
        ],
    )
    async def test_method_raises_and_does_nothing(self, client: SocketIOClient, use: Callable[..., Any]) -> None:
        socket = Consumer.members[0]
        with pytest.raises(WrongEventLoop, match=r"not its own.*server\.emit"):
            await elsewhere(use(socket))
        assert (socket.connected, socket.rooms) == (True, {socket.id})
        await socket.emit("still here")
        await client.received('2["still here"]')
