"""Where the sessions of a process are found."""

from __future__ import annotations

import copy
import re

from sio.engineio.app import EngineIOApplication
from sio.engineio.registry import InMemorySessionRegistry, registry
from sio.engineio.session import EngineIOOptions
from sio.engineio.socket import EngineIOSocket
from sio.engineio.state import Transport


def new_socket(registry: InMemorySessionRegistry) -> EngineIOSocket:
    return EngineIOSocket(Transport.POLLING, EngineIOOptions(), {"type": "http"}, EngineIOApplication(), registry)


class TestSid:
    """A sid is a secret, and says in which process its session lives."""

    def test_sid_is_random(self) -> None:
        """At least 120 bits behind the tag of the process: 24 characters are 144."""
        known = InMemorySessionRegistry()
        sids = [known.new_sid() for _ in range(1_000)]
        assert len({sid[8:] for sid in sids}) == 1_000
        assert {len(sid) for sid in sids} == {32}

    def test_sid_needs_no_escaping_in_a_url(self) -> None:
        known = InMemorySessionRegistry()
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", known.new_sid()) for _ in range(100))

    def test_sids_of_a_process_share_its_tag(self) -> None:
        known = InMemorySessionRegistry()
        assert len({known.new_sid()[:8] for _ in range(100)}) == 1

    def test_processes_have_different_tags(self) -> None:
        assert len({InMemorySessionRegistry().new_sid()[:8] for _ in range(100)}) == 100

    def test_processes_that_forked_have_different_tags(self) -> None:
        """The tag is drawn after a server that forks its processes forked."""
        parent = InMemorySessionRegistry()
        assert copy.copy(parent).new_sid()[:8] != copy.copy(parent).new_sid()[:8]


class TestForeignSid:
    """A sid of another process is a sign of missing sticky sessions."""

    def test_own_sid_is_not_foreign(self) -> None:
        known = InMemorySessionRegistry()
        assert not known.is_foreign(known.new_sid())

    def test_sid_of_another_process_is_foreign(self) -> None:
        known = InMemorySessionRegistry()
        known.new_sid()
        assert known.is_foreign(InMemorySessionRegistry().new_sid())

    def test_any_sid_is_foreign_to_a_process_that_gave_none(self) -> None:
        assert InMemorySessionRegistry().is_foreign(InMemorySessionRegistry().new_sid())

    def test_junk_is_not_foreign(self) -> None:
        known = InMemorySessionRegistry()
        assert not any(known.is_foreign(sid) for sid in ("", "x", "x" * 31, "x" * 33, "x" * 1_000_000))


class TestSessions:
    """Sessions by their sid."""

    async def test_session_is_found_by_its_sid(self) -> None:
        known = InMemorySessionRegistry()
        first, second = new_socket(known), new_socket(known)
        known.add(first)
        known.add(second)
        assert known.get(first.sid) is first
        assert known.get(second.sid) is second
        assert len(known) == 2

    async def test_session_that_was_removed_is_not_found(self) -> None:
        known = InMemorySessionRegistry()
        socket = new_socket(known)
        known.add(socket)
        known.remove(socket)
        known.remove(socket)
        assert known.get(socket.sid) is None
        assert len(known) == 0

    def test_unknown_sid_is_not_found(self) -> None:
        assert InMemorySessionRegistry().get("unknown") is None

    async def test_sessions_may_go_while_they_are_walked_through(self) -> None:
        known = InMemorySessionRegistry()
        for _ in range(3):
            known.add(new_socket(known))
        for socket in known:
            known.remove(socket)
        assert list(known) == []

    def test_process_has_a_registry(self) -> None:
        assert len(registry) == 0


def test_foreign_processes_are_told_once_and_not_without_end() -> None:
    registry = InMemorySessionRegistry()
    tags = [f"{number:08}" for number in range(101)]
    assert [registry.is_foreign(tag + "x" * 24) for tag in tags] == [True] * 100 + [False]
    assert not registry.is_foreign(tags[0] + "y" * 24)
