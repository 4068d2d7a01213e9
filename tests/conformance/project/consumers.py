"""The namespaces. `reference_server.js` has the same ones for Node, as far as Node can have them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer
from sio.exceptions import EncodingError

#: What handlers wait for until another client opens it.
gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

#: What `value` emits.
VALUES = {
    "date": datetime(2026, 11, 21, 9, 30, 0, 250_000, UTC),
    "nothing": None,
    "nothing in an object": {"a": None},
    "not a number": math.nan,
    "infinity": math.inf,
}


def report(socket: NamespaceSocket, hook: str, **details: Any) -> None:
    """Prints that a hook runs. Tests read it from the server's output."""
    line = {"hook": hook, "id": socket.id, "namespace": socket.namespace, **details}
    sys.stdout.write(f"HOOK {json.dumps(line)}\n")
    sys.stdout.flush()


class Hooks:
    """Accepts everybody, and reports."""

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        report(socket, "connect")
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        report(socket, "disconnect", reason=str(reason), rooms=sorted(socket.rooms - {socket.id}))


class Echo:
    """Events that come back, and acknowledgements in each way that a handler can give one."""

    async def event_echo(self, socket: NamespaceSocket, *args: Any) -> None:
        await socket.emit("echoed", *args)

    async def event_echo_ack(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        return args

    async def event_message(self, socket: NamespaceSocket, *args: Any, ack: Any = None) -> None:
        await socket.send(*args)
        if ack is not None:
            await ack("sent")

    async def event_ack_later(self, socket: NamespaceSocket, gate: str, ack: Any = None) -> None:
        asyncio.get_running_loop().create_task(self._ack_later(gate, ack))

    async def _ack_later(self, gate: str, ack: Any) -> None:
        await gates[gate].wait()
        await ack("late")

    async def event_ack_twice(self, socket: NamespaceSocket, ack: Any) -> None:
        await ack(1)
        await ack(2)

    async def event_return_none(self, socket: NamespaceSocket) -> None:
        return None

    async def event_return_value(self, socket: NamespaceSocket) -> list[int]:
        return [1, 2]

    async def event_return_tuple(self, socket: NamespaceSocket) -> tuple[int, ...]:
        return 1, 2

    async def event_value(self, socket: NamespaceSocket, name: str) -> None:
        """Emits what JSON has no word for, if it can be emitted."""
        try:
            await socket.emit("value", VALUES[name])
        except EncodingError:
            await socket.emit("no value")

    async def event_error(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        """`error` is an ordinary name, to a server."""
        return args

    async def event_1(self, socket: NamespaceSocket, *args: Any) -> tuple[Any, ...]:
        """What a client calls 1, a number, comes here too."""
        return args


class Questions:
    """Events that the client acknowledges."""

    async def event_ask(self, socket: NamespaceSocket, *args: Any) -> None:
        await socket.emit("question", *args, callback=lambda *answer: socket.emit("answered", *answer))

    async def event_call(self, socket: NamespaceSocket, timeout: float, *args: Any) -> None:
        try:
            answer = await socket.call("question", *args, timeout=timeout)
        except (TimeoutError, ConnectionError) as error:
            report(socket, "call", error=type(error).__name__)
            await socket.emit("unanswered", type(error).__name__)
        else:
            await socket.emit("answered", answer)


class Rooms:
    async def event_join(self, socket: NamespaceSocket, *rooms: str) -> list[str]:
        await socket.join(*rooms)
        return self._rooms(socket)

    async def event_try_to_join(self, socket: NamespaceSocket, *rooms: str) -> list[str]:
        with contextlib.suppress(ValueError):
            await socket.join(*rooms)
        return self._rooms(socket)

    async def event_leave(self, socket: NamespaceSocket, *rooms: str) -> list[str]:
        await socket.leave(*rooms)
        return self._rooms(socket)

    async def event_leave_all(self, socket: NamespaceSocket) -> list[str]:
        await socket.leave_all()
        return self._rooms(socket)

    def _rooms(self, socket: NamespaceSocket) -> list[str]:
        return sorted(socket.rooms - {socket.id})

    async def event_broadcast(self, socket: NamespaceSocket, options: dict[str, Any], *event: Any) -> bool:
        """`options` are those of `SocketIOServer.emit`."""
        await socket.server.emit(*event, **{"namespace": socket.namespace, **options})
        return True

    async def event_operate(self, socket: NamespaceSocket, start: str, steps: list[Any], *event: Any) -> bool:
        """Emits from "socket" or "server". Each step is the name of a modifier, and its arguments if it takes any."""
        operator: Any = socket if start == "socket" else socket.server.of(socket.namespace)
        for name, *args in steps:
            operator = getattr(operator, name)(*args) if args else getattr(operator, name)
        await operator.emit(*event)
        return True


class Bursts:
    async def event_burst(self, socket: NamespaceSocket, count: int, size: int = 0) -> None:
        for number in range(count):
            await socket.emit("burst", number, "x" * size)

    async def event_volatile(self, socket: NamespaceSocket, *events: str) -> None:
        for event in events:
            await socket.emit(event, volatile=True)

    async def event_binary_burst(self, socket: NamespaceSocket, count: int) -> None:
        for number in range(count):
            await socket.emit("burst", number, b"%d" % number, b"")


class Endings:
    async def event_bye(self, socket: NamespaceSocket, close: bool = False) -> None:
        await socket.disconnect(close)

    async def event_burst_bye(self, socket: NamespaceSocket, count: int, close: bool = False) -> None:
        for number in range(count):
            await socket.emit("burst", number, "")
        await socket.disconnect(close)

    async def event_bye_ack(self, socket: NamespaceSocket, ack: Any) -> None:
        await socket.disconnect()
        await ack("late")

    async def event_bye_emit(self, socket: NamespaceSocket) -> None:
        await socket.disconnect()
        await socket.emit("late")


class Waits:
    """Handlers that take their time, or fail."""

    async def event_hold(self, socket: NamespaceSocket, gate: str, *args: Any) -> Any:
        report(socket, "hold", gate=gate)
        await gates[gate].wait()
        return list(args)

    async def event_release(self, socket: NamespaceSocket, gate: str) -> None:
        gates[gate].set()

    async def event_block(self, socket: NamespaceSocket, seconds: float) -> None:
        """What no handler should do: nothing else runs meanwhile."""
        report(socket, "block")
        time.sleep(seconds)

    async def event_fail(self, socket: NamespaceSocket) -> None:
        raise RuntimeError("on purpose")


class Everything(Hooks, Echo, Questions, Rooms, Bursts, Endings, Waits):
    """All handlers, from mixins."""

    async def event_scope(self, socket: NamespaceSocket) -> dict[str, Any]:
        return {
            "user": str(socket.user),
            "visits": socket.scope["session"].get("visits"),
            "path": socket.scope["path"],
            "transport": str(socket.transport),
            "auth": socket.auth,
        }


class MainConsumer(Everything, SocketIOConsumer):
    namespace = "/"


class CustomConsumer(MainConsumer):
    """A subclass of a consumer that is registered itself."""

    namespace = "/custom"


class InnerConsumer(MainConsumer):
    """Served at `/mounted/`, by an application that does not serve `/`."""

    namespace = "/inner"


class ChatConsumer(SocketIOConsumer):
    """The consumer of the documentation, word by word."""

    namespace = "/chat"

    async def connect(self, socket, auth):  # type: ignore[no-untyped-def]
        # Put this client into a logical room
        await socket.join("lobby")

        # Send an initial message only to this client
        await socket.emit("system_message", {"text": "Welcome!"})
        return True  # accept the connection

    async def disconnect(self, socket, reason):  # type: ignore[no-untyped-def]
        # Optional cleanup
        pass

    async def event_chat_message(self, socket, payload, ack=None):  # type: ignore[no-untyped-def]
        text = payload.get("text", "")

        # Broadcast to everyone in the room
        await socket.server.emit(
            "chat_message",
            {"text": text},
            room="lobby",
            namespace=socket.namespace,
        )

        # Optional ack back to caller
        if ack is not None:
            await ack({"status": "ok"})


class EarlyConsumer(Hooks, SocketIOConsumer):
    """Emits before it accepts."""

    namespace = "/early"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.emit("auth", auth)
        await socket.emit("second", b"\x01")
        return await super().connect(socket, auth)


class FalseConsumer(Hooks, SocketIOConsumer):
    namespace = "/false"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        return False


class NoneConsumer(Hooks, SocketIOConsumer):
    namespace = "/none"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> None:  # type: ignore[override]
        return None


class RefusedConsumer(Hooks, SocketIOConsumer):
    namespace = "/refused"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        raise ConnectionRefused("no entry", {"code": 7})


class RaisingConsumer(Hooks, SocketIOConsumer):
    namespace = "/raising"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        raise RuntimeError("on purpose, and nobody else's business")


class MembersConsumer(Everything, SocketIOConsumer):
    """For those who know the token."""

    namespace = "/members"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        if auth.get("token") != "secret":
            raise ConnectionRefused("wrong token")
        return await super().connect(socket, auth)


class GatedConsumer(Everything, SocketIOConsumer):
    """Decides once the gate in `auth` is open."""

    namespace = "/gated"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("gated")
        report(socket, "asked", gate=auth["gate"])
        await gates[auth["gate"]].wait()
        await super().connect(socket, auth)
        return bool(auth.get("accept", True))


class GhostConsumer(Everything, SocketIOConsumer):
    """Puts everybody in a room, and then accepts only those who ask nicely."""

    namespace = "/ghost"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.join("ghosts")
        return bool(auth.get("please"))


class OutspokenConsumer(Everything, SocketIOConsumer):
    """Has something to say before it decides."""

    namespace = "/outspoken"

    async def connect(self, socket: NamespaceSocket, auth: dict[str, Any]) -> bool:
        await socket.emit("early", 1)
        return bool(auth.get("please"))


class BareConsumer(SocketIOConsumer):
    """Has no `connect`, and needs none for its `disconnect` to run."""

    namespace = "/bare"

    disconnect = Hooks.disconnect


class PartingConsumer(Everything, SocketIOConsumer):
    """Takes its time to say goodbye."""

    namespace = "/parting"

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        await super().disconnect(socket, reason)
        await asyncio.sleep(0.3)
        report(socket, "parted")


CONSUMERS = [
    MainConsumer,
    CustomConsumer,
    ChatConsumer,
    EarlyConsumer,
    FalseConsumer,
    NoneConsumer,
    RefusedConsumer,
    RaisingConsumer,
    MembersConsumer,
    GatedConsumer,
    GhostConsumer,
    OutspokenConsumer,
    BareConsumer,
    PartingConsumer,
]
