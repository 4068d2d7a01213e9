"""Two processes and a channel layer in Redis: rooms and broadcasts reach everybody once, and survive what may fail."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis.asyncio as aioredis

from tests.conftest import free_port

from .conftest import Bystanders, fixture, unharmed
from .project.users import cookie_of
from .scenarios.agents import Agents
from .scenarios.client import Client
from .scenarios.stage import TRANSPORTS
from .servers import Farm, Process, Server, running
from .wire import Session, Wire

LAYERS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}

ROOM_NAMES = [
    "",
    " ",
    "a b",
    "a_b",
    "a/b",
    "😀",
    "é",
    "ü",
    "日本",
    "中国",
    "x" * 10_000,
    "x" * 10_001,
    "a\x00b",
    "\ud800",
]


Options = dict[str, Any]

#: The rooms of a client of each transport on the first server, and on the second one.
MEMBERSHIPS = [["red", "blue"], ["red"], ["red", "blue"], ["green"]]

#: What is broadcast to, and which of these clients hear it. Their numbers stand for their ids.
BROADCASTS: dict[str, tuple[Options, set[int]]] = {
    "everybody": ({}, {0, 1, 2, 3}),
    "everybody but a room": ({"except_": "red"}, {3}),
    "everybody but rooms": ({"except_": ["blue", "green", "nobody's"]}, {1}),
    "everybody but a client of each server": ({"except_": [0, 3]}, {1, 2}),
    "a room of both servers": ({"room": "red"}, {0, 1, 2}),
    "a room of one server": ({"room": "green"}, {3}),
    "a room but another": ({"room": "red", "except_": "blue"}, {1}),
    "a room but itself": ({"room": "red", "except_": "red"}, set()),
    "a room but a client": ({"room": "red", "except_": 2}, {0, 1}),
    "rooms with members in common": ({"room": ["red", "blue", "green"]}, {0, 1, 2, 3}),
    "rooms but a client": ({"room": ["blue", "green"], "except_": 2}, {0, 3}),
    "a client of the first server": ({"room": 0}, {0}),
    "a client of the second server": ({"room": 2}, {2}),
    "clients, one of them twice": ({"room": [1, 3, 3]}, {1, 3}),
    "a room with nobody in it": ({"room": "nobody's"}, set()),
    "no rooms": ({"room": []}, set()),
}

#: Whose these clients are, if anybody's.
USERS = [5, 6, 5, None]

#: The modifiers of an operator of the server, and which of the clients it is for.
OPERATORS: dict[str, tuple[list[Any], set[int]]] = {
    "rooms but another": ([["to", "red", "green"], ["except_", "blue"]], {1, 3}),
    "rooms, one after the other": ([["to", "blue"], ["to", "green"]], {0, 2, 3}),
    "a user by a number": ([["to_user", 5]], {0, 2}),
    "a user by a string": ([["to_user", "6"]], {1}),
    "users": ([["to_user", 5, 6]], {0, 1, 2}),
    "a user, and a room": ([["to_user", 6], ["to", "green"]], {1, 3}),
    "a user, but a room": ([["to_user", 6, 5], ["except_", "blue"]], {1}),
    "everybody but a user": ([["except_user", 5]], {1, 3}),
    "a room but a user": ([["to", "red"], ["except_user", 5]], {1}),
    "a user of whom nobody is there": ([["to_user", 7]], set()),
}

#: More than the 5 s after which redis-py gives up a read.
IDLE_TIME = 6.0


def settings(layer: str, redis_url: str, prefix: str = "") -> dict[str, Any]:
    # Beyond the capacity, which is 100 by default, the `core` layer drops messages.
    config = {"hosts": [redis_url], "prefix": prefix or layer, "capacity": 1_000}
    return {"CHANNEL_LAYERS": {"default": {"BACKEND": LAYERS[layer], "CONFIG": config}}}


def with_ids(options: Options, members: Sequence[Session]) -> Options:
    """The options with ids in place of numbers."""

    def resolve(room: Any) -> Any:
        return [resolve(one) for one in room] if isinstance(room, list) else ids.get(room, room)

    ids = {number: member.id for number, member in enumerate(members)}
    return {name: resolve(room) for name, room in options.items()}


class Cluster:
    """Two servers, and their clients."""

    def __init__(self, first: Wire, second: Wire) -> None:
        self.first, self.second = first, second

    async def members(self, *rooms: str, namespace: str = "/") -> list[Session]:
        """Clients on both servers, on both transports, in the rooms."""
        places = [(wire, transport) for wire in (self.first, self.second) for transport in ("websocket", "polling")]
        members: list[Session] = [
            await wire.member(transport, namespace, {"token": "secret"}) for wire, transport in places
        ]
        for member in members:
            await member.call("join", *rooms, namespace=namespace)
        return members


@contextlib.asynccontextmanager
async def clients_of(first: Server, second: Server) -> AsyncIterator[Cluster]:
    async with Wire(first) as first_wire, Wire(second) as second_wire:
        yield Cluster(first_wire, second_wire)


@fixture(params=LAYERS)
async def cluster(
    request: pytest.FixtureRequest, farm: Farm, bystanders: Bystanders, redis_url: str
) -> AsyncIterator[Cluster]:
    first, second = await both_servers(farm, settings(request.param, redis_url))
    async with (
        unharmed(first, bystanders, request.node),
        unharmed(second, bystanders, request.node),
        clients_of(first, second) as cluster,
    ):
        yield cluster


@fixture(scope="module")
async def idle(farm: Farm, redis_url: str) -> AsyncIterator[asyncio.Task[tuple[Cluster, list[Session]]]]:
    """A cluster of which nobody wants anything, once it was left alone for long enough."""
    options = settings("core", redis_url, prefix="idle")
    async with clients_of(*await both_servers(farm, options)) as cluster:
        members = await cluster.members("idle")
        yield asyncio.create_task(asyncio.sleep(IDLE_TIME, (cluster, members)))


async def both_servers(farm: Farm, settings: dict[str, Any]) -> list[Server]:
    return await asyncio.gather(farm.get("daphne", settings), farm.get("uvicorn", settings))


async def broadcast(session: Session, event: str, *args: Any, **options: Any) -> None:
    """Has the server emit an event to others, with the options of `SocketIOServer.emit`."""
    await session.emit("broadcast", options, event, *args)


async def heard(session: Session) -> list[Any]:
    """Returns the arguments of the events that a client gets up to the one named `end`."""
    arguments: list[Any] = []
    while (event := await session.event())[0] != "end":
        if event[0] != "back":  # of those, any number may still be on their way
            arguments.append(event[1])
    return arguments


async def everybody_heard(sessions: list[Session]) -> list[list[Any]]:
    return await asyncio.gather(*map(heard, sessions))


@pytest.mark.usefixtures("idle")  # by the first test, so that its time passes while others run
@pytest.mark.parametrize(("options", "heard_by"), BROADCASTS.values(), ids=BROADCASTS)
async def test_broadcast_reaches_each_socket_once(cluster: Cluster, options: Options, heard_by: set[int]) -> None:
    members = await cluster.members("all")
    for member, rooms in zip(members, MEMBERSHIPS, strict=True):
        await member.call("join", *rooms)
    for speaker in (members[0], members[3]):  # of each server
        await broadcast(speaker, "hello", 1, **with_ids(options, members))
        await broadcast(speaker, "end", room="all")
        assert await everybody_heard(members) == [[1] if number in heard_by else [] for number in range(4)]


async def users(cluster: Cluster) -> list[Session]:
    """Clients as those of `Cluster.members`, whose users are logged in. All are in the room `all`, too."""
    wires = (cluster.first, cluster.first, cluster.second, cluster.second)
    clients: list[Session] = []
    for wire, user, rooms in zip(wires, USERS, MEMBERSHIPS, strict=True):
        headers = {} if user is None else {"Cookie": cookie_of(user)}
        clients.append(await (wire.polling(headers) if len(clients) % 2 else wire.websocket(headers)))
        await clients[-1].join()
        await clients[-1].call("join", *rooms, "all")
    return clients


async def operate(clients: list[Session], speaker: int, start: str, *steps: Any) -> set[int]:
    """Has an operator emit, for one of the clients. Returns which of them hear it: each once."""
    await clients[speaker].emit("operate", start, steps, "hello", 1)
    await broadcast(clients[speaker], "end", room="all")
    heard = await everybody_heard(clients)
    assert [1, 1] not in heard
    return {number for number, events in enumerate(heard) if events}


@pytest.mark.parametrize(("steps", "heard_by"), OPERATORS.values(), ids=OPERATORS)
async def test_operator_reaches_whom_it_is_for(cluster: Cluster, steps: list[Any], heard_by: set[int]) -> None:
    clients = await users(cluster)
    for speaker in (0, 3):  # of each server
        assert await operate(clients, speaker, "server", *steps) == heard_by


async def test_socket_reaches_others_and_local_those_of_its_process(cluster: Cluster) -> None:
    clients = await users(cluster)
    assert await operate(clients, 0, "socket", ["to", "all"]) == {1, 2, 3}
    assert await operate(clients, 3, "socket", ["to", "red", "green"]) == {0, 1, 2}
    assert await operate(clients, 2, "socket", ["to", "red"], ["except_", "blue"]) == {1}
    assert await operate(clients, 2, "socket", ["broadcast"], ["to_user", 5]) == {0}
    for speaker, others in ((0, {1}), (3, {2})):
        assert await operate(clients, speaker, "server", ["local"], ["to", "all"]) == {speaker, *others}
        assert await operate(clients, speaker, "socket", ["broadcast"], ["local"], ["to", "all"]) == others
    assert await operate(clients, 0, "server", ["to_user", 5], ["local"]) == {0}


async def test_namespace_is_reached_once_but_for_those_excepted(cluster: Cluster) -> None:
    members, strangers = await cluster.members("in"), await cluster.members("in", namespace="/members")
    await broadcast(members[1], "hello", 1)
    await broadcast(members[1], "hello", 2, except_=["in", "another"])
    await broadcast(members[1], "hello", 3, except_="another")
    await broadcast(members[1], "end")
    await broadcast(members[1], "end", namespace="/members")
    assert await everybody_heard(members) == [[1, 3]] * 4
    assert await everybody_heard(strangers) == [[]] * 4


async def test_binary_data_reaches_the_other_process(cluster: Cluster) -> None:
    members = await cluster.members("binary")
    await members[0].send('451-["broadcast",{"room":"binary"},"hello",{"_placeholder":true,"num":0}]', b"\x00\xff")
    expected = ['451-["hello",{"_placeholder":true,"num":0}]', b"\x00\xff"]
    assert [await member.receive_many(2) for member in members] == [expected] * 4


async def test_client_that_left_a_room_is_reached_no_more(cluster: Cluster) -> None:
    members = await cluster.members("left", "kept")
    for member in members[2:]:
        await member.call("leave", "left")
    await broadcast(members[0], "hello", 1, room="left")
    await broadcast(members[0], "end", room="kept")
    assert await everybody_heard(members) == [[1], [1], [], []]


async def test_every_string_names_a_room_of_its_own(cluster: Cluster) -> None:
    speaker = await cluster.first.member("websocket")
    listeners = [await cluster.second.member("websocket") for _ in ROOM_NAMES]
    for listener, room in zip(listeners, ROOM_NAMES, strict=True):
        await listener.call("join", room, "all")
    for number, room in enumerate(ROOM_NAMES):
        await broadcast(speaker, "hello", number, room=room)
    await broadcast(speaker, "end", room="all")
    assert await everybody_heard(listeners) == [[number] for number in range(len(ROOM_NAMES))]


async def test_bursts_of_both_processes_stay_in_order(cluster: Cluster) -> None:
    members, count = await cluster.members("burst"), 200
    for number in range(count):
        for speaker in (0, 3):
            await broadcast(members[speaker], "hello", [speaker, number], room="burst")
    for speaker in (0, 3):
        await broadcast(members[speaker], "end", room="burst")
    for member in members:
        numbers = [*await heard(member), *await heard(member)]
        for speaker in (0, 3):
            assert [number for sender, number in numbers if sender == speaker] == list(range(count))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_official_client_reaches_one_of_another_process(cluster: Cluster, agents: Agents, transport: str) -> None:
    agent = await agents.get("node")
    ann, bob = (Client(agent, member.server.url, transport) for member in (cluster.first, cluster.second))
    await asyncio.gather(ann.connect(), bob.connect())
    await bob.call("join", "room on another server")
    await ann.call("broadcast", {"room": "room on another server"}, "hello", b"\x01\xff", {"deep": [b""]})
    await ann.call("broadcast", {"room": bob.id}, "hello", "id")
    await ann.call("broadcast", {"except_": ann.id}, "hello", "é😀")
    assert await bob.receive_many("hello", 3) == [[b"\x01\xff", {"deep": [b""]}], ["id"], ["é😀"]]
    await asyncio.gather(ann.drop(), bob.drop())


async def test_killed_process_costs_the_others_nothing(
    cluster: Cluster, redis_url: str, request: pytest.FixtureRequest
) -> None:
    layer = request.node.callspec.params["cluster"]
    members = await cluster.members("survivors")
    async with running("uvicorn", settings(layer, redis_url)) as third:
        victim = await Wire(third).member("websocket")
        await victim.call("join", "survivors")
        third.send_signal(signal.SIGKILL)
        await third.ended()
        await victim.drain()
    for speaker in (members[0], members[2]):
        await broadcast(speaker, "hello", 1, room="survivors")
        await broadcast(speaker, "end", room="survivors")
        assert await everybody_heard(members) == [[1]] * 4


async def test_idle_layer_is_no_broken_layer(idle: asyncio.Task[tuple[Cluster, list[Session]]]) -> None:
    """redis-py gives up a read after five seconds, and the `core` layer lets it."""
    cluster, members = await idle
    await broadcast(members[0], "hello", 1, room="idle")
    await broadcast(members[0], "end", room="idle")
    assert await everybody_heard(members) == [[1]] * 4
    assert told(cluster) == [[], []]


class Redis(Process):
    """A Redis server that may be killed."""

    def __init__(self, port: int) -> None:
        program = shutil.which("redis-server") or "valkey-server"
        super().__init__([program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""])
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"

    async def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
        await self.ended()

    async def restart(self) -> None:
        """Starts it again, on its port, with nothing in it."""
        self.lines.clear()
        await self.start("Ready to accept connections")


@contextlib.asynccontextmanager
async def redis_on(port: int) -> AsyncIterator[Redis]:
    redis = Redis(port)
    await redis.start("Ready to accept connections")
    try:
        yield redis
    finally:
        await redis.stop()


@contextlib.asynccontextmanager
async def lonely_cluster(layer: str) -> AsyncIterator[tuple[Cluster, Redis]]:
    """A cluster with a Redis server of its own, which outlives it: the `core` layer cleans up after each message, and
    asyncio logs an error if it cannot. So no message is on its way either when a test kills Redis.
    """
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_on(free_port()))
        servers = [Server(kind, settings(layer, redis.url)) for kind in ("daphne", "uvicorn")]
        for server in servers:
            stack.push_async_callback(server.stop)
        await asyncio.gather(*(server.serve() for server in servers))
        yield await stack.enter_async_context(clients_of(*servers)), redis
        for server in servers:
            server.forgive("channels_redis", "Traceback")  # it logs its own errors
            assert not server.take_troubles(), "\n".join(server.lines)


def told(cluster: Cluster) -> list[list[str]]:
    """What each server logged of its channel layer."""
    told = re.compile(r"WARNING sio.channel_layer: The channel layer (failed|works again|lost)")
    lines = [wire.server.lines for wire in (cluster.first, cluster.second)]
    return [[match[1] for match in map(told.match, of_server) if match] for of_server in lines]


async def works_again(cluster: Cluster) -> None:
    """Waits until both servers log it."""
    for wire in (cluster.first, cluster.second):
        await wire.server.line(lambda line: "The channel layer works again" in line)


async def keep_asking(speaker: Session, listener: Session) -> None:
    """Broadcasts until another client hears it."""
    answer = asyncio.create_task(listener.event())
    while not answer.done():
        await broadcast(speaker, "back", room="room", except_=speaker.id)
        await asyncio.wait([answer], timeout=0.1)
    await answer


async def echoed(session: Session) -> None:
    """What a client got before this is read."""
    await session.emit("echo", "fence")
    while await session.event() != ["echoed", "fence"]:
        pass


async def with_both_layers(perform: Callable[[Cluster, Redis], Awaitable[None]]) -> None:
    """Performs a test on a cluster of each layer, side by side, since they mostly wait."""

    async def with_layer(layer: str) -> None:
        async with lonely_cluster(layer) as (cluster, redis):
            await perform(cluster, redis)

    results = await asyncio.gather(*map(with_layer, LAYERS), return_exceptions=True)
    failed = {layer: error for layer, error in zip(LAYERS, results, strict=True) if error is not None}
    for layer, error in failed.items():
        error.add_note(f"with the layer {layer}, of {', '.join(failed)}")
        raise error


async def test_redis_that_fails_over_to_an_empty_one_drops_nobody() -> None:
    """As a failover looks like to its clients: the connections end, the data is gone, and new connections work."""

    async def fail_over(cluster: Cluster, redis: Redis) -> None:
        members = await cluster.members("room")
        await asyncio.sleep(1.2)  # all are idle
        async with aioredis.from_url(redis.url) as client:
            await client.flushall()
            for kind in ("pubsub", "normal"):
                await client.client_kill_filter(_type=kind, skipme=True)
        await keep_asking(members[0], members[2])
        await keep_asking(members[2], members[0])
        await asyncio.gather(*map(echoed, members))

    await with_both_layers(fail_over)


async def test_redis_that_is_killed_and_comes_back_drops_nobody() -> None:
    async def fail(cluster: Cluster, redis: Redis) -> None:
        members = await cluster.members("room")
        await redis.kill()
        for speaker in (members[0], members[3]) * 3:
            await broadcast(speaker, "alone", room="room", except_=speaker.id)
            await echoed(speaker)
        assert [await member.event() for member in members[1:3]] == [["alone"]] * 2
        await asyncio.gather(*map(echoed, members))
        for member in members:
            assert await member.call("join", "joined in the outage") == [["joined in the outage", "room"]]
        assert told(cluster) == [["failed"]] * 2

        await redis.restart()
        await reach_each_other(cluster, members)
        await broadcast(members[0], "hello", 1, room="joined in the outage")
        await broadcast(members[0], "end", room="room")
        assert await everybody_heard(members) == [[1]] * 4

    await with_both_layers(fail)


async def test_servers_that_start_without_redis_reach_each_other_once_it_is_there() -> None:
    async def start(cluster: Cluster, redis: Redis) -> None:
        await redis.kill()  # before a server has asked it for anything
        members = await cluster.members("room")
        await broadcast(members[0], "alone", room="room", except_=members[0].id)
        assert await members[1].event() == ["alone"]
        await redis.restart()
        await reach_each_other(cluster, members)

    await with_both_layers(start)


async def reach_each_other(cluster: Cluster, members: list[Session]) -> None:
    """What happens by itself after an outage, and that it is logged once."""
    await keep_asking(members[0], members[2])
    await keep_asking(members[3], members[1])
    await works_again(cluster)
    assert told(cluster) == [["failed", "works again"]] * 2
