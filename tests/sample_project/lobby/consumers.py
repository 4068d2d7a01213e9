"""The consumer of the README's quickstart."""

from sio import SocketIOConsumer


class LobbyConsumer(SocketIOConsumer):
    namespace = "/lobby"

    async def connect(self, socket, auth):
        await socket.join("lobby")
        await socket.emit("system_message", {"text": "Welcome!"})
        return True

    async def disconnect(self, socket, reason):
        await socket.server.emit("left", {"id": socket.id}, room="lobby", namespace=socket.namespace)

    async def event_chat_message(self, socket, payload, ack=None):
        await socket.server.emit(
            "chat_message",
            {"text": payload["text"]},
            room="lobby",
            namespace=socket.namespace,
        )
        if ack is not None:
            await ack({"status": "ok"})

    async def event_add(self, socket, x, y):
        return x + y
