"""A WebSocket as its ASGI server hands it over: frames in, messages out, and how it is closed."""

from __future__ import annotations

import contextlib

from ..asgi import Message, Receive, Send
from ..asgi_servers import is_gone
from ..protocol.packets import EncodedPacket

#: RFC 6455, 7.4.1, and its registry of close codes.
NORMAL_CLOSURE = 1000
NO_STATUS = 1005
MESSAGE_TOO_BIG = 1009
SERVICE_RESTART = 1012


class WebSocketIO:
    """Receives and sends for one WebSocket, and knows whether its client is gone."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send
        #: The code with which the client left, once it has.
        self.disconnect_code: int | None = None

    async def next_frame(self) -> str | bytes | None:
        """Returns the next frame; None when the client is gone."""
        while (frame := frame_of(message := await self.receive())) is None:
            if self.is_over(message):
                return None
        return frame

    def is_over(self, message: Message) -> bool:
        """Whether a message that carries no frame says that the client is gone. Others are ignored."""
        if message["type"] != "websocket.disconnect":
            return False
        self.disconnect_code = message.get("code") or NO_STATUS
        return True

    async def try_send(self, message: Message) -> bool:
        """Sends. False if the client is going. Raises what middleware does."""
        try:
            await self.send(message)
        except Exception as error:
            if not is_gone(self.send, error):
                raise
            return False
        return True

    async def close(self, code: int = NORMAL_CLOSURE) -> None:
        """Closes the WebSocket, unless the client did. Clients see the bare close of the reference, but for its
        code.
        """
        if self.disconnect_code is not None:
            return
        if code != NORMAL_CLOSURE:
            # Daphne's WebSocket library lets an application close with 1000 and its own codes only, and raises else.
            with contextlib.suppress(Exception):
                await self.send({"type": "websocket.close", "code": code})
                return
        await self.try_send({"type": "websocket.close", "code": NORMAL_CLOSURE})

    def send_text_only(self) -> None:
        """The client asked, with `b64` in its query, for text frames only (`supportsBinary`)."""
        self.send = _in_base64(self.send)


def frame_of(message: Message) -> str | bytes | None:
    """Returns the frame that a message carries, by value: servers may give both keys, one of them None."""
    if message["type"] != "websocket.receive":
        return None
    text = message.get("text")
    return text if text is not None else message.get("bytes") or b""


def _in_base64(send: Send) -> Send:
    """Returns a `send` that writes binary data as text."""

    async def send_text(message: Message) -> None:
        """Sends a message with its binary data as text."""
        content = message.get("bytes")
        if content is not None:
            message = {"type": "websocket.send", "text": EncodedPacket(content).segment.decode()}
        await send(message)

    return send_text
