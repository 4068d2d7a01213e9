"""What the log of a server says of WebSockets that are refused: nothing, where the server's does not insist."""

from __future__ import annotations

import pytest

from .servers import CALM, Farm
from .wire import Wire


@pytest.mark.parametrize("kind", ["uvicorn", "uvicorn-wsproto", "daphne", "hypercorn", "granian"])
async def test_refused_websocket_is_no_error_of_the_server(kind: str, farm: Farm) -> None:
    server = await farm.get(kind, CALM)
    first = len(server.lines)
    async with Wire(server) as wire:
        for query in ("EIO=3&transport=websocket", "EIO=4&transport=websocket&sid=unknown"):
            assert (await wire.try_websocket(query)).status in (400, 403)
        # What the server has to say comes before it answers anything else.
        assert (await wire.http("GET", "EIO=4&transport=abc")).status == 400
        await (await wire.member("websocket")).call("echo_ack", "served")
    assert [line for line in server.lines[first:] if "ERROR" in line or "Traceback" in line] == []
