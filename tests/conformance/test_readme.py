"""Every code block of the README does what the README says, as a newcomer would try it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from docutils import nodes
from docutils.core import publish_doctree
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sio import SocketIOConsumer, conf
from tests.asgi import WebSocket
from tests.conftest import ROOT, free_port

README = publish_doctree((ROOT / "README.rst").read_text(), settings_overrides={"halt_level": 2})
BLOCKS = [
    (node["classes"][1], node.astext()) for node in README.findall(nodes.literal_block) if len(node["classes"]) > 1
]

#: What a project has that `django-admin startproject` made.
STARTPROJECT = """
SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "mysite.urls"
"""


def block(language: str, title: str = "") -> str:
    """Returns the one block in a language whose first line names this file."""
    found = [text for name, text in BLOCKS if name == language and text.startswith(title)]
    assert len(found) == 1, (language, title)
    return found[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that the README builds."""
    directory = tmp_path_factory.mktemp("site")
    for name in ("mysite/settings.py", "mysite/asgi.py", "lobby/consumers.py"):
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(block("python", f"# {name}"))
    with (directory / "mysite" / "settings.py").open("a") as settings:
        settings.write(STARTPROJECT)
    (directory / "mysite" / "urls.py").write_text("urlpatterns = []")
    return directory


@pytest.fixture(scope="module")
def port(site: Path) -> Iterator[int]:
    """The port of its server."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-p", str(port), "mysite.asgi:application"]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    with subprocess.Popen(command, cwd=site, env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        for line in server.stderr:
            if "Listening on" in line:
                break
        else:
            pytest.fail("the server of the README's project did not start")
        yield port
        server.terminate()


def test_every_block_is_tried() -> None:
    assert sorted(language for language, _ in BLOCKS) == ["bash"] * 4 + ["javascript"] + ["python"] * 6


def test_javascript_client(port: int, site: Path) -> None:
    script = 'const { io } = require("socket.io-client");\n' + block("javascript").replace("8000", str(port))
    command = ["node", "-e", script + '\nlobby.on("disconnect", () => process.exit());']
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        lines = sorted(client.stdout.readline().strip() for _ in range(4))
        client.terminate()
    assert lines == ["Ack: ok", "Chat: Hello", "Sum: 5", "System: Welcome!"]


def test_python_client(port: int) -> None:
    script = block("python", "# client.py").replace("8000", str(port))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "Sum: 5\n"


@pytest.mark.parametrize("title", ["# tests/sample_project/chat/consumers.py (excerpt)\n", "# lobby/consumers.py\n"])
def test_consumers_are_those_of_the_sample_project(title: str) -> None:
    code = block("python", title).removeprefix(title)
    name = title.split()[1].removeprefix("tests/sample_project/")
    assert code in (ROOT / "tests" / "sample_project" / name).read_text()


@override_settings(ALLOWED_HOSTS=["*"])
async def test_connections_of_a_user_are_bounded() -> None:
    names: dict[str, Any] = {}
    exec(block("python", "# mysite/sockets.py"), names)
    with override_settings(SIO_ALLOW_REQUEST=names["allow_request"]):
        application = SocketIOConsumer.as_asgi()
        clients = [WebSocket(application, user=user) for user in ["ann"] * 11 + ["bob"]]
        answers = [(await client.connect())["type"] for client in clients]
    assert answers == ["websocket.accept"] * 10 + ["websocket.close", "websocket.accept"]


def test_uvicorn_takes_no_compressed_frames(site: Path) -> None:
    """The command of the README starts a server that grants no compression, and closes when a frame is too large."""
    command = shlex.split(next(text for name, text in BLOCKS if name == "bash" and text.startswith("uvicorn")))
    port = free_port()
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", *command, "--port", str(port)]
    with subprocess.Popen(command, cwd=site, env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert any("Uvicorn running" in line for line in server.stderr)
            url = f"ws://localhost:{port}/socket.io/?EIO=4&transport=websocket"
            with connect(url, compression="deflate", proxy=None) as client:
                assert client.protocol.extensions == []
                client.recv(timeout=20)  # the handshake
                client.send("4" + "x" * 1_000_000)
                with pytest.raises(ConnectionClosed, match="1009"):
                    client.recv(timeout=20)
        finally:
            server.terminate()


def test_make_targets_exist() -> None:
    commands = [line.split("#")[0] for _, text in BLOCKS for line in text.splitlines() if line.startswith("make ")]
    assert len(commands) > 5
    for command in commands:
        _, *targets = shlex.split(command)
        subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def test_extras_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (named,) = re.findall(r"django-sio\[([^]]*)]", "".join(text for name, text in BLOCKS if name == "bash"))
    assert set(named.split(",")) <= set(extras)


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
