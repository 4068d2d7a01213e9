"""
Makes sure that the programs the tests start are on this machine.

    python tests/ensure_services.py [redis] [postgresql] [chromium] [valgrind]

With no argument, all. What is missing is installed where that works without a question: from Playwright's builds
(Chromium), or from the system's packages as root or with passwordless sudo. Otherwise one line per program says what
to do, and the exit status is 1. Nothing is started: tests start servers and a browser of their own.

Tests find them as this script does: the first of ``NAMES`` on ``PATH`` or in ``DIRECTORIES``, and for Chromium after
that, Playwright's own.
"""

import glob
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NAMES = {
    "redis": ("redis-server",),
    "postgresql": ("postgres",),
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "valgrind": ("valgrind",),
}
#: Where systems keep programs that are not on ``PATH``: the newest version is taken.
DIRECTORIES = {"postgresql": ("/usr/pgsql-*/bin", "/usr/lib/postgresql/*/bin")}
DEBIAN_PACKAGES = {
    "redis": "redis-server",
    "postgresql": "postgresql",
    "chromium": "chromium",
    "valgrind": "valgrind",
}
ADVICE = {
    "redis": "Redis is missing: install it so that `redis-server` is on PATH (Debian: apt-get install redis-server)",
    "postgresql": "PostgreSQL is missing: install its server, with `postgres` and `initdb`"
    " (Debian: apt-get install postgresql)",
    "chromium": "Chromium is missing: install it so that `chromium` or `google-chrome` is on PATH"
    " (Debian: apt-get install chromium; elsewhere: .venv/bin/python -m playwright install --with-deps chromium)",
    "valgrind": "Valgrind is missing: install it so that `valgrind` is on PATH (Debian: apt-get install valgrind)",
}


def find(service: str) -> str | None:
    """The path of a service's program, or None. For Chromium, None still leaves Playwright's own."""
    found = [sorted(glob.glob(pattern), key=version, reverse=True) for pattern in DIRECTORIES.get(service, ())]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *itertools.chain(*found)])
    return next(filter(None, (shutil.which(name, path=path) for name in NAMES[service])), None)


def version(directory: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", directory)]


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
