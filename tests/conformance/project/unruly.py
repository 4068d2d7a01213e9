"""An ASGI server with bad habits, between a real one and the application: `unruly=<habit>` in a query asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


#: After these, a real server expects nothing more of an application that was told that its client is gone.
_LAST_EVENTS = ("http.response.body", "websocket.send", "websocket.close", "websocket.http.response.body")


def strange_events(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Each event follows one of a type that nobody knows, which has some of its keys."""
    held: list[Message] = []

    async def receive_strangely() -> Message:
        if held:
            return held.pop()
        event = await receive()
        if event["type"] == "websocket.connect":  # as the specification has it, this comes first
            return event
        held.append(event)
        return {"type": event["type"] + ".strange", "code": 1, "text": None}

    return receive_strangely, send


def all_keys(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Frames have both keys, as the specification allows: what they are not is None."""

    async def receive_all_keys() -> Message:
        event = await receive()
        return {"text": None, "bytes": None, **event} if event["type"] == "websocket.receive" else event

    return receive_all_keys, send


def raises(error: Exception) -> Callable[[Receive, Send], tuple[Receive, Send]]:
    """What is sent is taken, but for the application the connection is gone."""

    def habit(receive: Receive, send: Send) -> tuple[Receive, Send]:
        async def send_and_raise(event: Message) -> None:
            await send(event)
            if event["type"] in _LAST_EVENTS:
                raise error

        return receive, send_and_raise

    return habit


def accept_raises(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """The client left before its WebSocket was accepted."""

    async def send_too_late(event: Message) -> None:
        if event["type"] == "websocket.accept":
            await send({"type": "websocket.close"})
            raise OSError("the client is gone")
        await send(event)

    return receive, send_too_late


def middleware_raises(*types: str) -> Callable[[Receive, Send], tuple[Receive, Send]]:
    """No server, but middleware that does not let a response through, or a message that is forbidden."""

    def habit(receive: Receive, send: Send) -> tuple[Receive, Send]:
        async def send_what_it_can(event: Message) -> None:
            forbidden = "forbidden" in event["text"] if "text" in event else event.get("body") != b""
            if event["type"] in types and forbidden:
                raise LookupError("middleware failed")
            await send(event)

        return receive, send_what_it_can

    return habit


def middleware_has_scopes(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """No server, but middleware that gives each message so much time, and does it in a task of its own."""

    async def send_in_scopes(event: Message) -> None:
        async def send_on() -> None:
            await send(event)

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(send_on())

    return receive, send_in_scopes


HABITS = {
    "strange-events": strange_events,
    "all-keys": all_keys,
    "send-raises-OSError": raises(OSError("the client is gone")),
    "send-raises-RuntimeError": raises(RuntimeError("Unexpected ASGI message 'websocket.send', after …")),  # uvicorn
    "accept-raises": accept_raises,
    "middleware-raises": middleware_raises("http.response.start", "websocket.send"),
    "middleware-raises-late": middleware_raises("http.response.body"),
    "middleware-has-scopes": middleware_has_scopes,
}


class Unruly:
    """The application under a server with the habit that a request asks for, or with none."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        if "unruly" in query:
            receive, send = HABITS[query["unruly"][0]](receive, send)
        await self._application(scope, receive, send)
