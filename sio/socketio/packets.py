"""Socket.IO packets: the documented import path of what `socketio.protocol.packets` has."""

from .protocol.packets import PacketType, SocketIOPacket

__all__ = ["PacketType", "SocketIOPacket"]
