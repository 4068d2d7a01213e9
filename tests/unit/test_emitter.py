"""`sio.emitter`: emits from code that is not async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, transaction

import sio
from sio import EncodingError, NamespaceSocket, SocketIOConsumer, emitter
from sio.socketio.server import reset_socketio_server
from tests.client import SocketIOClient
from tests.pace import TIMEOUT

pytestmark = pytest.mark.real_time


class Chat(SocketIOConsumer):
    namespace = "/chat"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("red")
        return True

    async def event_save(self, socket: NamespaceSocket) -> None:
        await asyncio.to_thread(emitter.of(Chat).emit, "saved")


@pytest.fixture
async def client() -> SocketIOClient:
    client = await SocketIOClient(Chat.as_asgi()).open()
    await client.connect("/chat")
    return client


@pytest.mark.parametrize(
    "emit",
    [
        lambda: emitter.of(Chat).emit("news", 1),
        lambda: emitter.of("/chat").to("red").emit("news", 1),
        lambda: emitter.of("/chat").to("blue", "red").local.emit("news", 1),
        lambda: emitter.of("/chat").except_("blue").volatile.emit("news", 1),
        lambda: emitter.of("/chat").except_user(5).emit("news", 1),
        lambda: sio.emit("news", 1, room="red", namespace="/chat"),
        lambda: sio.emit("news", 1, namespace=Chat, except_="blue"),
        lambda: asyncio.run(sio.aemit("news", 1, namespace="/chat")),
    ],
)
async def test_thread_reaches_the_sockets_of_its_process(client: SocketIOClient, emit: Callable[[], None]) -> None:
    await asyncio.to_thread(emit)
    assert await client.receive() == '2/chat,["news",1]'


@pytest.mark.parametrize(
    "emit",
    [
        lambda: emitter.of("/chat").to("blue").emit("news"),
        lambda: emitter.of("/chat").to_user(5).emit("news"),
        lambda: emitter.of("/chat").except_("red").emit("news"),
        lambda: sio.emit("news", namespace="/chat", except_=["red", "blue"]),
    ],
)
async def test_others_hear_nothing(client: SocketIOClient, emit: Callable[[], None]) -> None:
    await asyncio.to_thread(emit)
    await asyncio.to_thread(emitter.of("/chat").send, "end")
    assert await client.receive() == '2/chat,["message","end"]'


async def test_handler_may_emit_from_a_thread(client: SocketIOClient) -> None:
    client.emit("/chat", "save")
    assert await client.receive() == '2/chat,["saved"]'


async def test_order_is_that_of_the_calls(client: SocketIOClient) -> None:
    def emit_all() -> None:
        for number in range(100):
            emitter.of("/chat").emit("n", number)

    await asyncio.to_thread(emit_all)
    assert [await client.receive() for _ in range(100)] == [f'2/chat,["n",{number}]' for number in range(100)]


async def test_aemit_is_awaited(client: SocketIOClient) -> None:
    await sio.aemit("news", 1, room="red", namespace="/chat")
    assert await client.receive() == '2/chat,["news",1]'


@pytest.mark.parametrize(
    "emit", [lambda: sio.emit("x"), lambda: emitter.of(Chat).emit("x"), lambda: emitter.to("red").send()]
)
async def test_running_loop_is_not_held_up(emit: Callable[[], None]) -> None:
    with pytest.raises(SynchronousOnlyOperation, match=r"await sio\.aemit"):
        emit()


@pytest.mark.parametrize(
    ("emit", "error"),
    [
        (lambda: sio.emit("x", object()), EncodingError),
        (lambda: sio.emit("connect"), ValueError),
        (lambda: sio.emit("x", room=5), TypeError),
        (lambda: emitter.to_user(None), ValueError),
    ],
)
def test_mistakes_are_raised_to_the_caller(emit: Callable[[], None], error: type[Exception]) -> None:
    with pytest.raises(error):
        emit()


ALIAS = "of_emitter"


@pytest.fixture
def database() -> Iterator[None]:
    """A database, of which each thread has one of its own, in memory."""
    settings = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    connections.settings[ALIAS] = connections.configure_settings(settings)["default"]
    yield
    del connections.settings[ALIAS]


def in_transaction(statements: Callable[[], Any]) -> None:
    """Runs statements in a transaction, and leaves no connection in their thread."""
    try:
        with transaction.atomic(ALIAS):
            statements()
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]


@pytest.mark.usefixtures("database")
class TestOnCommit:
    """An event of a transaction is sent when that is committed."""

    async def test_event_waits_for_the_commit(self, client: SocketIOClient) -> None:
        def save() -> None:
            emitter.of(Chat).on_commit(ALIAS).emit("saved", 7)
            emitter.of(Chat).emit("before")

        await asyncio.to_thread(in_transaction, save)
        assert await client.receive() == '2/chat,["before"]'
        assert await client.receive() == '2/chat,["saved",7]'

    async def test_event_of_a_transaction_that_is_rolled_back_is_not_sent(self, client: SocketIOClient) -> None:
        def fail() -> None:
            emitter.of(Chat).on_commit(ALIAS).emit("saved", 7)
            raise LookupError

        with pytest.raises(LookupError):
            await asyncio.to_thread(in_transaction, fail)
        await asyncio.to_thread(emitter.of(Chat).emit, "after")
        assert await client.receive() == '2/chat,["after"]'

    async def test_event_is_encoded_at_once(self, client: SocketIOClient) -> None:
        def save() -> None:
            value = [1]
            emitter.of(Chat).to("red").on_commit(ALIAS).send(value)
            value.append(2)

        await asyncio.to_thread(in_transaction, save)
        assert await client.receive() == '2/chat,["message",[1]]'

    def test_what_cannot_be_encoded_is_an_error_at_once(self) -> None:
        with pytest.raises(EncodingError):
            in_transaction(lambda: emitter.of("/").on_commit(ALIAS).emit("x", object()))


def test_emitters_for_the_same_sockets_are_equal() -> None:
    assert emitter.of(Chat).to("red") == emitter.of("/chat").to("red")
    assert emitter.of(Chat).on_commit() != emitter.of(Chat)
    assert len({emitter.to("red"), emitter.of("/").to("red"), emitter.to_user(5)}) == 2


async def test_thread_ends_with_its_server(client: SocketIOClient) -> None:
    def emitters() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "sio-emitter"}

    before = emitters()
    await asyncio.to_thread(emitter.of(Chat).emit, "news")
    (thread,) = emitters() - before
    reset_socketio_server()
    await asyncio.to_thread(thread.join, TIMEOUT)
    assert not thread.is_alive()
