"""``make run``, as somebody sees it in a terminal."""

import datetime
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zoneinfo

import pytest

from .conftest import StartServer
from .sample_server import ENVIRONMENT, REPOSITORY, SAMPLE_PROJECT, SampleServer

#: East of everywhere that tests run, and of the zones that Django and CI have by default.
ZONE = "Pacific/Kiritimati"


@pytest.fixture
def server(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> SampleServer:
    """A server of the test's own, in a time zone of its own."""
    monkeypatch.setenv("TZ", ZONE)
    return start_server("daphne")


@pytest.mark.parametrize("reloader", [[], ["--noreload"]])
def test_busy_port_ends_it_with_one_line(reloader: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "runserver", *reloader, f"127.0.0.1:{port}"],
            cwd=SAMPLE_PROJECT,
            env=os.environ | ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("CommandError: Cannot listen: Address already in use")
    assert str(port) in line
    assert "make run PORT=" in line


def test_times_are_local(server: SampleServer) -> None:
    started = re.search(r"^(\w+ \d\d, \d{4} - \d\d:\d\d):\d\d$", server.tail(), re.MULTILINE)
    assert started is not None
    shown = datetime.datetime.strptime(started[1], "%B %d, %Y - %H:%M").replace(tzinfo=zoneinfo.ZoneInfo(ZONE))
    assert abs(datetime.datetime.now(datetime.UTC) - shown) < datetime.timedelta(minutes=10)


def test_polls_are_not_logged_unless_they_fail(server: SampleServer) -> None:
    polling = f"{server.url}/socket.io/?EIO=4&transport=polling"
    urllib.request.urlopen(polling).close()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{polling}&sid=unknown")
    urllib.request.urlopen(f"{server.url}/?last").close()
    deadline = time.monotonic() + 60
    while "/?last" not in server.tail() and time.monotonic() < deadline:
        time.sleep(0.05)
    logged = [line for line in server.tail().splitlines() if line.startswith("HTTP")]
    assert [(line.split()[2], line.split()[3]) for line in logged if "/socket.io/" in line] == [
        ("/socket.io/?EIO=4&transport=polling&sid=unknown", "400")
    ]
    assert "/?last" in logged[-1]


def commands(target: str) -> str:
    """Return what ``make`` would do for a target where nothing is installed."""
    # The stamp of a Python that nobody has is never there.
    make = ["make", "--dry-run", target, "PYTHON=python-of-nobody"]
    return subprocess.run(make, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_only_what_the_server_needs_is_installed() -> None:
    (install,) = re.findall(r"pip install .*", commands("run"))
    assert install.endswith("-e '.[daphne,redis]'")
    assert " -q" not in install


@pytest.mark.parametrize("target", ["test", "unit", "conformance", "browser", "soak", "lint", "types"])
def test_what_tests_and_linters_need_comes_with_them(target: str) -> None:
    assert "-e '.[dev]'" in commands(target)
