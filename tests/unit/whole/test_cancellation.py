"""An ASGI server may cancel a request at any await: whatever the request was about, nothing is left half done.

Each scenario is lived through again and again, with its request cancelled at the first, second, … suspension, until it
ends before that. Time is virtual, so that the timeouts which end a session cost nothing.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
from collections import Counter
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from sio import NamespaceSocket, SocketIOConsumer, as_asgi, get_socketio_server
from sio.exceptions import ErrorCode
from sio.socketio.server import reset_socketio_server
from tests import virtual_time
from tests.asgi import Poller, Request
from tests.client import SocketIOClient
from tests.sessions import sessions
from tests.unit.engineio.clients import leave

from .cancellation import Cancellation
from .cancelled_requests import SCENARIOS, Scenario, Visit

#: Longer than all timeouts of a session, one after the other, in seconds.
A_WHILE = 300


class Consumer(SocketIOConsumer):
    """Takes its time with everything, and notes which sockets it saw."""

    namespace = "/test"
    accepted: ClassVar[list[NamespaceSocket]]
    leaving: ClassVar[list[NamespaceSocket]]
    left: ClassVar[list[NamespaceSocket]]

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("room")
        await asyncio.sleep(0.01)
        # A client that left meanwhile was never there.
        if any(connection.session.is_open for connection in sessions if connection.scope is socket.scope):
            self.accepted.append(socket)
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        self.leaving.append(socket)
        await asyncio.sleep(0.01)
        self.left.append(socket)

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        await asyncio.sleep(0.01)
        return args

    async def event_bye(self, socket: NamespaceSocket) -> None:
        await socket.disconnect(close=True)


@pytest.mark.parametrize("late", [False, True], ids=["as it begins to wait", "as it was to go on"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_cancelled_request_leaves_nothing_half_done(name: str, late: bool, caplog: pytest.LogCaptureFixture) -> None:
    problems: list[dict[str, Any]] = []
    for at in itertools.count(1):
        cancellation = Cancellation(at, late=late)
        try:
            virtual_time.run(live(SCENARIOS[name], cancellation), problems)
        except BaseException as error:
            error.add_note(f"with the request cancelled at suspension {at}")
            raise
        if not cancellation.reached:
            break
    assert at > 1
    gc.collect()  # tasks whose exception nobody saw say so now
    assert problems == []
    assert [record for record in caplog.records if record.levelno > logging.WARNING] == []


@override_settings(SIO_MAX_QUEUED_EVENTS=5)
async def live(scenario: Scenario, cancellation: Cancellation) -> None:
    """Lives through a scenario, beside a client that is to notice nothing, and looks at what is left of it."""
    reset_socketio_server()
    Consumer.accepted, Consumer.leaving, Consumer.left = [], [], []
    app = as_asgi(Consumer)
    with override_settings(SIO_ENGINEIO_PING_INTERVAL_MS=10**9):
        bystander = await SocketIOClient(app).open()
    await bystander.connect("/test")
    visit = Visit(app, cancellation.server(app))
    await act(scenario, visit, cancellation)
    await is_served(bystander)
    if visit.poller is not None and await goes_on(visit.poller, visit.waiting):
        await can_upgrade(visit)
    await asyncio.sleep(A_WHILE)
    assert len(sessions) == 1
    await is_served(bystander)
    await leave(bystander)
    await asyncio.sleep(A_WHILE)
    assert_nothing_is_left()


async def act(scenario: Scenario, visit: Visit, cancellation: Cancellation) -> None:
    """Goes through a scenario, as far as that is possible with a request that is cancelled."""
    try:
        await scenario(visit)
    except (AssertionError, TimeoutError, asyncio.CancelledError):
        if not cancellation.happened:
            raise


async def is_served(client: SocketIOClient) -> None:
    client.emit("/test", "echo", "still here", ack_id=1)
    while (packet := await client.receive()) != '3/test,1["still here"]':
        assert packet == '2/test,["news"]'


async def goes_on(poller: Poller, waiting: Request | None) -> bool:
    """Whether the session does. If not, it is gone, and nothing between."""
    response = await poller.post('42/test,9["echo","again"]')
    while response.status == 200:
        if '43/test,9["again"]' in response.text:
            return True
        # A poll that still waits is the one that gets what comes.
        response = await (poller.get() if waiting is None or waiting.task.done() else waiting)
    assert response.json()["code"] in (ErrorCode.UNKNOWN_SID, ErrorCode.BAD_REQUEST), response
    return False


async def can_upgrade(visit: Visit) -> None:
    """A WebSocket that is gone is in nobody's way."""
    if visit.websocket is None or (visit.websocket.task is not None and visit.websocket.task.done()):
        await leave(await visit.probe(visit.app))


def assert_nothing_is_left() -> None:
    """No session, socket, room or task is left; and each accepted socket had its `disconnect`, once."""
    server = get_socketio_server()
    assert len(sessions) == 0
    assert len(server._shared.namespaces["/test"].sockets) == 0
    assert server.adapter._rooms == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert Counter(Consumer.leaving) == Counter(Consumer.left) == Counter(Consumer.accepted)
    assert set(Counter(Consumer.left).values()) == {1}
