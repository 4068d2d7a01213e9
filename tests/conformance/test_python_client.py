"""python-socketio's clients, over each transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import engineio
import pytest
import socketio

from .conftest import fixture
from .servers import HASTY, TIMEOUT, Server

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}


class Inbox:
    """What a client gets."""

    def __init__(self, client: socketio.AsyncClient, event: str, namespace: str = "/") -> None:
        self._events: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        client.on(event, self._put, namespace=namespace)

    async def _put(self, *args: Any) -> None:
        self._events.put_nowait(args)

    async def get(self) -> tuple[Any, ...]:
        return await asyncio.wait_for(self._events.get(), TIMEOUT)


@fixture
async def client() -> AsyncIterator[socketio.AsyncClient]:
    client = socketio.AsyncClient(reconnection=False)
    yield client
    await client.disconnect()


@pytest.mark.parametrize("transports", [["websocket", "polling"], ["polling", "websocket"], ["polling"]], ids="-".join)
async def test_client_of_the_documentation_chats(server: Server, transports: list[str]) -> None:
    """The snippet of the clients document, with the port of this server, and every choice of transports."""
    messages = []

    async def main() -> Any:
        client = socketio.AsyncClient()

        @client.on("chat_message", namespace="/chat")
        async def on_chat_message(payload: Any) -> None:
            messages.append(payload)

        await client.connect(
            server.url,
            socketio_path="socket.io",
            namespaces=["/chat"],
            transports=transports,
        )

        ack = await client.call(
            "chat_message",
            {"text": "Hello from Python"},
            namespace="/chat",
        )

        await client.disconnect()
        return ack

    assert await main() == {"status": "ok"}
    assert messages == [{"text": "Hello from Python"}]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_exchanges_events_and_binary_data(
    server: Server, client: socketio.AsyncClient, transport: str
) -> None:
    echoes, questions = Inbox(client, "echoed"), Inbox(client, "answered")
    client.on("question", lambda *args: ("answer", *args))
    await client.connect(server.url, transports=TRANSPORTS[transport])
    assert client.transport() == ("polling" if transport == "polling" else "websocket")
    await client.emit("echo", (1, "é😀", [None], {"a": b"\x00\xff"}, b""))
    assert await echoes.get() == (1, "é😀", [None], {"a": b"\x00\xff"}, b"")
    assert await client.call("echo_ack", (b"", 2)) == (b"", 2)
    await client.emit("ask", (b"\x01", "who"))
    assert await questions.get() == ("answer", b"\x01", "who")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_joins_namespaces_and_rooms(server: Server, client: socketio.AsyncClient, transport: str) -> None:
    custom = Inbox(client, "hello", "/custom")
    await client.connect(
        server.url, auth={"token": "secret"}, namespaces=["/", "/custom", "/members"], transports=TRANSPORTS[transport]
    )
    room = f"python {transport}"
    assert await client.call("join", room, namespace="/custom") == [room]
    assert await client.call("broadcast", ({"room": room, "namespace": "/custom"}, "hello", 1)) is True
    assert await custom.get() == (1,)
    assert await client.call("echo_ack", "member", namespace="/members") == "member"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_is_refused(server: Server, client: socketio.AsyncClient, transport: str) -> None:
    errors = Inbox(client, "connect_error", "/refused")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(server.url, namespaces=["/refused"], transports=TRANSPORTS[transport])
    assert await errors.get() == ({"message": "no entry", "data": {"code": 7}},)


@pytest.mark.parametrize(
    ("transport", "count"),
    # The client refuses more than 16 packets in the answer to a poll; the official server sends as many as there are.
    [("polling", engineio.payload.Payload.max_decode_packets), ("websocket", 500)],
)
async def test_client_gets_bursts_in_order(
    server: Server, client: socketio.AsyncClient, transport: str, count: int
) -> None:
    burst = Inbox(client, "burst")
    await client.connect(server.url, transports=TRANSPORTS[transport])
    await client.emit("burst", (count, 100))
    assert [(await burst.get())[0] for _ in range(count)] == list(range(count))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_learns_that_the_server_left(server: Server, client: socketio.AsyncClient, transport: str) -> None:
    reasons = Inbox(client, "disconnect")
    await client.connect(server.url, transports=TRANSPORTS[transport])
    socket_id = str(client.get_sid())
    await client.emit("bye")
    assert await reasons.get() == ("server disconnect",)
    assert await server.reason(socket_id) == "server namespace disconnect"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_server_learns_that_the_client_left(server: Server, client: socketio.AsyncClient, transport: str) -> None:
    await client.connect(server.url, transports=TRANSPORTS[transport])
    socket_id = str(client.get_sid())
    await client.disconnect()
    # On WebSocket, the client may close before it has sent that it disconnects from its namespace.
    assert await server.reason(socket_id) in ("client namespace disconnect", "transport close")


async def test_idle_clients_stay(hasty_server: Server) -> None:
    interval = HASTY["SIO_ENGINEIO_PING_INTERVAL_MS"] / 1000

    async def idle(transports: list[str]) -> Any:
        client = socketio.AsyncClient(reconnection=False)
        lost = Inbox(client, "disconnect")
        await client.connect(hasty_server.url, transports=transports)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lost.get(), 4 * interval)
        answer = await client.call("echo_ack", "alive")
        await client.disconnect()
        return answer

    assert await asyncio.gather(*map(idle, TRANSPORTS.values())) == ["alive"] * 3


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_synchronous_client_is_served(hasty_server: Server, transport: str) -> None:
    # In its `disconnect` it can wait for the next ping, which is far on the other servers.
    def talk() -> Any:
        client = socketio.SimpleClient()
        client.connect(hasty_server.url, transports=[transport])
        client.emit("echo", b"\x01")
        echo, ack = client.receive(TIMEOUT), client.call("echo_ack", 2)
        client.disconnect()
        return echo, ack

    assert await asyncio.to_thread(talk) == (["echoed", b"\x01"], 2)
