"""Every code block of the README does what the README says, as a newcomer would try it."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connections
from django.test import override_settings
from docutils import nodes
from docutils.core import publish_doctree
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sio import SocketIOConsumer, conf
from tests.asgi import WebSocket
from tests.client import SocketIOClient
from tests.conftest import ROOT, free_port
from tests.pace import TIMEOUT
from tests.readme import README, blocks


@pytest.mark.parametrize("page", sorted((ROOT / "tests").rglob("README.rst")), ids=lambda page: page.parent.name)
def test_page_of_the_tests_can_be_read(page: Path) -> None:
    publish_doctree(page.read_text(), settings_overrides={"halt_level": 2})


def block(title: str) -> str:
    """Returns the one block of Python whose first line names this file."""
    (found,) = [block.text for block in blocks() if block.language == "python" and block.text.startswith(title)]
    return found


def test_every_block_is_tried() -> None:
    """Those of the quickstart are in `tests/browser/test_quickstart.py`."""
    others = sorted(block.language for block in blocks() if block not in blocks("quickstart"))
    assert others == ["bash"] * 4 + ["python"] * 4


@pytest.mark.parametrize("title", ["# tests/sample_project/chat/consumers.py (excerpt)\n", "# lobby/consumers.py\n"])
def test_consumers_are_those_of_the_sample_project(title: str) -> None:
    code = block(title).removeprefix(title)
    name = title.split()[1].removeprefix("tests/sample_project/")
    assert code in (ROOT / "tests" / "sample_project" / name).read_text()


@override_settings(ALLOWED_HOSTS=["*"])
async def test_connections_of_a_user_are_bounded() -> None:
    names: dict[str, Any] = {}
    exec(block("# mysite/sockets.py"), names)
    with override_settings(SIO_ALLOW_REQUEST=names["allow_request"]):
        application = SocketIOConsumer.as_asgi()
        ann, bob, stranger = {"user": User(pk=1)}, {"user": User(pk=2)}, {"user": AnonymousUser()}
        elsewhere = {**stranger, "client": ("10.0.0.1", 1)}
        clients = [
            WebSocket(application, **scope) for scope in [*[stranger] * 11, *[ann] * 11, bob, *[elsewhere] * 11, bob]
        ]
        answers = [(await client.connect())["type"] == "websocket.accept" for client in clients]
    assert answers == [*[*[True] * 10, False] * 2, True, *[True] * 10, False, True]


async def test_tickets_reach_those_whom_they_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    monkeypatch.setitem(connections.settings, "default", connections.configure_settings(databases)["default"])
    for name in ("consumers", "views"):
        module = ModuleType(f"tickets.{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(block(f"# tickets/{name}.py"), vars(module))
    application = sys.modules["tickets.consumers"].TicketConsumer.as_asgi()
    ann, bob = User(pk=1, username="ann"), User(pk=2, username="bob")
    clients = [SocketIOClient(application, user=user) for user in (ann, bob, bob)]
    for client in clients:
        await client.open()
        await client.connect("/tickets")
        client.emit("/tickets", "open", 7)
    anns, bobs, bobs_phone = clients
    await anns.received(*['2/tickets,["opened","bob"]'] * 2)
    await bobs.received('2/tickets,["opened","bob"]')
    bobs.emit("/tickets", "close", 7)
    await anns.received('2/tickets,["closed",7]')
    response = await asyncio.to_thread(sys.modules["tickets.views"].answer, None, 7, bob.pk)
    assert response.status_code == 204
    await sys.modules["tickets.consumers"].TicketConsumer.sockets.emit("end")
    await anns.received('2/tickets,["end"]')
    for client in (bobs, bobs_phone):
        await client.received('2/tickets,["answered",{"number":7}]', '2/tickets,["end"]')


def test_uvicorn_takes_no_compressed_frames() -> None:
    """The command of the README starts a server that grants no compression, and closes when a frame is too large."""
    (block,) = [block for block in blocks() if block.text.startswith("uvicorn ")]
    port = free_port()
    advised = shlex.split(block.text.replace("mysite.asgi", "config.asgi"))
    command = [sys.executable, "-m", *advised, "--port", str(port)]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT)}
    directory = ROOT / "tests" / "sample_project"
    with subprocess.Popen(command, cwd=directory, env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert any("Uvicorn running" in line for line in server.stderr)
            url = f"ws://localhost:{port}/socket.io/?EIO=4&transport=websocket"
            with connect(url, compression="deflate", proxy=None) as client:
                assert client.protocol.extensions == []
                client.recv(timeout=TIMEOUT)  # the handshake
                client.send("4" + "x" * 1_000_000)
                with pytest.raises(ConnectionClosed, match="1009"):
                    client.recv(timeout=TIMEOUT)
        finally:
            server.terminate()


def test_make_targets_exist() -> None:
    lines = [line for block in blocks() for line in block.text.splitlines()]
    commands = [line.split("#")[0] for line in lines if line.startswith("make ")]
    assert len(commands) > 5
    for command in commands:
        _, *targets = shlex.split(command)
        subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def test_package_is_installed_from_a_checkout_with_extras_that_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r'pip install "?([^"\n]*)django-sio\[([^]]*)]', "\n".join(block.text for block in blocks()))
    assert [source for source, _ in named] == ["../", "../"]
    assert {extra for _, extras_of_one in named for extra in extras_of_one.split(",")} <= set(extras)


def test_settings_table_has_the_settings_and_their_defaults() -> None:
    documented = {}
    for row in README.findall(nodes.row):
        name, default, *_ = (entry.astext() for entry in row.findall(nodes.entry))
        if name.startswith("SIO_"):
            documented[name] = eval(default)
    source = Path(conf.__file__).read_text()
    assert set(documented) == set(re.findall(r'"(SIO_[A-Z_]+)"', source))
    settings = conf.get_settings()
    values = {settings.cors_allowed_origins} | {
        getattr(options, name) for options in (settings.engineio, settings.socketio) for name in options.__slots__
    }
    assert set(documented.values()) <= values


def test_limits_table_has_all_settings_that_bound_something() -> None:
    (limits,) = (section for section in README.findall(nodes.section) if section["names"] == ["limits"])
    named = set(re.findall(r"SIO_[A-Z_]+", limits.astext()))
    bounding = {name for name in conf.SETTINGS if "_MAX_" in name or name.endswith("_TIMEOUT_MS")}
    # The one for which no client is waited for.
    assert bounding - {"SIO_SHUTDOWN_TIMEOUT_MS"} <= named <= set(conf.SETTINGS)


def test_proxies_are_told_all_headers_that_are_read() -> None:
    (paragraph,) = (text for node in README.findall(nodes.paragraph) if (text := node.astext()).startswith("Proxies."))
    assert {"Host", "Upgrade", "Connection"} <= set(re.findall(r"\w+", paragraph))
