"""What all tests share: Django, a fresh server for each test, and servers of databases for those that ask for one."""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from sio.socketio.server import reset_socketio_server  # noqa: E402
from tests.ensure_services import find  # noqa: E402
from tests.postgresql import Cluster  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_finish() -> None:
    """What was collected stays: looking through it in each collection of garbage would be a tenth of the run's time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_server() -> Iterator[None]:
    """No consumer, namespace or session of one test is seen by another."""
    reset_socketio_server()
    yield
    reset_socketio_server()


def free_port() -> int:
    """Returns a port that nobody listens on, and that no connection gets by itself: those of Linux begin at 32768.

    Another run of the tests may choose at the same time, so it is chosen by chance.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            port = secrets.choice(range(11_000, 32_000))
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of the test run's own, in memory."""
    executable = find("redis")
    assert executable, "redis-server is missing: 'make test' sets it up"
    port = free_port()
    directory = tmp_path_factory.mktemp("redis")
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[dict[str, Any]]:
    """A PostgreSQL server of the test run's own, as settings of Django."""
    with Cluster(free_port()) as settings:
        yield settings
