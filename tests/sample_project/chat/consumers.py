"""The server side of the chat: what happens when a client connects, leaves, or sends an event."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from django.utils import timezone

from chat.inputs import (
    ID_LENGTH,
    MESSAGE_LENGTH,
    NICKNAME_LENGTH,
    ROOM_LENGTH,
    InvalidInput,
    clean_image,
    clean_text,
)
from chat.rooms import Room, open_room, status
from sio import ConnectionRefused, NamespaceSocket, SocketIOConsumer

Payload = dict[str, Any]
Handler = Callable[["ChatConsumer", NamespaceSocket, Payload], Awaitable[Payload]]


def acknowledged(handler: Handler) -> Callable[..., Awaitable[Payload]]:
    """Make the ack ``{"ok": True, …}``, or ``{"ok": False, "error": …}`` when the client sent something invalid."""

    @wraps(handler)
    async def event(self: "ChatConsumer", socket: NamespaceSocket, payload: Any) -> Payload:
        try:
            answer = await handler(self, socket, payload if isinstance(payload, dict) else {})
        except InvalidInput as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True} | answer

    return event


class ChatConsumer(SocketIOConsumer):
    """A chat with rooms. Every client has an instance of its own, so its attributes are that client's state."""

    namespace = "/chat"
    nickname: str
    room: Room | None = None

    async def connect(self, socket: NamespaceSocket, auth: Payload) -> bool:
        """Accept everybody who brings a nickname."""
        try:
            self.nickname = clean_text(auth.get("nickname"), "A nickname", NICKNAME_LENGTH)
        except InvalidInput as error:
            raise ConnectionRefused(str(error)) from error
        return True

    async def disconnect(self, socket: NamespaceSocket, reason: str) -> None:
        """Tell the others, whatever the reason."""
        await self.move(socket, None)

    @acknowledged
    async def event_join(self, socket: NamespaceSocket, payload: Payload) -> Payload:
        """Enter a room: its last messages come first, then the ack."""
        room = open_room(clean_text(payload.get("room"), "A room name", ROOM_LENGTH))
        if room is not self.room:
            await self.move(socket, room)
        for message in list(room.history):
            await socket.emit("message", message)
        return {"room": room.name, "people": room.people}

    @acknowledged
    async def event_message(self, socket: NamespaceSocket, payload: Payload) -> Payload:
        """Send a text to the room."""
        return await self.publish(socket, payload, text=clean_text(payload.get("text"), "A message", MESSAGE_LENGTH))

    @acknowledged
    async def event_image(self, socket: NamespaceSocket, payload: Payload) -> Payload:
        """Send an image to the room: a File or an ArrayBuffer arrives as bytes, and bytes leave as binary data."""
        image, media_type = clean_image(payload.get("image"))
        return await self.publish(socket, payload, image=image, type=media_type)

    async def event_typing(self, socket: NamespaceSocket, typing: Any) -> None:
        """Show the others that this person is writing; nobody waits for an ack."""
        if self.room is not None:
            news = {"room": self.room.name, "nickname": self.nickname, "typing": bool(typing)}
            await socket.to(channel(self.room)).emit("typing", news)

    async def move(self, socket: NamespaceSocket, room: Room | None) -> None:
        """Go from the present room, if any, to `room`, if any, and let everybody know."""
        left, self.room = self.room, room
        # Both at once and before anything is awaited: a client may vanish at any moment.
        has_left = left is not None and left.leave(self.nickname)
        has_entered = room is not None and room.enter(self.nickname)
        if left is not None:
            await socket.leave(channel(left))
            if has_left:
                await socket.to(channel(left)).emit("presence", presence(left, left=self.nickname))
        if room is not None:
            await socket.join(channel(room))
            if has_entered:
                await socket.to(channel(room)).emit("presence", presence(room, joined=self.nickname))
        await StatusConsumer.sockets.emit("status", status())

    async def publish(self, socket: NamespaceSocket, payload: Payload, **content: Any) -> Payload:
        """Send a message to the others and remember it. One that is sent again after a lost ack counts once."""
        message_id = clean_text(payload.get("id"), "The id of a message", ID_LENGTH)
        if self.room is None or self.room.name != payload.get("room"):
            raise InvalidInput("Join the room before you send something to it.")
        message = self.room.find(message_id, self.nickname)
        if message is None:
            header = {"id": message_id, "room": self.room.name, "author": self.nickname, "at": timezone.now()}
            message = header | content
            self.room.remember(message)
            await socket.to(channel(self.room)).emit("message", message)
        return {}


class StatusConsumer(SocketIOConsumer):
    """Who is online: a second namespace on the same connection, which needs no nickname."""

    namespace = "/status"

    async def connect(self, socket: NamespaceSocket, auth: Payload) -> bool:
        """Tell the present state; every change follows by itself."""
        await socket.emit("status", status())
        return True


def channel(room: Room) -> str:
    """Return the Socket.IO room. Its prefix matters: people choose names, and `~` at their beginning is refused."""
    return f"room:{room.name}"


def presence(room: Room, **news: str) -> Payload:
    """Return who is in the room, with the news about one of them."""
    return {"room": room.name, "people": room.people, **news}
