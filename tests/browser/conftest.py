"""A browser, the servers, and the people who use them. All of it runs in the event loop of the session."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.conformance.conftest import bystanders, farm  # noqa: F401  (fixtures of the scenarios)
from tests.ensure_services import find
from tests.pace import TIMEOUT

from .person import Person
from .sample_server import CLIENT, SampleServer

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

People = Callable[..., Awaitable[Person]]
StartServer = Callable[[str], SampleServer]
SERVERS = pytest.StashKey[list[SampleServer]]()

expect.set_options(timeout=1000 * TIMEOUT)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The Chromium of the machine, or the one that Playwright has installed."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find("chromium"), args=CHROMIUM_ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def profiles() -> dict[str, BrowserContext]:
    """The browser profiles of the people, with their caches: a new one for each test would double its time."""
    return {}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleServer]:
    """The sample project on Daphne, for all tests that leave it running."""
    with running("daphne", tmp_path_factory) as server:
        yield server


@pytest.fixture
def start_server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[StartServer]:
    """Start servers, by their kind, for one test."""
    with ExitStack() as servers:

        def start(kind: str) -> SampleServer:
            server = servers.enter_context(running(kind, tmp_path_factory))
            request.node.stash.setdefault(SERVERS, []).append(server)
            return server

        yield start


@contextmanager
def running(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleServer]:
    """Run a server as long as the context lasts."""
    if not CLIENT.is_file():
        pytest.fail(f"{CLIENT} is missing: run `npm install` in the root of the repository.", pytrace=False)
    server = SampleServer(kind, tmp_path_factory.mktemp("server") / f"{kind}.log")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def people(
    browser: Browser, profiles: dict[str, BrowserContext], start_server: StartServer, request: pytest.FixtureRequest
) -> AsyncIterator[People]:
    """Invite people by nickname: each has a browser profile of their own, and comes into the room of the test.

    They leave before the servers of `start_server` stop.
    """
    invited: list[Person] = []

    async def invite(
        nickname: str,
        server: SampleServer,
        *,
        room: str = request.node.name[-40:],
        transport: str | None = None,
        **context_options: Any,
    ) -> Person:
        profile = (nickname, *context_options.items())
        if str(profile) not in profiles:
            profiles[str(profile)] = await browser.new_context(**context_options)
        person = Person(await profiles[str(profile)].new_page(), server.url, nickname)
        invited.append(person)
        await person.arrive(room, transport)
        return person

    yield invite
    for person in invited:
        await person.page.close()
    assert [(person.nickname, person.problems) for person in invited if person.problems] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers of a failed test have said."""
    report = yield
    if report.failed:
        shared = [value for value in item.funcargs.values() if isinstance(value, SampleServer)]
        for server in shared + item.stash.get(SERVERS, []):
            report.sections.append((f"Log of {server.url}", server.tail()))
    return report
