"""`Shared`: what all connections of a server share, and those of another server do not."""

from __future__ import annotations

from typing import Any

import pytest

from sio import SocketIOServer, as_asgi

from .consumers import Consumer, SecondConsumer, member


async def raise_in_handler(app: Any, namespace: str) -> None:
    client = await member(app, namespace)
    client.emit(namespace, "raise")
    client.emit(namespace, "one", "next", ack_id=1)
    await client.received(f'3{namespace},1["next"]')


async def test_error_of_many_clients_is_logged_once(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        await raise_in_handler(app, "/test")
    assert caplog.text.count("Consumer.event_raise raised") == 1


async def test_each_consumer_has_a_line_of_its_own(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    for namespace in ("/test", "/second") * 2:
        await raise_in_handler(app, namespace)
    assert caplog.text.count(".Consumer.event_raise raised") == 1
    assert caplog.text.count(".SecondConsumer.event_raise raised") == 1


async def test_each_server_logs_for_itself(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = SocketIOServer()
    for application in (app, as_asgi(Consumer, SecondConsumer, server=server)) * 2:
        await raise_in_handler(application, "/test")
    assert caplog.text.count("Consumer.event_raise raised") == 2
