"""Each scenario, with each client that runs in a process, over each transport. `scenarios/` has them.

The newest official client performs them with the official server too, which shows that they are right.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .conftest import OURS, Bystanders, fixture
from .report import Verdict
from .scenarios.agents import PROCESSES, Agents
from .scenarios.case import check, perform_all
from .scenarios.performer import Part, Performer
from .servers import Farm

#: How old a client is, and whether it is in threads, is all one to the ASGI server: these clients are with each server.
NEWEST = ("node", "python")


@fixture(scope="session")
async def performer(farm: Farm, agents: Agents) -> AsyncIterator[Performer]:
    yield Performer(farm, lambda client, server: agents.get(client))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    everywhere = metafunc.config.option.everywhere
    who = [
        (kind, client) for kind in OURS for client in PROCESSES if kind == "uvicorn" or client in NEWEST or everywhere
    ]
    perform_all(metafunc, [*who, ("node", "node")])


async def test_scenario(
    name: str,
    kind: str,
    part: Part,
    performer: Performer,
    agents: Agents,
    bystanders: Bystanders,
    verdict: Verdict,
    request: pytest.FixtureRequest,
) -> None:
    client = await (await agents.get(part.client)).name
    await check(name, kind, part, performer, bystanders, verdict, request.node, client)
