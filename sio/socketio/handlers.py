"""What a namespace calls: the hooks and event handlers found on a class, with what their signatures say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .misnomers import check_names
from .protocol.packets import RESERVED_EVENTS

_EVENT_PREFIX = "event_"
#: The hooks, each with what it takes after the socket.
_HOOKS = {"connect": "auth", "disconnect": "reason"}

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class EventHandler:
    """One `event_<name>` method. `max_args` is None for a handler with `*args`."""

    method: str
    min_args: int
    max_args: int | None
    takes_ack: bool

    def accepts(self, count: int) -> bool:
        """Whether the handler can be called with that many arguments of an event."""
        return count >= self.min_args and (self.max_args is None or count <= self.max_args)

    @property
    def arity(self) -> str:
        """How many arguments the handler takes, for a message to the developer."""
        if self.max_args is None:
            return f"{self.min_args} or more"
        return str(self.min_args) if self.min_args == self.max_args else f"{self.min_args} to {self.max_args}"


@dataclass(frozen=True, slots=True)
class Handlers:
    """All that a class handles. `factory` makes one instance for each connection; `owner` names the class."""

    owner: str = ""
    factory: Callable[[], Any] = object
    has_connect: bool = False
    has_disconnect: bool = False
    events: Mapping[str, EventHandler] = field(default_factory=dict)


def find_handlers(cls: type, base: type = object) -> Handlers:
    """Reads the handlers of a class, those of its bases and mixins included. Raises TypeError for one that cannot be
    called. The hooks of `base` are defaults, and do not count.
    """
    owner = f"{cls.__module__}.{cls.__qualname__}"
    check_names(cls, base)
    events = {
        name.removeprefix(_EVENT_PREFIX): _read_event_handler(cls, name)
        for name in dir(cls)
        if name.startswith(_EVENT_PREFIX) and name != _EVENT_PREFIX
    }
    has_connect, has_disconnect = (_has_hook(cls, base, name, argument) for name, argument in _HOOKS.items())
    return Handlers(owner, cls, has_connect, has_disconnect, events)


def _has_hook(cls: type, base: type, name: str, argument: str) -> bool:
    hook = getattr(cls, name, None)
    if hook is None:
        return False
    if hook is getattr(base, name, None):
        _check_not_hidden(cls, base, name)
        return False
    _require_async(cls, name, hook)
    try:
        inspect.signature(hook).bind(None, None, None)
    except TypeError:
        raise TypeError(f"{cls.__qualname__}.{name} must take (self, socket, {argument})") from None
    return True


def _check_not_hidden(cls: type, base: type, name: str) -> None:
    """Raises TypeError if the default of a hook stands before one that somebody wrote."""
    for other in cls.__mro__:
        if other is not base and name in vars(other):
            raise TypeError(
                f"{other.__qualname__}.{name} would never be called: "
                f"{cls.__qualname__} must name {other.__qualname__} before {base.__qualname__}"
            )


def _read_event_handler(cls: type, name: str) -> EventHandler:
    if name.removeprefix(_EVENT_PREFIX) in RESERVED_EVENTS:
        raise TypeError(f"{cls.__qualname__}.{name} handles a reserved event name, which no client can send")
    method = getattr(cls, name)
    _require_async(cls, name, method)
    signature = inspect.signature(method)
    kinds = {parameter.name: parameter.kind for parameter in signature.parameters.values()}
    takes_ack = kinds.get("ack") in _BY_NAME or inspect.Parameter.VAR_KEYWORD in kinds.values()
    args = [p for p in signature.parameters.values() if p.kind in _POSITIONAL and p.name != "ack"]
    required = [parameter for parameter in args if parameter.default is inspect.Parameter.empty]
    unlimited = inspect.Parameter.VAR_POSITIONAL in kinds.values()
    handler = EventHandler(name, max(len(required) - 2, 0), None if unlimited else len(args) - 2, takes_ack)
    if ("ack" in kinds and not takes_ack) or not _can_be_called(signature, handler):
        raise TypeError(
            f"{cls.__qualname__}.{name} must take (self, socket, *args, ack=None), with ack last and by its name"
        )
    return handler


def _can_be_called(signature: inspect.Signature, handler: EventHandler) -> bool:
    """Whether a method takes as few and as many arguments as its handler says."""
    most = handler.min_args + 1 if handler.max_args is None else handler.max_args
    ack = {"ack": None} if handler.takes_ack else {}
    try:
        for count in (handler.min_args, most):
            signature.bind(*[None] * (2 + count), **ack)
    except TypeError:
        return False
    return True


def _require_async(cls: type, name: str, method: Any) -> None:
    if not inspect.iscoroutinefunction(method) and not inspect.iscoroutinefunction(inspect.unwrap(method)):
        raise TypeError(
            f"{cls.__qualname__}.{name} must be declared with 'async def'; "
            "wrap blocking code in it with channels.db.database_sync_to_async or asgiref.sync.sync_to_async"
        )
