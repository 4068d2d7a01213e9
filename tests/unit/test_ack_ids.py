"""Ids of acknowledgements stay within 32 bits, with the sign: the clients in Java, C++ and C# read no more."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any, ClassVar

from sio import NamespaceSocket, SocketIOConsumer, get_asgi_application, get_socketio_server
from sio.socketio.namespace import count_ack_ids
from tests.client import SocketIOClient

LARGEST = 2**31 - 1


class Consumer(SocketIOConsumer):
    namespace = "/test"
    sockets: ClassVar[list[NamespaceSocket]] = []

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        self.sockets.append(socket)
        return True


def test_count_comes_round() -> None:
    assert list(islice(count_ack_ids(), 3)) == [0, 1, 2]
    assert list(islice(count_ack_ids(LARGEST - 1), 4)) == [LARGEST - 1, LARGEST, 0, 1]


async def test_id_that_is_waited_for_is_not_given_again() -> None:
    client = await SocketIOClient(get_asgi_application(Consumer)).open()
    await client.connect("/test")
    socket = Consumer.sockets.pop()
    calls = [asyncio.ensure_future(socket.call("old"))]
    await client.received('2/test,0["old"]')
    get_socketio_server().namespaces["/test"].ack_ids = count_ack_ids(LARGEST)
    calls += [asyncio.ensure_future(socket.call(event)) for event in ("last", "first")]
    await client.received(f'2/test,{LARGEST}["last"]', '2/test,1["first"]')
    for ack_id in (1, LARGEST, 0):
        client.send("3", "/test", [ack_id], ack_id)
    assert await asyncio.gather(*calls) == [0, LARGEST, 1]
