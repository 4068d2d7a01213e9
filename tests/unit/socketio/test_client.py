"""`Client`: one session in all its namespaces. It parses what the client sends, and bounds what waits of it."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from sio import get_socketio_server
from sio.engineio import get_engineio_server
from tests.client import SocketIOClient

from .consumers import (
    Consumer,
    PlainConsumer,
    client_of,
    member,
    namespace_called,
    only_session,
    settled,
    wait_until,
    wait_until_paused,
)


class TestConnect:
    async def test_main_namespace_is_always_there(self, client: SocketIOClient) -> None:
        assert len(await client.connect("/")) == 21

    async def test_namespace_without_hooks_accepts(self, client: SocketIOClient) -> None:
        await client.connect("/other")

    async def test_several_namespaces_share_a_connection(self, client: SocketIOClient) -> None:
        assert len({await client.connect(namespace) for namespace in ("/", "/test", "/other")}) == 3

    async def test_unknown_namespace_is_refused_and_the_connection_stays(self, client: SocketIOClient) -> None:
        client.send("0", "/nope?x=1")
        await client.received('4/nope?x=1,{"message":"Invalid namespace"}')
        await client.connect("/test")

    async def test_namespace_of_another_application_is_unknown(self, app: Any) -> None:
        client = await SocketIOClient(PlainConsumer.as_asgi()).open()
        client.send("0", "/test")
        await client.received('4/test,{"message":"Invalid namespace"}')

    @override_settings(SIO_CONNECT_TIMEOUT_MS=20)
    async def test_client_that_joins_nothing_is_closed(self, app: Any) -> None:
        client = await SocketIOClient(app).open()
        client.send("0", "/nope")
        await client.receive()
        await client.websocket.closed()

    @override_settings(SIO_CONNECT_TIMEOUT_MS=3_000)
    async def test_client_that_joined_stays(self, app: Any) -> None:
        client = await member(app)
        await asyncio.sleep(3.5)
        client.emit("/test", "one", "still here", ack_id=1)
        await client.received('3/test,1["still here"]')


class TestAuth:
    """A socket keeps its `auth`, so that it is bounded."""

    @pytest.mark.parametrize("letter", ["x", "é"])
    async def test_auth_of_as_many_bytes_as_allowed_is_taken(self, app: Any, letter: str) -> None:
        with override_settings(SIO_MAX_AUTH_BYTES=100):
            client = await member(app)
            text = json.dumps({"a": ""}, separators=(",", ":"))
            auth = letter * ((100 - len(text)) // len(letter.encode()))
            client.websocket.send(f'40/second,{{"a":"{auth}"}}')
            assert (await client.receive()).startswith('0/second,{"sid":')
            assert Consumer.members[-1].auth == {"a": auth}

    @pytest.mark.parametrize("letter", ["x", "é"])
    async def test_auth_of_more_is_refused_and_not_kept(self, app: Any, letter: str) -> None:
        with override_settings(SIO_MAX_AUTH_BYTES=100):
            client = await member(app)
            for _ in range(3):
                client.websocket.send('40/second,{"a":"' + letter * (93 // len(letter.encode()) + 1) + '"}')
                await client.received('4/second,{"message":"auth is larger than 100 bytes (SIO_MAX_AUTH_BYTES)"}')
            assert len(Consumer.members) == 1
            await client.connect("/second", {"a": "x"})

    async def test_default_is_16_kb(self, app: Any) -> None:
        client = await member(app)
        client.send("0", "/second", {"token": "x" * 16_384})
        assert "SIO_MAX_AUTH_BYTES" in await client.receive()
        await client.connect("/second", {"token": "x" * 16_000})


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
    async def test_packet_closes_the_connection(self, joined: SocketIOClient, packet: str | bytes) -> None:
        joined.websocket.send(packet)
        await joined.websocket.closed()
        await wait_until(lambda: Consumer.log)
        assert Consumer.log[0][0] in ("forced close", "forced server close")
        assert len(Consumer.log) == 1

    @pytest.mark.parametrize("packet", ['42/test,["x"]', "41/test,", "40/test,"])
    async def test_socket_does_not_exist_before_it_is_accepted(self, client: SocketIOClient, packet: str) -> None:
        client.send("0", "/test", {"wait": True})
        await wait_until(lambda: Consumer.members)
        client.websocket.send(packet)
        await client.websocket.closed()


class TestAttachments:
    """A packet waits for its attachments, and for each of them only so long."""

    HEADER = ("52-", "/test", ["echo", {"_placeholder": True, "num": 0}, {"_placeholder": True, "num": 1}], 1)

    @override_settings(SIO_ATTACHMENTS_TIMEOUT_MS=20)
    async def test_packet_without_them_ends_the_connection(self, app: Any) -> None:
        client = await member(app)
        client.send(*self.HEADER)
        client.websocket.send(b"one")
        await client.websocket.closed()
        assert Consumer.log == [("forced close", 1)]

    @override_settings(SIO_ATTACHMENTS_TIMEOUT_MS=3_000)
    async def test_time_starts_anew_with_each(self, app: Any) -> None:
        client = await member(app)
        client.send(*self.HEADER)
        for attachment in (b"one", b"two"):
            await asyncio.sleep(2)
            client.websocket.send(attachment)
        assert (await client.receive()).startswith("62-/test,1[")
        await client.received(b"one", b"two")
        await asyncio.sleep(3.5)
        client.emit("/test", "one", "still here", ack_id=2)
        await client.received('3/test,2["still here"]')

    @override_settings(SIO_ATTACHMENTS_TIMEOUT_MS=10_000)
    async def test_attachments_that_wait_to_be_read_are_not_missing(self, app: Any) -> None:
        client = await member(app)
        client.send(*self.HEADER)
        await settled()
        only_session().pause_reading()
        for attachment in (b"one", b"two"):
            client.websocket.send(attachment)
        await asyncio.sleep(15)
        only_session().resume_reading()
        assert (await client.receive()).startswith("62-/test,1[")

    @override_settings(SIO_MAX_ATTACHMENTS_BYTES=5)
    async def test_too_many_bytes_of_them_end_the_connection(self, app: Any) -> None:
        client = await member(app)
        client.send(*self.HEADER)
        client.websocket.send(b"three")
        client.websocket.send(b"four")
        await client.websocket.closed()
        assert Consumer.log == [("forced close", 1)]


async def all_is_released() -> None:
    """Waits until nothing is held of what the client sent."""
    backlog = client_of(Consumer.members[0]).backlog
    await wait_until(lambda: (backlog.total, backlog.waiting, backlog.is_full) == (0, 0, False))


class TestBytesThatWait:
    """The server stops reading from a client while it holds too many bytes of it."""

    NUMBERS: ClassVar[list[int]] = list(range(12))

    @pytest.mark.parametrize("setting", ["SIO_MAX_QUEUED_BYTES", "SIO_MAX_SESSION_BYTES"])
    @pytest.mark.parametrize("namespaces", [("/test",), ("/test", "/second")])
    async def test_many_bytes_pause_reading_and_are_not_lost(
        self, app: Any, setting: str, namespaces: tuple[str, ...]
    ) -> None:
        with override_settings(**{setting: 3_000}):
            client = await member(app, *namespaces)
            for number in self.NUMBERS:
                client.emit(namespaces[number % len(namespaces)], "take", number, "x" * 990)
            await wait_until_paused()
            await settled()
            assert 3_000 <= client_of(Consumer.members[0]).backlog.total < 3_000 * len(namespaces) + 2_000
            Consumer.gate.set()
            await wait_until(lambda: len(Consumer.log) == len(self.NUMBERS))
            assert [number for number in Consumer.log if number % 2] == self.NUMBERS[1::2]
            await all_is_released()

    @override_settings(SIO_MAX_QUEUED_BYTES=3_000)
    async def test_attachments_count(self, app: Any) -> None:
        client = await member(app)
        for number in self.NUMBERS:
            client.send("51-", "/test", ["take", number, {"_placeholder": True, "num": 0}])
            client.websocket.send(b"x" * 990)
        await wait_until_paused()
        Consumer.gate.set()
        await wait_until(lambda: Consumer.log == self.NUMBERS)

    @override_settings(SIO_MAX_QUEUED_BYTES=40_000)
    async def test_containers_count(self, app: Any) -> None:
        """1,500 bytes on the wire are a hundred thousand in memory."""
        client = await member(app)
        for number in range(3):
            client.emit("/test", "take", number, [{}] * 500)
        await wait_until_paused()
        Consumer.gate.set()
        await wait_until(lambda: Consumer.log == [0, 1, 2])

    @override_settings(SIO_MAX_SESSION_BYTES=3_000)
    async def test_client_that_floods_instead_of_answering_is_cut(
        self, app: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = await member(app)
        backlog = client_of(Consumer.members[0]).backlog
        client.emit("/test", "call")
        await client.received('2/test,0["question"]')
        for number in self.NUMBERS:
            client.emit("/test", "take", number, "x" * 990)
        assert await client.websocket.closed() == 1000
        assert caplog.text.count("more than twice SIO_MAX_SESSION_BYTES") == 1
        await wait_until(lambda: (backlog.total, backlog.waiting, backlog.is_full) == (0, 0, False))

    @pytest.mark.parametrize("setting", ["SIO_MAX_QUEUED_BYTES", "SIO_MAX_SESSION_BYTES"])
    @pytest.mark.parametrize("event", ["call", "call_by_hand"])
    async def test_event_that_is_larger_than_the_bound_is_handled(self, app: Any, setting: str, event: str) -> None:
        """Its handler gets the answer that it waits for: an event that is alone pauses nothing."""
        with override_settings(**{setting: 1_000}):
            client = await member(app)
            client.emit("/test", event, "x" * 5_000, ack_id=7)
            await client.received('2/test,0["question"]')
            client.send("3", "/test", ["answer"], 0)
            await client.received('3/test,7["answer"]')
            await all_is_released()

    @override_settings(SIO_MAX_SESSION_BYTES=3_000)
    async def test_answers_count_while_their_callbacks_run(self, app: Any) -> None:
        client = await member(app)
        (socket,) = Consumer.members

        async def callback(number: int, text: str) -> None:
            await Consumer.gate.wait()
            Consumer.log.append(number)

        for number in self.NUMBERS:
            await socket.emit("question", callback=callback)
            client.send("3", "/test", [number, "x" * 990], number)
        await wait_until_paused()
        Consumer.gate.set()
        await wait_until(lambda: sorted(Consumer.log) == self.NUMBERS)
        await all_is_released()

    @override_settings(SIO_MAX_SESSION_BYTES=3_000)
    async def test_bytes_are_forgotten_with_their_socket(self, app: Any) -> None:
        client = await member(app, "/test", "/second")
        for number in range(3):
            client.emit("/test", "take", number, "x" * 990)
        await wait_until_paused()
        await Consumer.members[0].disconnect()
        client.emit("/second", "join", ack_id=3)
        await client.received("1/test,", "3/second,3[1]")


class TestDisconnect:
    async def test_client_drops_the_connection(self, joined: SocketIOClient) -> None:
        joined.leave()
        await wait_until(lambda: Consumer.log)
        assert Consumer.log == [("transport close", 1)]

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
        await wait_until(lambda: len(Consumer.members) == 2)
        (socket,) = namespace_called("/other").sockets.values()
        await socket.disconnect(close=True)
        await joined.received("1/other,")
        await joined.websocket.closed()

    async def test_application_of_the_session_disconnects_all_namespaces(self, joined: SocketIOClient) -> None:
        """This is how a user who logs out is sent away."""
        await joined.connect("/other")
        get_engineio_server().app.on_revoked(only_session())
        await joined.received("1/test,", "1/other,")
        await joined.websocket.closed()
        assert Consumer.log == [("server namespace disconnect", 1)]

    async def test_timers_end_with_the_client(self, app: Any) -> None:
        """They would keep it, and all that it sent, until they run out."""
        unjoined = await SocketIOClient(app).open()
        client = await member(app)
        client.send("52-", "/test", ["echo", {"_placeholder": True, "num": 0}])
        await settled()
        kept = [weakref.ref(known) for known in get_socketio_server()._clients.values()]
        assert len(kept) == 2
        for left in (unjoined, client):
            left.leave()
            await left.websocket.finished()
        await wait_until(lambda: Consumer.log)
        Consumer.members.clear()
        gc.collect()
        assert [reference() for reference in kept] == [None, None]
