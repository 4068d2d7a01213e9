"""A client, as scenarios see it: one on any platform, told what to do by its agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tests.pace import TIMEOUT

from .agents import Agent


class Refused(Exception):
    """The server refused a namespace. The arguments are its message and its data."""


class Client:
    """One connection, and the namespaces on it."""

    def __init__(self, agent: Agent, url: str, transport: str, **options: Any) -> None:
        self._agent = agent
        self._number = agent.new_client(self._hear)
        self._address = {"url": url, "transport": transport, "options": options}
        self._news: defaultdict[tuple[str, str], asyncio.Queue[Sequence[Any]]] = defaultdict(asyncio.Queue)
        #: Its id in each namespace that it has joined.
        self.ids: dict[str, str] = {}
        #: The transports that its events came by, without repetitions.
        self.transports: list[str] = []

    @property
    def id(self) -> str:
        return self.ids["/"]

    def _hear(self, message: dict[str, Any]) -> None:
        namespace, news, args = message["namespace"], message["news"], message["args"]
        if news == "connect":
            self.ids[namespace] = args[0]
        if news.startswith("event ") and self.transports[-1:] != [message["transport"]]:
            self.transports.append(message["transport"])
        outcome = "outcome" if news in ("connect", "connect_error") else news
        self._news[namespace, outcome].put_nowait(args)

    async def _do(self, command: str, **details: Any) -> Any:
        return await self._agent.do(command, self._number, **details)

    async def prepare(self) -> None:
        """Makes it known to its agent before it connects."""
        await self._do("prepare", **self._address)

    async def connect(self, *namespaces: str, auth: Any = None, called_auth: bool = False) -> None:
        """Joins namespaces. Raises Refused. With `called_auth`, a function gives the client its auth."""
        asked = list(namespaces or ("/",))
        await self._do("connect", namespaces=asked, auth=auth, calledAuth=called_auth, **self._address)
        for namespace in asked:
            await self.outcome(namespace)

    async def outcome(self, namespace: str = "/") -> None:
        """Waits until it has joined a namespace, once more if it had before. Raises Refused."""
        outcome = await self._next(namespace, "outcome")
        if len(outcome) != 1:
            raise Refused(*outcome)

    async def back(self, namespace: str = "/") -> None:
        """Waits until it has joined a namespace again, after any number of attempts that failed."""
        while True:
            with contextlib.suppress(Refused):
                return await self.outcome(namespace)

    async def emit(self, event: str, *args: Any, namespace: str = "/", volatile: bool = False) -> None:
        await self.emit_all([[event, *args]], namespace, volatile)

    async def emit_all(self, events: Sequence[Sequence[Any]], namespace: str = "/", volatile: bool = False) -> None:
        """Emits events in a row."""
        await self._do("emit", namespace=namespace, events=events, volatile=volatile)

    async def call(self, event: str, *args: Any, namespace: str = "/", timeout: float = TIMEOUT) -> list[Any]:
        """Emits an event. Returns the arguments of its acknowledgement. Raises TimeoutError."""
        return list(await self._do("call", namespace=namespace, event=[event, *args], timeout=timeout))

    async def _next(self, namespace: str, news: str) -> Sequence[Any]:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._news[namespace, news].get()
        except TimeoutError:
            heard = {key: queue.qsize() for key, queue in self._news.items()}
            raise AssertionError(f"no {news} in {namespace}. Not asked for: {heard}") from None

    async def receive(self, event: str, namespace: str = "/") -> list[Any]:
        """Waits for an event. Returns its arguments."""
        return list(await self._next(namespace, f"event {event}"))

    async def receive_many(self, event: str, count: int) -> list[list[Any]]:
        """Waits for a number of events."""
        return [await self.receive(event) for _ in range(count)]

    def heard(self, event: str) -> list[list[Any]]:
        """The arguments of the events that came, and were not asked for yet."""
        queue = self._news["/", f"event {event}"]
        return [list(queue.get_nowait()) for _ in range(queue.qsize())]

    async def disconnected(self, namespace: str = "/") -> str | None:
        """Waits until it has lost a namespace. Returns the reason that it gives, if it gives one."""
        return next(iter(await self._next(namespace, "disconnect")), None)

    async def answer(self, event: str, how: str) -> None:
        """Has it acknowledge an event with "answer" and what came ("echo"), with a list of that ("list"), or never
        ("hang").
        """
        await self._do("answer", event=event, how=how)

    async def ends_on(self, name: str) -> None:
        """Waits until it is on a transport."""
        assert await self._do("transport", name=name) == name

    async def begin_upgrade(self) -> None:
        """Has a client with `upgrade=False` upgrade."""
        await self._do("upgrade")

    async def upgrading(self) -> None:
        """Waits until the server has answered the probe of its upgrade."""
        await self._do("upgrading")

    async def receive_as(self, binary_type: str) -> None:
        """Has it receive binary data as what is not usual."""
        await self._do("binaryType", type=binary_type)

    async def disconnect(self, namespace: str = "/") -> None:
        """Leaves a namespace."""
        await self._do("disconnect", namespace=namespace)

    async def close(self) -> None:
        """Closes the connection."""
        await self._do("close")

    async def drop(self) -> None:
        """Ends it, however it is."""
        await self._do("drop")
        self._agent.forget_client(self._number)
