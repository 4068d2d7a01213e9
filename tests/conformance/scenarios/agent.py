"""python-socketio as an agent: `python agent.py AsyncClient` or `Client`.

It takes commands, one JSON object in each line of its input, and reports replies and news. `agents.py` says what they
are. It is run with each of the releases, and imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import base64
import collections
import contextlib
import importlib.metadata
import json
import os
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import socketio

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
VERSION = importlib.metadata.version("python-socketio")
#: The first releases that speak the protocol have no auth, and no waiting for namespaces that could be turned off.
IS_OLD = tuple(map(int, VERSION.split(".")[:2])) < (5, 1)
IS_ASYNC = sys.argv[1] == "AsyncClient"

#: In seconds.
DROP_TIMEOUT = 1.0

#: What is to be printed. Threads put it here without letting others run, so that it stays in its order.
_reports: queue.SimpleQueue[str] = queue.SimpleQueue()


def decode(value: Any) -> Any:
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$binary" in value:
        return base64.b64decode(value["$binary"])
    return {key: decode(item) for key, item in value.items()}


def encode(value: Any) -> Any:
    return {"$binary": base64.b64encode(value).decode()}


def report(**message: Any) -> None:
    _reports.put("REPORT " + json.dumps(message, default=encode) + "\n")


def print_reports() -> None:
    while True:
        sys.stdout.write(_reports.get())
        if _reports.empty():
            sys.stdout.flush()


async def perform(function: Any, *args: Any, **options: Any) -> Any:
    """Calls a method of a client of either kind."""
    if IS_ASYNC:
        return await function(*args, **options)
    return await asyncio.to_thread(function, *args, **options)


class Client:
    """A client under its number."""

    def __init__(self, number: int, url: str, transport: str, options: dict[str, Any]) -> None:
        self.number = number
        self.url = url
        self.transports = TRANSPORTS[transport]
        #: One command at a time, in the order in which they came.
        self.lock = asyncio.Lock()
        self.answers: dict[str, str] = {}
        settings: dict[str, Any] = {"reconnection": False}
        if options.get("reconnect"):
            settings = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.1, "randomization_factor": 0.1}
        self._settings = {**settings, "handle_sigint": False} if not IS_OLD else settings
        self.client: Any = None

    def make(self) -> None:
        self.client = getattr(socketio, sys.argv[1])(**self._settings)

    async def connect(self, namespaces: list[str], auth: Any, called_auth: bool) -> None:
        # Each time with a new one: it cannot connect while an earlier connection of its own ends.
        await self.drop()
        self.make()
        for namespace in namespaces:
            self.client.register_namespace((AsyncMember if IS_ASYNC else Member)(namespace, self))
        options: dict[str, Any] = {"transports": self.transports, "namespaces": namespaces}
        if not IS_OLD:
            options |= {"auth": (lambda: auth) if called_auth else auth, "wait": False}
        await perform(self.client.connect, self.url, **options)

    async def drop(self) -> None:
        """Leaves the connection behind. The write thread of `Client` may stop before it has sent the CLOSE, and the
        read thread, which is waited for, then waits for a ping.
        """
        if self.client is not None:
            end = self.client.disconnect if IS_OLD else self.client.shutdown
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(perform(end), DROP_TIMEOUT)

    def note(self, namespace: str, event: str, args: tuple[Any, ...]) -> Any:
        """Reports what happened. Returns how to answer it."""
        if event == "connect":
            args = (self.client.get_sid(namespace),)
        elif event == "connect_error":
            error = args[0] if args and isinstance(args[0], dict) else {"message": args[0] if args else None}
            args = (error.get("message"), error.get("data"))
        elif event != "disconnect":
            event = f"event {event}"
        report(client=self.number, namespace=namespace, news=event, args=list(args), transport=self.client.transport())
        return self.answers.get(event.removeprefix("event "))


def answer(how: str | None, args: tuple[Any, ...]) -> Any:
    """The acknowledgement of an event."""
    return {"echo": ("answer", *args), "list": ["answer", *args]}.get(how or "")


class AsyncMember(socketio.AsyncClientNamespace):  # type: ignore[misc]
    """Hears everything in a namespace."""

    def __init__(self, namespace: str, owner: Client) -> None:
        super().__init__(namespace)
        self.owner = owner

    async def trigger_event(self, event: str, *args: Any) -> Any:
        how = self.owner.note(self.namespace, event, args)
        if how == "hang":
            await asyncio.Event().wait()
        return answer(how, args)


class Member(socketio.ClientNamespace):  # type: ignore[misc]
    """Hears everything in a namespace, in a thread."""

    def __init__(self, namespace: str, owner: Client) -> None:
        super().__init__(namespace)
        self.owner = owner

    def trigger_event(self, event: str, *args: Any) -> Any:
        how = self.owner.note(self.namespace, event, args)
        if how == "hang":
            threading.Event().wait()
        return answer(how, args)


class Agent:
    """Does what it is told."""

    def __init__(self) -> None:
        self.clients: dict[int, Client] = {}
        self.loop = asyncio.get_running_loop()

    async def handle(self, message: dict[str, Any]) -> None:
        number = message["client"]
        try:
            if number not in self.clients:
                self.clients[number] = Client(number, *(message[name] for name in ("url", "transport", "options")))
            command = getattr(self, "do_" + message["do"])
            async with self.clients[number].lock:
                value = await command(self.clients[number], message)
            report(reply=message["id"], value=await value if isinstance(value, asyncio.Future) else value)
        except TimeoutError:
            report(reply=message["id"], error="timeout")
        except Exception as error:
            report(reply=message["id"], error=type(error).__name__)

    async def do_prepare(self, client: Client, message: dict[str, Any]) -> None:
        client.make()

    async def do_connect(self, client: Client, message: dict[str, Any]) -> None:
        await client.connect(message["namespaces"], decode(message["auth"]), message["calledAuth"])

    async def do_emit(self, client: Client, message: dict[str, Any]) -> None:
        namespace = message["namespace"]
        events = [(event, tuple(args)) for event, *args in decode(message["events"])]
        if IS_ASYNC:
            for event, args in events:
                await client.client.emit(event, args, namespace=namespace)
        else:
            await asyncio.to_thread(self._emit_all, client, events, namespace)

    def _emit_all(self, client: Client, events: list[tuple[str, tuple[Any, ...]]], namespace: str) -> None:
        for event, args in events:
            client.client.emit(event, args, namespace=namespace)

    async def do_call(self, client: Client, message: dict[str, Any]) -> asyncio.Task[Any]:
        """Returns what waits for the answer, which other commands need not wait for."""
        answer = self.loop.create_future()
        event, *args = decode(message["event"])

        def settle(*values: Any) -> None:
            self.loop.call_soon_threadsafe(lambda: answer.done() or answer.set_result(list(values)))

        await perform(client.client.emit, event, tuple(args), namespace=message["namespace"], callback=settle)
        return asyncio.create_task(asyncio.wait_for(answer, message["timeout"]))

    async def do_answer(self, client: Client, message: dict[str, Any]) -> None:
        client.answers[message["event"]] = message["how"]

    async def do_disconnect(self, client: Client, message: dict[str, Any]) -> None:
        await perform(client.client.disconnect)

    async def do_close(self, client: Client, message: dict[str, Any]) -> None:
        await perform(client.client.eio.disconnect)

    async def do_transport(self, client: Client, message: dict[str, Any]) -> str:
        return str(client.client.transport())

    async def do_drop(self, client: Client, message: dict[str, Any]) -> None:
        del self.clients[client.number]
        await client.drop()


async def main() -> None:
    threading.Thread(target=print_reports, daemon=True).start()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    agent = Agent()
    report(ready=f"python-socketio {VERSION} {sys.argv[1]}")
    tasks: collections.deque[asyncio.Task[None]] = collections.deque(maxlen=10_000)
    async for line in reader:
        tasks.append(asyncio.create_task(agent.handle(json.loads(line))))


if __name__ == "__main__":
    asyncio.run(main())
    # Threads of the synchronous client may still wait for the answer to a poll.
    os._exit(0)
