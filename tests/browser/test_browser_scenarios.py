"""What only a browser can do: its own binary types, a page that is loaded again, no network for a while, two pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.conformance.conftest import OURS, Bystanders, unharmed
from tests.conformance.report import Verdict
from tests.conformance.scenarios.agents import Binary
from tests.conformance.scenarios.client import Client
from tests.conformance.scenarios.stage import TRANSPORTS
from tests.conformance.scenarios.waits import PATIENT
from tests.conformance.servers import Farm, Server

from .page_agent import SETTINGS, PageAgent

pytestmark = pytest.mark.asyncio(loop_scope="session")
session_fixture = pytest_asyncio.fixture(loop_scope="session")

DATA = bytes(range(256)) * 40
SENT_AS = ("Blob", "File", "ArrayBuffer", "Uint8Array")
#: Why a server says that the client of a page went: with the page, its poll is aborted.
PAGE_GONE = {"polling": {"transport error"}, "websocket": {"transport close"}, "upgrade": {"transport close"}}
#: And when the browser has no network: the browser closes a WebSocket, and leaves a poll that nobody answers.
OFFLINE = {"polling": {"ping timeout"}, "websocket": {"transport close"}, "upgrade": {"transport close"}}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", OURS if metafunc.config.option.everywhere else ["uvicorn"], scope="module")


@session_fixture
async def server(
    kind: str, farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest
) -> AsyncIterator[Server]:
    server = await farm.get(kind, SETTINGS)
    async with unharmed(server, bystanders, request.node):
        yield server


@session_fixture
async def patient_server(
    kind: str, farm: Farm, bystanders: Bystanders, request: pytest.FixtureRequest
) -> AsyncIterator[Server]:
    server = await farm.get(kind, {**PATIENT, **SETTINGS})
    async with unharmed(server, bystanders, request.node):
        yield server


@session_fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A profile of the test's own. Its pages are closed with it."""
    context = await browser.new_context()
    yield context
    await context.close()


@session_fixture
async def agent(context: BrowserContext, server: Server) -> AsyncIterator[PageAgent]:
    agent = await PageAgent.open(context, server)
    yield agent
    assert agent.errors == []


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def says(verdict: Verdict, kind: str, transport: str) -> Callable[[str, str], None]:
    """Says which case a test is, by its clause and its title."""

    def say(clause: str, title: str) -> None:
        verdict.of("Scenarios", clause, title, server=kind, client="Chromium", transport=transport)

    return say


async def connected(agent: PageAgent, server: Server, transport: str, **options: object) -> Client:
    client = Client(agent, server.url, transport, **options)
    await client.connect()
    await client.ends_on("polling" if transport == "polling" else "websocket")
    return client


async def test_binary_types(agent: PageAgent, server: Server, transport: str, says: Callable[[str, str], None]) -> None:
    says("socket.io-protocol v5, BINARY_EVENT", "Blob, File, ArrayBuffer and typed arrays, sent")
    client = await connected(agent, server, transport)
    await client.emit("echo", *(Binary(DATA, kind) for kind in SENT_AS), {"deep": [Binary(b"", "Blob")]}, "text")
    assert await client.receive("echoed") == [*[DATA] * len(SENT_AS), {"deep": [b""]}, "text"]
    for kind in SENT_AS:
        assert await client.call("echo_ack", Binary(DATA, kind), kind) == [DATA, kind]
    await client.answer("question", "echo")
    await client.emit("ask", Binary(DATA, "File"))
    assert await client.receive("answered") == ["answer", DATA]


async def test_blobs_are_received(
    agent: PageAgent, server: Server, transport: str, says: Callable[[str, str], None]
) -> None:
    says("socket.io-protocol v5, BINARY_EVENT", "Blob, received")
    client = await connected(agent, server, transport)
    await client.receive_as("blob")
    await client.emit("echo", DATA, [b"\x01"])
    assert await client.receive("echoed") == [Binary(DATA, "Blob"), [Binary(b"\x01", "Blob")]]
    assert await client.call("echo_ack", Binary(DATA, "File")) == [Binary(DATA, "Blob")]


async def test_page_is_loaded_again(
    agent: PageAgent, server: Server, transport: str, says: Callable[[str, str], None]
) -> None:
    says("semantics 2", "Tab that is loaded again")
    before = await connected(agent, server, transport)
    assert await before.call("join", "page") == [["page"]]
    await agent.page.reload()
    assert await server.reason(before.id) in PAGE_GONE[transport]
    after = await connected(agent, server, transport)
    assert after.id != before.id
    # The room went with the one who was in it.
    assert await after.call("join") == [[]]
    await after.call("broadcast", {"room": "page"}, "hello")
    assert await after.call("echo_ack", "back") == ["back"]
    assert after.heard("hello") == []


async def test_browser_goes_offline(
    context: BrowserContext, patient_server: Server, transport: str, says: Callable[[str, str], None]
) -> None:
    says("socket.io-client, reconnection", "Offline, and online again")
    agent = await PageAgent.open(context, patient_server)
    client = await connected(agent, patient_server, transport, reconnect=True)
    first = client.id
    await context.set_offline(True)
    assert await client.disconnected() == "transport close"
    await client.emit("echo", "kept while offline")
    assert await patient_server.reason(first) in OFFLINE[transport]
    await context.set_offline(False)
    await client.back()
    assert client.id != first
    assert await client.receive("echoed") == ["kept while offline"]
    await client.ends_on("polling" if transport == "polling" else "websocket")
    assert agent.errors == []


async def test_two_pages(
    agent: PageAgent, server: Server, transport: str, context: BrowserContext, says: Callable[[str, str], None]
) -> None:
    says("socket.io, rooms", "Two pages at once, of which one is closed")
    other = await PageAgent.open(context, server)
    ann, bob = await connected(agent, server, transport), await connected(other, server, transport)
    assert ann.id != bob.id
    room = f"pages of {ann.id}"
    for client in (ann, bob):
        await client.call("join", room)
    await ann.call("broadcast", {"room": room}, "hello", 1)
    assert await ann.receive("hello") == await bob.receive("hello") == [1]
    await other.page.close()
    assert await server.reason(bob.id) in PAGE_GONE[transport]
    await ann.call("broadcast", {"room": room}, "hello", 2)
    assert await ann.receive("hello") == [2]
    assert other.errors == []
