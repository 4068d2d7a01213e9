"""Each scenario of the conformance tests, with the bundle of the official client in Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.conformance.conftest import OURS, Bystanders
from tests.conformance.report import Verdict
from tests.conformance.scenarios.case import check, perform_all
from tests.conformance.scenarios.performer import Part, Performer
from tests.conformance.servers import Farm

from .page_agent import SETTINGS, PageAgents

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def performer(farm: Farm, browser: Browser) -> AsyncIterator[Performer]:
    agents = PageAgents(browser)
    yield Performer(farm, lambda client, server: agents.get(server), SETTINGS)
    await agents.check()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    kinds = OURS if metafunc.config.option.everywhere else ["uvicorn"]
    perform_all(metafunc, [(kind, "chromium") for kind in kinds])


async def test_scenario(
    name: str,
    kind: str,
    part: Part,
    performer: Performer,
    bystanders: Bystanders,
    verdict: Verdict,
    request: pytest.FixtureRequest,
) -> None:
    await check(name, kind, part, performer, bystanders, verdict, request.node, "Chromium")
