"""Steps of clients of other languages, whose WebSockets have habits of their own."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from ..servers import Server
from ..wire import Response, WebSocket
from .actors import Actor, Player
from .registry import Unexpected, step


class _Offering(WebSocket):
    """Offers subprotocols."""

    def __init__(self, server: Server, subprotocols: Sequence[str]) -> None:
        super().__init__(server)
        self._subprotocols = [Subprotocol(name) for name in subprotocols]

    async def connect(self, target: str) -> _Offering:
        url = f"ws://127.0.0.1:{self.server.port}{target}"
        self._connection = await connect(url, subprotocols=self._subprotocols, compression=None, ping_interval=None)
        return self


@step("ws-offering")
async def offering_websocket(player: Player, actor: Actor, rest: str) -> str:
    """`ws-offering <subprotocol>… <target>`: opens a WebSocket that offers subprotocols. The chosen one is seen."""
    *subprotocols, target = rest.split(" ")
    websocket = player.keep(_Offering(player.server, subprotocols))
    answer = await websocket.try_connect(player.target(target))
    if isinstance(answer, Response):
        raise Unexpected(str(answer))
    actor.session = websocket
    return str(websocket.connection.subprotocol)


@step("send-fragments")
async def send_fragments(player: Player, actor: Actor, rest: str) -> str:
    """`send-fragments <size> <packet>`: sends a packet on a WebSocket in fragments of so many characters."""
    size, packet = rest.split(" ", 1)
    assert isinstance(actor.session, WebSocket)
    length = int(size)
    await actor.session.connection.send(packet[start : start + length] for start in range(0, len(packet), length))
    return ""


@step("close-websocket")
async def close_websocket(player: Player, actor: Actor, rest: str) -> str:
    """`close-websocket <code> [<reason>]`: closes the WebSocket as the client's library does."""
    code, _, reason = rest.partition(" ")
    assert isinstance(actor.session, WebSocket)
    await actor.session.connection.close(int(code), reason)
    return ""
