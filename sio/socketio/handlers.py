"""What a namespace calls: the hooks and event handlers found on a class, with what their signatures say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .packets import RESERVED_EVENTS

EVENT_PREFIX = "event_"

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


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


def find_handlers(cls: type) -> Handlers:
    """Reads the handlers of a class, those of its bases and mixins included. Raises TypeError for one that cannot be
    called.
    """
    owner = f"{cls.__module__}.{cls.__qualname__}"
    events = {
        name.removeprefix(EVENT_PREFIX): _read_event_handler(cls, name)
        for name in dir(cls)
        if name.startswith(EVENT_PREFIX) and name != EVENT_PREFIX
    }
    return Handlers(owner, cls, _has_hook(cls, "connect", "auth"), _has_hook(cls, "disconnect", "reason"), events)


def _has_hook(cls: type, name: str, argument: str) -> bool:
    hook = getattr(cls, name, None)
    if hook is None:
        return False
    _require_async(cls, name, hook)
    try:
        inspect.signature(hook).bind(None, None, None)
    except TypeError:
        raise TypeError(f"{cls.__qualname__}.{name} must take (self, socket, {argument})") from None
    return True


def _read_event_handler(cls: type, name: str) -> EventHandler:
    if name.removeprefix(EVENT_PREFIX) in RESERVED_EVENTS:
        raise TypeError(f"{cls.__qualname__}.{name} handles a reserved event name, which no client can send")
    method = getattr(cls, name)
    _require_async(cls, name, method)
    parameters = list(inspect.signature(method).parameters.values())
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    unlimited = any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters)
    keywords = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    takes_ack = keywords or any(parameter.name == "ack" for parameter in parameters)
    own = _drop_ack(positional)
    required = [parameter for parameter in own if parameter.default is inspect.Parameter.empty]
    if (len(own) < 2 and not unlimited) or own != positional[: len(own)] or (unlimited and own != positional):
        raise TypeError(
            f"{cls.__qualname__}.{name} must take (self, socket, *args, ack=None), with ack last and by its name"
        )
    return EventHandler(name, max(len(required) - 2, 0), None if unlimited else len(own) - 2, takes_ack)


def _drop_ack(positional: list[inspect.Parameter]) -> list[inspect.Parameter]:
    return [parameter for parameter in positional if parameter.name != "ack"]


def _require_async(cls: type, name: str, method: Any) -> None:
    if not inspect.iscoroutinefunction(method) and not inspect.iscoroutinefunction(inspect.unwrap(method)):
        raise TypeError(
            f"{cls.__qualname__}.{name} must be declared with 'async def'; "
            "wrap blocking code in it with channels.db.database_sync_to_async or asgiref.sync.sync_to_async"
        )
