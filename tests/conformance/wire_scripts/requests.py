"""Requests without a session: the errors, and which one wins."""

from __future__ import annotations

from ..wire import WebSocket, Wire
from .registry import for_each


@for_each(
    {
        "no query": ("GET", ""),
        "no transport": ("GET", "EIO=4"),
        "transport of no name": ("GET", "EIO=4&transport="),
        "unknown transport": ("GET", "EIO=4&transport=abc"),
        "transport in capitals": ("GET", "EIO=4&transport=POLLING"),
        "transport that is a property of objects": ("GET", "EIO=4&transport=constructor"),
        "transport that is a prototype": ("GET", "EIO=4&transport=__proto__"),
        "transport webtransport": ("GET", "EIO=4&transport=webtransport"),
        "transport twice": ("GET", "EIO=4&transport=polling&transport=polling"),
        "no version": ("GET", "transport=polling"),
        "version 2": ("GET", "EIO=2&transport=polling"),
        "version 3": ("GET", "EIO=3&transport=polling"),
        "version 5": ("GET", "EIO=5&transport=polling"),
        "version that is no number": ("GET", "EIO=abc&transport=polling"),
        "version 04": ("GET", "EIO=04&transport=polling"),
        "unknown sid": ("GET", "EIO=4&transport=polling&sid=abc"),
        "sid that is a property of objects": ("GET", "EIO=4&transport=polling&sid=constructor"),
        "sid of 8 kB": ("GET", f"EIO=4&transport=polling&sid={'a' * 8000}"),
        "percent garbage": ("GET", "EIO=4&transport=polling&sid=%ff%zz%"),
        "unknown sid on POST": ("POST", "EIO=4&transport=polling&sid=abc"),
        "unknown sid on PUT": ("PUT", "EIO=4&transport=polling&sid=abc"),
        "POST without sid": ("POST", "EIO=4&transport=polling"),
        "PUT without sid": ("PUT", "EIO=4&transport=polling"),
        "DELETE without sid": ("DELETE", "EIO=4&transport=polling"),
        "PATCH without sid": ("PATCH", "EIO=4&transport=polling"),
        "HEAD without sid": ("HEAD", "EIO=4&transport=polling"),
        "OPTIONS without sid": ("OPTIONS", "EIO=4&transport=polling"),
        "websocket without its headers": ("GET", "EIO=4&transport=websocket"),
        "websocket by POST": ("POST", "EIO=4&transport=websocket"),
        "unknown transport before unknown sid": ("GET", "EIO=4&transport=abc&sid=abc"),
        "unknown transport before method": ("POST", "transport=abc"),
        "unknown sid before method and version": ("POST", "EIO=3&transport=polling&sid=abc"),
        "method before version": ("POST", "EIO=3&transport=polling"),
        "method before websocket": ("POST", "EIO=3&transport=websocket"),
        "websocket before version": ("GET", "EIO=3&transport=websocket"),
    }
)
async def request(wire: Wire, row: tuple[str, str]) -> None:
    wire.note(await wire.http(*row))


@for_each(
    {
        "no transport": "EIO=4",
        "unknown transport": "EIO=4&transport=abc",
        "transport webtransport": "EIO=4&transport=webtransport",
        "unknown sid": "EIO=4&transport=websocket&sid=abc",
        "transport polling": "EIO=4&transport=polling",
        "version 3": "EIO=3&transport=websocket",
        "no version": "transport=websocket",
    }
)
async def refused_websocket(wire: Wire, row: str) -> None:
    answer = await wire.try_websocket(row)
    wire.note(["accepted", *await answer.drain()] if isinstance(answer, WebSocket) else answer)
