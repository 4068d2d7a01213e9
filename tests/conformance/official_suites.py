"""Runs the official suites of the two protocols, as they are, against `sio`.

    python -m tests.conformance.official_suites <path of a checkout that has them>

The suites are the folders with a `test-suite.js` for version 4 of Engine.IO or version 5 of Socket.IO. Each is run by
its own `npm test`, and talks to port 3000, where the server runs that it asks for: an echo of Engine.IO messages, or
two namespaces of Socket.IO. The same cases, as data, are in `transcripts/`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .servers import ENGINEIO_APPLICATION, OFFICIAL_SUITE, SOCKETIO_APPLICATION, Server

#: Where the suites expect a server.
PORT = 3000

ENGINEIO, SOCKETIO = "Engine.IO, version 4", "Socket.IO, version 5"
SETTINGS: dict[str, Mapping[str, Any]] = {
    ENGINEIO: {**OFFICIAL_SUITE, **ENGINEIO_APPLICATION},
    SOCKETIO: {**OFFICIAL_SUITE, **SOCKETIO_APPLICATION},
}


class Missing(Exception):
    """Something that has to be there. It says what, and what to do."""


def protocol_of(suite: Path) -> str | None:
    """The protocol that a `test-suite.js` is for, by the path and the version that it asks a server for."""
    text = suite.read_text(errors="replace")
    if not re.search(r"EIO=4\b", text):
        return None
    return SOCKETIO if "/socket.io/" in text else ENGINEIO if "/engine.io/" in text else None


def find_suites(path: Path) -> Iterator[tuple[str, Path]]:
    """The suites under a path, and their protocols."""
    for suite in sorted(path.rglob("test-suite.js")):
        if "node_modules" not in suite.parts and (protocol := protocol_of(suite)):
            yield protocol, suite.parent


def checked_suites(path: Path) -> dict[str, Path]:
    """The suites, ready to run. Raises Missing."""
    if not path.is_dir():
        raise Missing(f"there is no folder {path}: give SUITES=<a checkout of the official repository>")
    suites = dict(find_suites(path))
    if absent := [protocol for protocol in SETTINGS if protocol not in suites]:
        raise Missing(f"under {path} there is no test-suite.js for {' and '.join(absent)}")
    for folder in suites.values():
        if not (folder / "package.json").is_file():
            raise Missing(f"{folder} has no package.json, which says how its suite is run")
        if not (folder / "node_modules").is_dir():
            raise Missing(f"{folder} needs its packages: run `npm install` there")
    return suites


def check_port(port: int) -> None:
    """Raises Missing if something listens there."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Missing(f"port {port}, which the suites talk to, is in use: stop what listens there")


async def run_suite(protocol: str, folder: Path, port: int) -> bool:
    """Runs one suite. Returns whether it passed."""
    print(f"\n{protocol}: {folder}", flush=True)
    # Both addresses of that name: which one Node takes first depends on its version.
    server = Server("uvicorn", SETTINGS[protocol], port, host="localhost")
    try:
        await server.serve()
        suite = await asyncio.create_subprocess_exec("npm", "test", cwd=folder)
        passed = await suite.wait() == 0
    finally:
        await server.stop()
    if troubles := server.take_troubles():
        print("The server logged:", *troubles, sep="\n")
    return passed and not troubles


async def run(path: Path, port: int) -> int:
    """Runs all suites. Returns the exit status."""
    try:
        suites = checked_suites(path)
        check_port(port)
    except Missing as missing:
        print(f"The official suites cannot run: {missing}.", file=sys.stderr)
        return 2
    passed = [await run_suite(protocol, folder, port) for protocol, folder in suites.items()]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Runs the official protocol suites against sio.")
    parser.add_argument("path", type=Path, help="a checkout of the official repository, or a folder in it")
    parser.add_argument("--port", type=int, default=PORT, help="where the suites expect the server (%(default)s)")
    options = parser.parse_args()
    sys.exit(asyncio.run(run(options.path, options.port)))
