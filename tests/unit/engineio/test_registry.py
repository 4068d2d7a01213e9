"""The registry of a server: session ids, and the sessions that are found by them."""

from __future__ import annotations

import copy
import re

from sio.engineio import EngineIOOptions, EngineIOServer, get_engineio_server
from sio.engineio.connection import EngineIOConnection
from sio.engineio.protocol.state import Transport
from sio.engineio.registry import InMemorySessionRegistry


class Connection:
    """What a registry keeps: all that it knows of a connection is its sid."""

    def __init__(self, sid: str) -> None:
        self.sid = sid


Registry = InMemorySessionRegistry[Connection]


class TestSid:
    """A sid is a secret, and says in which process its session lives."""

    def test_sid_is_random(self) -> None:
        """At least 120 bits behind the tag of the process: 24 characters are 144."""
        known = Registry()
        sids = [known.new_sid() for _ in range(1_000)]
        assert len({sid[8:] for sid in sids}) == 1_000
        assert {len(sid) for sid in sids} == {32}

    def test_sid_needs_no_escaping_in_a_url(self) -> None:
        known = Registry()
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", known.new_sid()) for _ in range(100))

    def test_sids_of_a_process_share_its_tag(self) -> None:
        known = Registry()
        assert len({known.new_sid()[:8] for _ in range(100)}) == 1

    def test_processes_have_different_tags(self) -> None:
        assert len({Registry().new_sid()[:8] for _ in range(100)}) == 100

    def test_processes_that_forked_have_different_tags(self) -> None:
        """The tag is drawn after a server that forks its processes forked."""
        parent = Registry()
        assert copy.copy(parent).new_sid()[:8] != copy.copy(parent).new_sid()[:8]


class TestForeignSid:
    """A sid of another process is a sign of missing sticky sessions."""

    def test_own_sid_is_not_foreign(self) -> None:
        known = Registry()
        assert not known.is_foreign(known.new_sid())

    def test_sid_of_another_process_is_foreign(self) -> None:
        known = Registry()
        known.new_sid()
        assert known.is_foreign(Registry().new_sid())

    def test_any_sid_is_foreign_to_a_process_that_gave_none(self) -> None:
        assert Registry().is_foreign(Registry().new_sid())

    def test_junk_is_not_foreign(self) -> None:
        known = Registry()
        assert not any(known.is_foreign(sid) for sid in ("", "x", "x" * 31, "x" * 33, "x" * 1_000_000))

    def test_process_is_foreign_once_and_not_more_than_so_many_are(self) -> None:
        known = Registry()
        tags = [f"{number:08}" for number in range(101)]
        assert [known.is_foreign(tag + "x" * 24) for tag in tags] == [True] * 100 + [False]
        assert not known.is_foreign(tags[0] + "y" * 24)


class TestConnections:
    """Connections are found by the sid of their session."""

    def test_connection_is_found_by_its_sid(self) -> None:
        known = Registry()
        first, second = Connection(known.new_sid()), Connection(known.new_sid())
        known.add(first)
        known.add(second)
        assert known.get(first.sid) is first
        assert known.get(second.sid) is second
        assert len(known) == 2

    def test_connection_that_was_removed_is_not_found(self) -> None:
        known = Registry()
        connection = Connection(known.new_sid())
        known.add(connection)
        known.remove(connection)
        known.remove(connection)
        assert known.get(connection.sid) is None
        assert len(known) == 0

    def test_unknown_sid_is_not_found(self) -> None:
        assert Registry().get("unknown") is None

    def test_connections_may_go_while_they_are_walked_through(self) -> None:
        known = Registry()
        for _ in range(3):
            known.add(Connection(known.new_sid()))
        for connection in known:
            known.remove(connection)
        assert list(known) == []


class TestServer:
    """A server keeps its sessions in a registry, which may be another one than the default."""

    def test_process_has_a_registry(self) -> None:
        assert len(get_engineio_server().registry) == 0

    async def test_sessions_are_in_the_registry_that_the_server_was_given(self) -> None:
        registry = InMemorySessionRegistry[EngineIOConnection]()
        server = EngineIOServer(registry=registry)
        connection = server.open(Transport.POLLING, EngineIOOptions(), {"type": "http"})
        assert registry.get(connection.sid) is connection
        assert list(server.sockets) == [connection.socket]
        connection.socket.close()
        assert registry.get(connection.sid) is connection  # until its client has taken the rest
