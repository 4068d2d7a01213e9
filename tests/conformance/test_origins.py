"""Which pages may connect, on both transports, and what their browsers are told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .conftest import OURS, fixture, server_fixture
from .http import Response
from .servers import OPEN, Server
from .wire import TRANSPORTS, Wire

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"
HANDSHAKE = "EIO=4&transport=polling"
UNKNOWN = f"{HANDSHAKE}&sid=unknown"

ALLOWED = [
    FRIEND,
    "HTTPS://Friend.Example",
    f"{FRIEND}:443",
    "https://a.friends.example",
    "https://friends.example",  # https://*.friends.example has this meaning in CSRF_TRUSTED_ORIGINS too
    "http://127.0.0.1:{port}",
    "ws://127.0.0.1:{port}",
    "wss://a.friends.example",
]
REFUSED = [
    STRANGER,
    "null",
    "http://friend.example",
    f"{FRIEND}:8443",
    f"{FRIEND}.stranger.example",
    "https://notafriend.example",
    "http://a.friends.example",
    "https://notfriends.example",
    "https://stranger.example/.friends.example",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "http://localhost:{port}",
    "friend.example",
    "ws://friend.example",
    "file://",
    "capacitor://localhost",
    "\xff",
]

open_server = server_fixture(OURS, OPEN)
#: Behind a proxy that Django believes.
proxied_server = server_fixture(OURS, {"SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"]})


@fixture
async def open_wire(open_server: Server) -> AsyncIterator[Wire]:
    async with Wire(open_server) as wire:
        yield wire


def cors(response: Response) -> dict[str, str]:
    """The headers of a response that are about origins."""
    start = "access-control-"
    named = {name.removeprefix(start): value for name, value in response.headers.items() if name.startswith(start)}
    return named | ({"vary": response.headers["vary"]} if "vary" in response.headers else {})


async def knock(wire: Wire, transport: str, headers: dict[str, str]) -> int:
    """Asks for a session. Returns the status of the answer."""
    if transport == "polling":
        return (await wire.http("GET", HANDSHAKE, headers=headers)).status
    answer = await wire.try_websocket("EIO=4&transport=websocket", headers)
    return answer.status if isinstance(answer, Response) else 101


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("origin", ALLOWED)
async def test_allowed_origin_connects(wire: Wire, transport: str, origin: str) -> None:
    headers = {"Origin": origin.format(port=wire.server.port)}
    assert await knock(wire, transport, headers) in (101, 200)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_that_is_no_browser_connects(wire: Wire, transport: str) -> None:
    assert await knock(wire, transport, {}) in (101, 200)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("origin", REFUSED)
async def test_other_origin_is_refused(wire: Wire, transport: str, origin: str) -> None:
    headers = {"Origin": origin.format(port=wire.server.port)}
    # On WebSocket the official server says 400, and Daphne too where it cannot read the origin itself.
    assert await knock(wire, transport, headers) in ((400, 403) if transport == "websocket" else (403,))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("headers", [{}, {"Origin": "http://stranger.example"}], ids=["no origin", "its own origin"])
async def test_forged_host_is_refused(wire: Wire, transport: str, headers: dict[str, str]) -> None:
    assert await knock(wire, transport, {"Host": "stranger.example", **headers}) in (400, 403)


async def test_refusal_is_the_official_one_and_tells_the_browser_nothing(wire: Wire) -> None:
    response = await wire.http("GET", HANDSHAKE, headers={"Origin": STRANGER})
    assert (response.status, response.json()) == (403, {"code": 4, "message": "Forbidden"})
    assert cors(response) == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_page_of_a_stranger_cannot_use_a_session(wire: Wire, method: str) -> None:
    session = await wire.polling()
    await session.send("40")
    response = await wire.http(method, session.target, "41" if method == "POST" else b"", {"Origin": STRANGER})
    assert (response.status, cors(response)) == (403, {})
    assert str(await session.receive()).startswith('40{"sid"')


async def test_page_of_a_stranger_cannot_upgrade_a_session(wire: Wire) -> None:
    session = await wire.member("polling")
    query = f"EIO=4&transport=websocket&sid={session.sid}"
    assert isinstance(await wire.try_websocket(query, {"Origin": STRANGER}), Response)
    assert await session.call("echo_ack", "alive") == ["alive"]


async def test_every_answer_tells_the_browser_of_a_friend_that_it_may_be_read(wire: Wire) -> None:
    session = await wire.polling({"Origin": FRIEND})
    await session.send("40")
    answers = [session.handshake, await session.get(), await session.post("3"), await session.post("1")]
    answers.append(await wire.http("GET", UNKNOWN, headers={"Origin": FRIEND}))
    expected = {"allow-origin": FRIEND, "allow-credentials": "true", "vary": "Origin"}
    assert [cors(answer) for answer in answers] == [expected] * 5


async def test_own_page_needs_no_headers(wire: Wire) -> None:
    origin = f"http://127.0.0.1:{wire.server.port}"
    assert cors(await wire.http("GET", HANDSHAKE, headers={"Origin": origin})) == {}


async def test_preflight_of_a_friend_is_answered(wire: Wire) -> None:
    headers = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-token",
    }
    response = await wire.http("OPTIONS", HANDSHAKE, headers=headers)
    allowed = cors(response)
    assert (response.status, response.body) == (204, b"")
    assert (allowed["allow-origin"], allowed["allow-credentials"]) == (FRIEND, "true")
    assert {"GET", "POST"} <= set(allowed["allow-methods"].split(","))
    assert allowed["allow-headers"] == "content-type,x-token"
    assert "Origin" in allowed["vary"]


async def test_preflight_of_a_stranger_is_not_answered(wire: Wire) -> None:
    headers = {"Origin": STRANGER, "Access-Control-Request-Method": "POST"}
    response = await wire.http("OPTIONS", HANDSHAKE, headers=headers)
    assert (response.status, cors(response)) == (400, {})


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_open_server_lets_everybody_in(open_wire: Wire, transport: str) -> None:
    assert await knock(open_wire, transport, {"Origin": STRANGER}) in (101, 200)


async def test_open_server_lets_no_cookies_be_sent(open_wire: Wire) -> None:
    response = await open_wire.http("GET", HANDSHAKE, headers={"Origin": STRANGER})
    assert cors(response) == {"allow-origin": "*"}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("forwarded", "scheme", "is_allowed"),
    [
        ("https", "https", True),
        ("wss", "https", True),
        ("wss", "wss", True),
        ("ws", "http", True),
        ("wss", "http", False),
        ("ws", "https", False),
        ("http", "wss", False),
    ],
)
async def test_proxy_may_name_the_scheme_of_the_websocket(
    proxied_server: Server, transport: str, forwarded: str, scheme: str, is_allowed: bool
) -> None:
    """As Traefik does for an upgrade."""
    headers = {"Origin": f"{scheme}://127.0.0.1:{proxied_server.port}", "X-Forwarded-Proto": forwarded}
    async with Wire(proxied_server) as wire:
        assert (await knock(wire, transport, headers) in (101, 200)) is is_allowed


APPS = ["capacitor://localhost", "ionic://localhost", "app://.", "file://"]
apps_server = server_fixture(OURS, {"SIO_CORS_ALLOWED_ORIGINS": APPS})


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("origin", "is_allowed"), [*((origin, True) for origin in APPS), ("null", False)])
async def test_origin_of_an_application_connects_if_it_is_listed(
    apps_server: Server, transport: str, origin: str, is_allowed: bool
) -> None:
    async with Wire(apps_server) as wire:
        assert (await knock(wire, transport, {"Origin": origin}) in (101, 200)) is is_allowed
