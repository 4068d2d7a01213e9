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


def who_performs(config: pytest.Config) -> list[tuple[str, str]]:
    """Servers, and clients with each."""
    if config.option.quick:
        return [("uvicorn", "node")]
    everywhere = config.option.everywhere
    ours = [(kind, client) for kind in OURS for client in PROCESSES]
    return [*(who for who in ours if "uvicorn" in who or who[1] in NEWEST or everywhere), ("node", "node")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    perform_all(metafunc, who_performs(metafunc.config))


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
