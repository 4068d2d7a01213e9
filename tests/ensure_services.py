"""
Makes sure that the programs the tests start are on this machine.

    python tests/ensure_services.py [redis] [chromium] [valgrind]

With no argument, all. What is missing is installed where that works without a question: from Playwright's builds
(Chromium), or from the system's packages as root or with passwordless sudo. Otherwise one line per program says what
to do, and the exit status is 1. Nothing is started: tests start a Redis server and a browser of their own.

Tests find them as this script does: the first of ``NAMES`` on ``PATH``, and for Chromium after that, Playwright's own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NAMES = {
    "redis": ("redis-server",),
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "valgrind": ("valgrind",),
}
DEBIAN_PACKAGES = {"redis": "redis-server", "chromium": "chromium", "valgrind": "valgrind"}
ADVICE = {
    "redis": "Redis is missing: install it so that `redis-server` is on PATH (Debian: apt-get install redis-server)",
    "chromium": "Chromium is missing: install it so that `chromium` or `google-chrome` is on PATH"
    " (Debian: apt-get install chromium; elsewhere: .venv/bin/python -m playwright install --with-deps chromium)",
    "valgrind": "Valgrind is missing: install it so that `valgrind` is on PATH (Debian: apt-get install valgrind)",
}


def find(service: str) -> str | None:
    """The path of a service's program, or None. For Chromium, None still leaves Playwright's own."""
    return next(filter(None, map(shutil.which, NAMES[service])), None)


def ensure(service: str) -> bool:
    if find(service) or (
        service == "chromium" and (playwright_runs() or (playwright_downloads() and playwright_runs()))
    ):
        return True
    return install_package(DEBIAN_PACKAGES[service]) and find(service) is not None


def playwright_runs() -> bool:
    """Whether Playwright has a Chromium and the system has the libraries that it needs."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return False
    with sync_playwright() as playwright:
        program = playwright.chromium.executable_path
    return Path(program).exists() and succeeds([program, "--version"])


def playwright_downloads() -> bool:
    announce("Downloading Chromium for Playwright")
    return succeeds([sys.executable, "-m", "playwright", "install", "chromium"])


def install_package(package: str) -> bool:
    apt_get = shutil.which("apt-get")
    if apt_get is None:
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and not succeeds([*as_root, "true"]):
        return False
    announce(f"Installing the system package {package}")
    command = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", apt_get, "-o", "DPkg::Lock::Timeout=120"]
    install = [*command, "install", "--yes", "--no-install-recommends", package]
    # The lists of packages may be absent, as in a new container, or out of date.
    return succeeds(install) or (succeeds([*command, "update"]) and succeeds(install))


def succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=600).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def announce(text: str) -> None:
    print(text, flush=True)


def main(services: Sequence[str]) -> int:
    missing = [service for service in services or NAMES if not ensure(service)]
    for service in missing:
        print(ADVICE[service], file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
