"""A Redis that hangs, that is flushed, or that has messages which nobody can read: no client is kept waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import msgpack
import pytest
import redis.asyncio as aioredis

from tests.conftest import free_port
from tests.pace import PACE

from .servers import Server
from .test_cluster import (
    LAYERS,
    Cluster,
    Redis,
    broadcast,
    clients_of,
    echoed,
    everybody_heard,
    keep_asking,
    redis_on,
    settings,
    works_again,
)

#: What nobody waits for with Redis hanging, in seconds: the deadline is 1 s, and up to 3 s on a machine that is busy.
#: redis-py itself gives up after 5 s, or never.
NOBODY_WAITS = 4.5 * PACE


@contextlib.asynccontextmanager
async def cluster_of(hosts: Sequence[Redis], layer: str, socket_timeout: float | None) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        options = settings(layer, "")
        config = options["CHANNEL_LAYERS"]["default"]["CONFIG"]
        config["hosts"] = [{"address": host.url, "socket_timeout": socket_timeout} for host in hosts]
        servers = [Server(kind, options) for kind in ("daphne", "uvicorn")]
        for server in servers:
            stack.push_async_callback(server.stop)
        await asyncio.gather(*(server.serve() for server in servers))
        yield await stack.enter_async_context(clients_of(*servers))
        for server in servers:
            server.forgive("channels_redis", "Traceback")  # it logs its own errors
            assert not server.take_troubles(), "\n".join(server.lines)


async def with_clusters(
    perform: Callable[[Cluster, list[Redis]], Awaitable[None]],
    layers: Sequence[str] = tuple(LAYERS),
    timeouts: Sequence[float | None] = (None,),
    hosts: int = 1,
) -> None:
    """Performs a test on clusters with a Redis of their own, side by side, since they mostly wait."""

    async def with_cluster(layer: str, socket_timeout: float | None) -> None:
        async with AsyncExitStack() as stack:
            redis = [await stack.enter_async_context(redis_on(free_port())) for _ in range(hosts)]
            await perform(await stack.enter_async_context(cluster_of(redis, layer, socket_timeout)), redis)

    cases = [(layer, timeout) for layer in layers for timeout in timeouts]
    results = await asyncio.gather(*(with_cluster(*case) for case in cases), return_exceptions=True)
    for case, error in zip(cases, results, strict=True):
        if error is not None:
            error.add_note(f"with the layer and socket_timeout {case}")
            raise error


def told(cluster: Cluster) -> list[list[str]]:
    """What each server logged of the state of its channel layer. It may also log which broadcasts it lost meanwhile."""
    states = re.compile(r"WARNING sio.channel_layer: The channel layer (failed|works again|lost a message)")
    servers = (cluster.first.server, cluster.second.server)
    return [[match[1] for match in map(states.match, server.lines) if match] for server in servers]


async def says(cluster: Cluster, text: str) -> None:
    """Waits until both servers log it."""
    for wire in (cluster.first, cluster.second):
        await wire.server.line(lambda line: text in line)


async def test_redis_that_hangs_holds_nobody_up() -> None:
    async def hang(cluster: Cluster, hosts: list[Redis]) -> None:
        members = await cluster.members("room")
        (redis,) = hosts
        redis.send_signal(signal.SIGSTOP)
        try:
            for speaker in (members[0], members[3]) * 2:
                started = time.monotonic()
                await broadcast(speaker, "alone", room="room", except_=speaker.id)
                await echoed(speaker)
                assert time.monotonic() - started < NOBODY_WAITS
            assert [await member.event() for member in members[1:3]] == [["alone"]] * 2
            await says(cluster, "The channel layer failed")
            for wire, transport in ((cluster.first, "polling"), (cluster.second, "websocket")):
                newcomer = await wire.member(transport)
                assert await newcomer.call("join", "joined meanwhile") == [["joined meanwhile"]]
                members.append(newcomer)
            assert told(cluster) == [["failed"]] * 2
        finally:
            redis.send_signal(signal.SIGCONT)
        await works_again(cluster)
        # What was on its way when Redis hung arrives now, and no answer of Redis is taken for another one.
        await keep_asking(members[0], members[2])
        await keep_asking(members[3], members[1])
        await broadcast(members[0], "hello", 1, room="joined meanwhile")
        await broadcast(members[3], "hello", 2, room=["joined meanwhile", "none"])
        for newcomer in members[4:]:
            assert sorted([await newcomer.event(), await newcomer.event()]) == [["hello", 1], ["hello", 2]]
        assert told(cluster) == [["failed", "works again"]] * 2

    await with_clusters(hang, timeouts=(None, 5))


async def test_idle_process_notices_that_redis_hangs() -> None:
    async def hang(cluster: Cluster, hosts: list[Redis]) -> None:
        await cluster.members("room")
        (redis,) = hosts
        redis.send_signal(signal.SIGSTOP)
        try:
            await says(cluster, "The channel layer failed")
        finally:
            redis.send_signal(signal.SIGCONT)
        await works_again(cluster)

    await with_clusters(hang)


@pytest.mark.parametrize("hosts", [1, 2])
async def test_layer_that_was_flushed_is_noticed_and_healed(hosts: int) -> None:
    """The memberships are gone, and the layer raises nothing. Of several hosts, each may lose its own."""

    async def flush(cluster: Cluster, hosts: list[Redis]) -> None:
        members = await cluster.members("room")
        for number, redis in enumerate(hosts):
            async with aioredis.from_url(redis.url) as client:
                await client.flushall()
            await says_times(cluster, "The channel layer lost a message", number + 1)
            await says_times(cluster, "The channel layer works again", number + 1)
            await keep_asking(members[0], members[2])
            await keep_asking(members[3], members[1])
        assert told(cluster) == [["lost a message", "works again"] * len(hosts)] * 2

    await with_clusters(flush, layers=["core"], hosts=hosts)


async def says_times(cluster: Cluster, text: str, times: int) -> None:
    for wire in (cluster.first, cluster.second):
        lines = wire.server.lines
        await wire.server.line(lambda line, lines=lines: sum(text in one for one in lines) >= times)


async def test_flushed_pubsub_layer_loses_nothing() -> None:
    async def flush(cluster: Cluster, hosts: list[Redis]) -> None:
        members = await cluster.members("room")
        async with aioredis.from_url(hosts[0].url) as client:
            await client.flushall()
        for speaker in (members[0], members[3]):
            await broadcast(speaker, "hello", 1, room="room")
            await broadcast(speaker, "end", room="room")
            assert await everybody_heard(members) == [[1]] * 4
        assert told(cluster) == [[], []]

    await with_clusters(flush, layers=["pubsub"])


#: Messages that no process of ours has sent, as the serializer of the layers takes them.
POISON = {
    "no MessagePack": b"\xc1",
    "nothing": b"",
    "half a message": msgpack.packb({"type": "sio.broadcast"})[:5],
    "a key that is no string": msgpack.packb({1: 2}),
    "a number": msgpack.packb(5),
    "null": msgpack.packb(None),
    "text": msgpack.packb("__asgi_channel__"),
    "a list": msgpack.packb([1]),
    "a name that is no UTF-8": b"\x81\xa1\xff\x01",
    "a channel that is none": msgpack.packb({"__asgi_channel__": {}}),
    "channels that are none": msgpack.packb({"__asgi_channel__": [{}]}),
    "a broadcast of nobody": msgpack.packb({"type": "sio.broadcast"}),
    "a probe of nobody": msgpack.packb({"type": "sio.probe", "number": [], "group": {}}),
}


async def poison(redis: Redis, layer: str, content: bytes) -> None:
    """Puts a message into what each process reads."""
    async with aioredis.from_url(redis.url) as client:
        if layer == "pubsub":
            for channel in await client.pubsub_channels("pubsub__group__*"):
                await client.publish(channel, content)
        else:
            channels = {
                member for key in await client.keys("core:group:*") for member in await client.zrange(key, 0, -1)
            }
            for channel in channels:
                queue = b"core" + channel.partition(b"!")[0] + b"!"
                await client.zadd(queue, {time.time_ns().to_bytes(12, "big") + content: time.time()})


@pytest.mark.parametrize("layer", LAYERS)
async def test_message_that_cannot_be_read_is_dropped(layer: str) -> None:
    async def read(cluster: Cluster, hosts: list[Redis]) -> None:
        members = await cluster.members("room")
        for content in [*POISON.values()] * 5:
            await poison(hosts[0], layer, content)
        for speaker in (members[0], members[3]):
            await broadcast(speaker, "hello", 1, room="room")
            await broadcast(speaker, "end", room="room")
            assert await everybody_heard(members) == [[1]] * 4
        assert told(cluster) == [[], []]
        for wire in (cluster.first, cluster.second):
            dropped = [line for line in wire.server.lines if "Dropped a message of the channel layer" in line]
            assert 1 <= len(dropped) <= 5, dropped

    await with_clusters(read, layers=[layer])
