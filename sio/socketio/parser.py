"""The parser: the documented import path of what `socketio.protocol.parser` has."""

from .protocol.parser import SocketIOParser

__all__ = ["SocketIOParser"]
