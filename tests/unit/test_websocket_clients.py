"""What clients of other languages ask for when they open a WebSocket: a subprotocol, and binary data as text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asgi import APP, Poller, WebSocket


async def new_session() -> str:
    """The WebSocket opens one."""
    return ""


async def session_on_polling() -> str:
    """The WebSocket is the upgrade of one."""
    client = Poller(APP)
    await client.open()
    return client.sid


both_ways = pytest.mark.parametrize("session", [new_session, session_on_polling])


class TestSubprotocol:
    """A client that offers some, and gets none of them, must fail (RFC 6455, 4.1)."""

    @both_ways
    @pytest.mark.parametrize(
        ("offered", "chosen"), [(["chat"], "chat"), (["b", "a"], "b"), ([], None), (None, None)], ids=str
    )
    async def test_first_is_chosen(self, session: Any, offered: list[str] | None, chosen: str | None) -> None:
        scope = {} if offered is None else {"subprotocols": offered}
        client = WebSocket(APP, await session(), **scope)
        assert (await client.connect()).get("subprotocol") == chosen

    @pytest.mark.parametrize(
        ("header", "scope", "chosen"),
        [
            (b"b, a", ["b", "a"], "b"),
            (b" a%20b ,c", ["a b", "c"], "a%20b"),
            (b",a", ["", "a"], None),
            (b"", [""], None),
            (b"\xe9", [], "é"),
        ],
    )
    async def test_first_is_chosen_as_it_was_written(self, header: bytes, scope: list[str], chosen: str | None) -> None:
        """Daphne unquotes those in the scope."""
        client = WebSocket(APP, headers=[(b"sec-websocket-protocol", header)], subprotocols=scope)
        assert (await client.connect()).get("subprotocol") == chosen


class TestBase64:
    """`b64` in the query: the client takes no binary frames (`supportsBinary` of engine.io)."""

    @pytest.mark.parametrize(("value", "frame"), [("1", "bAQI="), ("0", "bAQI="), ("", b"\x01\x02")])
    async def test_echo(self, value: str, frame: str | bytes) -> None:
        client = WebSocket(APP)
        client.scope["query_string"] += f"&b64={value}".encode()
        await client.open()
        client.send(b"\x01\x02")
        assert await client.receive() == frame

    async def test_bytes_without_content(self) -> None:
        client = WebSocket(APP)
        client.scope["query_string"] += b"&b64=1"
        await client.open()
        client.send(b"")
        assert await client.receive() == "b"

    async def test_upgrade_asks_for_itself(self) -> None:
        client = WebSocket(APP, await session_on_polling())
        client.scope["query_string"] += b"&b64=1"
        assert (await client.connect())["type"] == "websocket.accept"
        client.send("2probe")
        assert await client.receive() == "3probe"
        client.send("5")
        client.send(b"\x01")
        assert await client.receive() == "bAQ=="
