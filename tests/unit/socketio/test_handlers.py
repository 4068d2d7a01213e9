"""The hooks and event handlers of a class, and what their signatures say."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from sio.socketio.handlers import EventHandler, Handlers, find_handlers
from sio.socketio.protocol.packets import RESERVED_EVENTS


def consumer(**members: Any) -> type:
    """Returns a class with these members."""
    return type("Consumer", (), members)


def handler_of(method: Any) -> EventHandler:
    """Returns the handler that is found for a method of the event `test`."""
    return find_handlers(consumer(event_test=method)).events["test"]


def assert_refused(message: str, **members: Any) -> None:
    with pytest.raises(TypeError, match=message):
        find_handlers(consumer(**members))


# Methods of consumers.


async def nothing(self, socket): ...
async def ack_only(self, socket, ack=None): ...
async def ack_required(self, socket, ack): ...
async def one(self, socket, a): ...
async def one_and_ack(self, socket, a, ack=None): ...
async def one_or_two(self, socket, a, b=None): ...
async def one_or_two_and_ack(self, socket, a, b=None, ack=None): ...
async def optional(self, socket, a=None, b=None, *, ack=None): ...
async def any_number(self, socket, *args): ...
async def any_number_and_ack(self, socket, *args, ack=None): ...
async def one_or_more(self, socket, a, *args): ...
async def all_keywords(self, socket, a, **options): ...
async def everything(*args, **kwargs): ...
async def positional_only(self, socket, a, /, ack=None): ...


async def without_socket(self): ...
async def without_anything(): ...
async def ack_first(self, socket, ack, a): ...
async def ack_before_the_rest(self, socket, ack=None, *args): ...
async def ack_instead_of_the_socket(self, ack): ...
async def ack_by_position(self, socket, ack, /): ...
async def ack_as_the_rest(self, socket, *ack): ...
async def other_keyword(self, socket, *, room): ...
def synchronous(self, socket): ...


class TestEventHandlers:
    """`event_<name>(self, socket, *args, ack=None)`."""

    @pytest.mark.parametrize(
        ("method", "counts", "arity", "takes_ack"),
        [
            (nothing, {0}, "0", False),
            (ack_only, {0}, "0", True),
            (ack_required, {0}, "0", True),
            (one, {1}, "1", False),
            (one_and_ack, {1}, "1", True),
            (one_or_two, {1, 2}, "1 to 2", False),
            (one_or_two_and_ack, {1, 2}, "1 to 2", True),
            (optional, {0, 1, 2}, "0 to 2", True),
            (any_number, {0, 1, 2, 3, 4}, "0 or more", False),
            (any_number_and_ack, {0, 1, 2, 3, 4}, "0 or more", True),
            (one_or_more, {1, 2, 3, 4}, "1 or more", False),
            (all_keywords, {1}, "1", True),
            (everything, {0, 1, 2, 3, 4}, "0 or more", True),
            (positional_only, {1}, "1", True),
        ],
    )
    def test_signature_says_what_it_takes(
        self, method: Callable[..., Any], counts: set[int], arity: str, takes_ack: bool
    ) -> None:
        handler = handler_of(method)
        assert {count for count in range(5) if handler.accepts(count)} == counts
        assert handler.arity == arity
        assert handler.takes_ack is takes_ack

    @pytest.mark.parametrize(
        "method",
        [
            without_socket,
            without_anything,
            ack_first,
            ack_before_the_rest,
            ack_instead_of_the_socket,
            ack_by_position,
            ack_as_the_rest,
            other_keyword,
        ],
    )
    def test_method_that_cannot_be_called_is_refused(self, method: Callable[..., Any]) -> None:
        assert_refused(r"^Consumer\.event_test must take \(self, socket, \*args, ack=None\)", event_test=method)

    def test_local_variable_called_ack_is_no_parameter(self) -> None:
        """`co_varnames` is not a signature."""

        async def method(self, socket):
            ack = 1
            return ack

        assert not handler_of(method).takes_ack

    @pytest.mark.parametrize("value", [synchronous, "text", ["a", "list"], property(synchronous), object])
    def test_member_that_is_not_async_is_refused(self, value: Any) -> None:
        assert_refused(r"^Consumer\.event_test must be declared with 'async def'", event_test=value)

    @pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
    def test_handler_of_a_reserved_event_is_refused(self, name: str) -> None:
        assert_refused("handles a reserved event name", **{f"event_{name}": nothing})

    def test_name_of_the_event_follows_the_prefix(self) -> None:
        names = ["a", "chat_message", "_private", "event_event", "é", "Error", "message"]
        events = find_handlers(consumer(**{f"event_{name}": one for name in names})).events
        assert set(events) == set(names)
        assert all(handler.method == f"event_{name}" for name, handler in events.items())

    def test_no_other_member_is_a_handler(self) -> None:
        """Bad input 47: a client cannot reach a method that is not called `event_…`."""
        cls = consumer(send=one, on_event=one, event=one, events=one, Event_x=one, event_=one, connect=one)
        assert find_handlers(cls).events == {}


class TestDecorators:
    """Handlers may be wrapped."""

    def test_decorator_that_wraps_keeps_the_signature(self) -> None:
        @functools.wraps(one_or_two)
        async def wrapper(*args: Any, **kwargs: Any) -> Any: ...

        handler = handler_of(wrapper)
        assert (handler.min_args, handler.max_args, handler.takes_ack) == (1, 2, False)

    def test_wrapped_coroutine_function_may_be_called_by_a_function(self) -> None:
        @functools.wraps(one_and_ack)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return one_and_ack(*args, **kwargs)

        assert handler_of(wrapper).takes_ack

    def test_decorator_that_does_not_wrap_takes_anything(self) -> None:
        assert handler_of(everything).max_args is None


class TestInheritance:
    """Handlers and hooks of bases and mixins count."""

    class Base:
        async def connect(self, socket, auth): ...
        async def event_base(self, socket): ...
        async def event_both(self, socket): ...

    class Mixin:
        async def disconnect(self, socket, reason): ...
        async def event_mixin(self, socket, a): ...

    def test_handlers_of_bases_and_mixins_are_found(self) -> None:
        class Consumer(self.Mixin, self.Base):
            async def event_both(self, socket, a, b): ...

        handlers = find_handlers(Consumer)
        assert set(handlers.events) == {"base", "both", "mixin"}
        assert handlers.events["both"].arity == "2"
        assert (handlers.has_connect, handlers.has_disconnect) == (True, True)

    def test_base_is_not_changed_by_its_subclass(self) -> None:
        class Consumer(self.Base):
            async def event_own(self, socket): ...

        find_handlers(Consumer)
        assert set(find_handlers(self.Base).events) == {"base", "both"}


class TestHooks:
    """`connect` and `disconnect`, each of which may be missing."""

    @pytest.mark.parametrize("members", [{}, {"connect": None, "disconnect": None}])
    def test_class_without_hooks(self, members: dict[str, Any]) -> None:
        handlers = find_handlers(consumer(**members))
        assert (handlers.has_connect, handlers.has_disconnect) == (False, False)

    @pytest.mark.parametrize("hook", ["connect", "disconnect"])
    @pytest.mark.parametrize("method", [one, one_or_two, any_number, everything, all_keywords])
    def test_hook_that_takes_one_argument_is_found(self, hook: str, method: Callable[..., Any]) -> None:
        handlers = find_handlers(consumer(**{hook: method}))
        assert getattr(handlers, f"has_{hook}")

    @pytest.mark.parametrize(("hook", "argument"), [("connect", "auth"), ("disconnect", "reason")])
    @pytest.mark.parametrize("method", [nothing, without_socket, other_keyword, ack_first])
    def test_hook_that_cannot_be_called_is_refused(self, hook: str, argument: str, method: Callable[..., Any]) -> None:
        assert_refused(rf"^Consumer\.{hook} must take \(self, socket, {argument}\)$", **{hook: method})

    @pytest.mark.parametrize("hook", ["connect", "disconnect"])
    def test_hook_that_is_not_async_is_refused(self, hook: str) -> None:
        assert_refused(rf"^Consumer\.{hook} must be declared with 'async def'", **{hook: synchronous})


class TestDefaults:
    """The hooks of the base class are defaults, which cost nothing and do not count."""

    class Default:
        async def connect(self, socket, auth): ...
        async def disconnect(self, socket, reason): ...

    def test_default_hook_does_not_count(self) -> None:
        class Consumer(self.Default):
            async def disconnect(self, socket, reason): ...

        handlers = find_handlers(Consumer, self.Default)
        assert (handlers.has_connect, handlers.has_disconnect) == (False, True)

    @pytest.mark.parametrize("hook", ["connect", "disconnect"])
    def test_hook_behind_the_default_is_refused(self, hook: str) -> None:
        mixin = type("Mixin", (), {hook: one})
        late = type("Late", (self.Default, mixin), {})
        with pytest.raises(
            TypeError, match=rf"^Mixin\.{hook} would never be called: Late must name Mixin before .*Def"
        ):
            find_handlers(late, self.Default)
        handlers = find_handlers(type("Right", (mixin, self.Default), {}), self.Default)
        assert getattr(handlers, f"has_{hook}")


class TestHandlers:
    """`Handlers`, as a namespace gets them."""

    def test_factory_makes_an_instance_of_the_class(self) -> None:
        cls = consumer()
        handlers = find_handlers(cls)
        assert type(handlers.factory()) is cls
        assert handlers.owner == f"{cls.__module__}.Consumer"

    def test_nothing_is_handled_by_default(self) -> None:
        handlers = Handlers()
        assert handlers.events == {}
        assert not handlers.owner
