"""What the tests of the scenarios have in common: those of the clients in processes, and of the browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.conformance.conftest import Bystanders, unharmed
from tests.conformance.report import Verdict

from .performer import Part, Performer
from .stage import TRANSPORTS
from .table import SCENARIOS


def perform_all(metafunc: pytest.Metafunc, who: Iterable[tuple[str, str]]) -> None:
    """Has a test performed with each scenario, of these servers and clients each pair, and each transport."""
    cases = [
        pytest.param(name, kind, Part(client, transport), id=f"{name}-{kind}-{client}-{transport}")
        for name in SCENARIOS
        for kind, client in who
        for transport in TRANSPORTS
    ]
    metafunc.parametrize(("name", "kind", "part"), cases)


def parts(item: pytest.Item) -> list[Part]:
    """Who performs the scenario of a test in this run: the clients of the same module."""
    name, kind, _ = _case(item)
    others = [_case(other) for other in item.session.items if other.path == item.path]
    return [part for *case, part in others if case == [name, kind]]


def _case(item: pytest.Item) -> tuple[Any, Any, Any]:
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return params.get("name"), params.get("kind"), params.get("part")


async def check(
    name: str,
    kind: str,
    part: Part,
    performer: Performer,
    bystanders: Bystanders,
    verdict: Verdict,
    item: pytest.Item,
    client: str,
) -> None:
    """Performs a scenario, and checks that its server was not harmed."""
    scenario = SCENARIOS[name]
    verdict.of("Scenarios", scenario.clause, scenario.title, server=kind, client=client, transport=part.transport)
    if scenario.restarts:
        reasons = await performer.perform_together(scenario, kind, part, parts(item))
    else:
        server = await performer.server(scenario, kind)
        async with unharmed(server, bystanders, item):
            if scenario.waits:
                reasons = await performer.perform_together(scenario, kind, part, parts(item))
            else:
                reasons = await performer.perform(scenario, server, part)
    for reason in reasons:
        verdict.deviates(reason)
