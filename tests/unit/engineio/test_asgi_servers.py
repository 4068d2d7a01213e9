"""Which `send` is an ASGI server's own, and which errors say that the client is gone."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest
from channels.sessions import InstanceSessionWrapper
from daphne.server import Server as Daphne
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sio.engineio.asgi_servers import is_gone, is_plain


async def middleware(send: Any, message: Any) -> None:
    """What wraps `send`."""
    await send(message)


class Disconnected(OSError):
    """As the ASGI specification has it for a server that nobody knows."""


class TestServers:
    @pytest.mark.parametrize(
        "error",
        [
            ClientDisconnected(),
            Disconnected(),
            OSError("gone"),
            ConnectionResetError(104, "Connection reset by peer"),
            BrokenPipeError(),
            RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close' or response …"),
            RuntimeError("unable to perform operation on <TCPTransport closed=True …>; the handler is closed"),
            RuntimeError("ASGI flow error: Connection already upgraded"),
        ],
    )
    def test_client_is_gone(self, error: Exception) -> None:
        assert is_gone(middleware, error)

    @pytest.mark.parametrize(
        "error",
        [
            TimeoutError(),
            ConnectionRefusedError(),
            OSError(28, "No space left on device"),
            RuntimeError("Unexpected ASGI message 'http.response.body' sent, after response already completed."),
            RuntimeError("oops"),
            LookupError(),
            asyncio.CancelledError(),
        ],
    )
    def test_middleware_failed(self, error: BaseException) -> None:
        assert not is_gone(middleware, error)

    def test_send_of_a_server_is_plain(self) -> None:
        uvicorn: Any = WebSocketsSansIOProtocol.__new__(WebSocketsSansIOProtocol)
        daphne = functools.partial(Daphne.__new__(Daphne).handle_reply, "protocol")
        for send in (uvicorn.send, daphne):
            session = InstanceSessionWrapper({"cookies": {}}, send)
            assert [is_plain(send), is_plain(session.send)] == [True, True]
            assert is_gone(session.send, LookupError("whatever it is"))
            wrapped = functools.partial(middleware, send)
            assert [is_plain(wrapped), is_plain(InstanceSessionWrapper({"cookies": {}}, wrapped).send)] == [False] * 2

    def test_function_that_is_compiled_has_the_module_of_its_object(self) -> None:
        kind = type("ASGIWebsocketProtocol", (list,), {"__module__": "granian._granian"})
        assert is_plain(kind().append)
        assert not is_plain([].append)


@pytest.mark.parametrize(("type_", "expected"), [("websocket", True), ("http", False)])
def test_session_middleware_passes_on_what_is_sent_on_a_websocket_alone(type_: str, expected: bool) -> None:
    """On HTTP it saves the session first, and what that raises is no sign of a client that left."""

    async def send(message: Any) -> None:
        pass

    send.__module__ = "uvicorn.protocols"
    wrapper = InstanceSessionWrapper({"type": type_, "cookies": {}}, send)
    assert is_plain(send)
    assert is_plain(wrapper.send) is expected
    assert is_gone(wrapper.send, LookupError()) is expected
