"""Methods of a consumer that nothing calls, though their names say that they handle something.

Other libraries call handlers `on_connect` or `websocket_receive`. A consumer with an `on_connect` that is never asked
would accept everybody.
"""

from __future__ import annotations

import inspect

from .log import Log

#: The hooks of other libraries, and what they are called here.
_FOREIGN_HOOKS = {
    "on_connect": "connect",
    "on_disconnect": "disconnect",
    "websocket_connect": "connect",
    "websocket_disconnect": "disconnect",
}
#: What receives all messages in a consumer of Channels.
_RECEIVERS = {"receive_json", "websocket_receive"}
_FOREIGN_PREFIX = "on_"


def check_names(cls: type, base: type) -> None:
    """Raises TypeError for a hook under another library's name, and logs event handlers under such names.

    A method whose right name exists as well is none of these: that one may call it, as a template method does.
    """
    for name in dir(cls):
        meant = _FOREIGN_HOOKS.get(name) or _meant_event(name)
        if meant is None or hasattr(base, name) or not inspect.isroutine(getattr(cls, name)):
            continue
        if getattr(cls, meant, None) is not getattr(base, meant, None):
            continue
        if name in _FOREIGN_HOOKS:
            raise TypeError(f"{cls.__qualname__}.{name} would never be called: name it {meant!r}")
        Log.METHOD_UNUSED.log(cls.__qualname__, name, meant)


def _meant_event(name: str) -> str | None:
    """Returns the right name of what may be the handler of an event."""
    if name in _RECEIVERS:
        return "event_<name>"
    event = name.removeprefix(_FOREIGN_PREFIX)
    return f"event_{event}" if event and event != name else None
