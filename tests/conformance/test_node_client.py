"""The official client, over each transport. The official server is asked too, to show that a test is right."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from .conftest import OURS
from .node import NODE_TRANSPORTS, NodeClient
from .servers import Server, running

#: What a scenario sees, and its arguments.
SCENARIOS: dict[str, tuple[Any, list[Any]]] = {
    "echoes_arguments": (
        [[1, "two", [3], {"four": None}, True, None, "\u001e\u2028\u0000é😀", None], []],
        [],
    ),
    "echoes_binary": (["<00ff>", {"a": ["<0102>", "<>"]}, "text"], []),
    "gets_empty_attachments": ([[0, "<30>", "<>"], [1, "<31>", "<>"], "<>"], []),
    "gets_acknowledgements": ([[], [[1, 2]], [1, 2], [1], "promise"], []),
    "gets_binary_acknowledgements": ([1, "<07>"], []),
    "tires_of_waiting_for_an_acknowledgement": (
        [{"message": "operation has timed out", "data": None}, "in time"],
        [],
    ),
    "acknowledges": (["answer", "who", "<01>"], []),
    "answers_calls": ([[["why", 42]], ["AckTimeout"]], []),
    "has_several_namespaces_on_one_connection": (["/", "/custom", "/members", "still here", True], []),
    "sends_its_auth": ([[{"name": "é", "list": [1]}], ["<01>"]], []),
    "is_refused": (
        [
            ["/nowhere", "Invalid namespace", None],
            ["/nowhere?a=b", "Invalid namespace", None],
            ["/false", "Not authorized", None],
            ["/none", "Not authorized", None],
            ["/refused", "no entry", {"code": 7}],
            ["/members", "wrong token", None],
        ],
        [],
    ),
    "tries_again_with_the_right_token": (["wrong token", "in"], []),
    "emits_before_it_is_connected": ([[[0], [1], [2]], "nothing more"], []),
    "emits_volatile_events": (["arrives"], []),
    "retries": ([1, 2, 3], []),
    "uses_the_chat_of_the_documentation": ([[{"text": "Welcome!"}], [{"text": "Hello"}], {"status": "ok"}], []),
    "meets_others_in_rooms": ({"ann": [1, 2, 5], "bob": [1, 2, 3, 4]}, ["node client's room"]),
    "is_disconnected_by_the_server": ([[[0, ""], [1, ""]], "io server disconnect", "stays", False], [False]),
    "keeps_the_order_of_its_events": ("{transports}", [1000]),
    "gets_events_in_order": ("{transports}", [1000]),
    "exchanges_large_messages": ([900_001, "éx", 630_000, True], [900_000]),
    "moves_to_websocket": (["{transport}", "there", True], []),
}


def with_transport(expected: Any, transport: str) -> Any:
    """The transport that a connection ends on takes its place in what is expected, as do all that it has used."""
    if expected == "{transports}":
        return ["polling", "websocket"] if transport == "upgrade" else [transport]
    name = "polling" if transport == "polling" else "websocket"
    return [name if value == "{transport}" else value for value in expected] if isinstance(expected, list) else expected


@pytest.mark.parametrize("transport", NODE_TRANSPORTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_official_client(scenario: str, transport: str, any_server: Server, node: NodeClient) -> None:
    expected, args = SCENARIOS[scenario]
    seen = await node.perform(scenario, any_server, transport, *args)
    assert seen == with_transport(expected, transport)


@pytest.mark.parametrize("transport", NODE_TRANSPORTS)
async def test_server_that_closes_the_connection_disconnects_all_namespaces(
    transport: str, any_server: Server, node: NodeClient
) -> None:
    burst, reason, other_reason, _ = await node.perform("is_disconnected_by_the_server", any_server, transport, True)
    assert burst == [[0, ""], [1, ""]]
    assert (reason, other_reason) == ("io server disconnect", "io server disconnect")


@pytest.mark.parametrize("transport", NODE_TRANSPORTS)
@pytest.mark.parametrize(("count", "size"), [(5, 400_000), (1000, 10)])
async def test_client_gets_a_whole_burst(
    count: int, size: int, transport: str, any_server: Server, node: NodeClient
) -> None:
    burst = await node.perform("gets_a_burst", any_server, transport, count, size)
    assert burst == [[number, size] for number in range(count)]


@pytest.mark.parametrize("transport", NODE_TRANSPORTS)
@pytest.mark.parametrize(
    ("scenario", "reason"),
    [("disconnects", "client namespace disconnect"), ("closes_its_connection", "transport close")],
)
async def test_server_learns_why_the_client_left(
    scenario: str, reason: str, transport: str, any_server: Server, node: NodeClient
) -> None:
    leaving = node.start_scenario(scenario, any_server, transport)
    assert await any_server.reason(await leaving.news()) == reason
    assert await leaving.result()


@pytest.mark.parametrize("kind", OURS)
async def test_clients_come_back_after_a_restart(kind: str, node: NodeClient) -> None:
    async with running(kind) as server:
        clients = [node.start_scenario("comes_back_after_a_restart", server, name) for name in NODE_TRANSPORTS]
        await asyncio.gather(*(client.news() for client in clients))
    async with running(kind, port=server.port):
        for client in clients:
            assert (await client.result())[1:] == [True, "back"]
