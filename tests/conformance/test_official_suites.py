"""`make official-suites`, with suites of our own in the place of the official ones."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, free_port

#: Asks for what the suite of each protocol asks for, of the server at the port that it was written for.
SUITE = """
fetch("http://localhost:PORT/PROTOCOL/?EIO=4&transport=polling").then(async (response) => {
  const { pingInterval, pingTimeout, maxPayload, sid } = JSON.parse((await response.text()).slice(1));
  const target = `http://localhost:PORT/PROTOCOL/?EIO=4&transport=polling&sid=${sid}`;
  await fetch(target, { method: "POST", body: "SENT" });
  const answer = await (await fetch(target)).text();
  console.log([pingInterval, pingTimeout, maxPayload, answer.replace(/"sid":"[^"]*"/, "").slice(0, 12)].join(" "));
  process.exit(EXIT);
});
"""


def write_suite(folder: Path, protocol: str, port: int, status: int = 0) -> None:
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "scripts": {"test": "node test-suite.js"}}))
    sent = "4hello" if protocol == "engine.io" else "40"
    values = {"PORT": str(port), "PROTOCOL": protocol, "SENT": sent, "EXIT": str(status)}
    suite = SUITE
    for name, value in values.items():
        suite = suite.replace(name, value)
    (folder / "test-suite.js").write_text(suite)


async def run(*arguments: object) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.conformance.official_suites", *map(str, arguments)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def suites(tmp_path: Path, port: int) -> Path:
    """A folder with a suite of each protocol, as in the official repository, and one that is of another version."""
    write_suite(tmp_path / "docs" / "engine.io-protocol" / "v4-test-suite", "engine.io", port)
    write_suite(tmp_path / "docs" / "socket.io-protocol" / "v5-test-suite", "socket.io", port)
    other = tmp_path / "docs" / "engine.io-protocol" / "v3-test-suite"
    other.mkdir()
    (other / "test-suite.js").write_text("/engine.io/?EIO=3")
    return tmp_path


async def test_each_suite_finds_its_server(suites: Path, port: int) -> None:
    status, output = await run(suites, "--port", port)
    assert status == 0, output
    assert "300 200 1000000 4hello" in output
    assert "300 200 1000000 40{" in output


async def test_suite_that_fails_is_told_of(suites: Path, port: int) -> None:
    folder = suites / "docs" / "socket.io-protocol" / "v5-test-suite"
    (folder / "test-suite.js").write_text("'/socket.io/?EIO=4'; process.exit(1)")
    status, output = await run(suites, "--port", port)
    assert status == 1, output


async def test_what_is_missing_is_said(suites: Path, port: int) -> None:
    assert await run(suites / "nowhere") == (
        2,
        f"The official suites cannot run: there is no folder {suites / 'nowhere'}: "
        "give SUITES=<a checkout of the official repository>.\n",
    )
    folder = suites / "docs" / "socket.io-protocol" / "v5-test-suite"
    (folder / "node_modules").rmdir()
    assert (await run(suites))[1].endswith("v5-test-suite needs its packages: run `npm install` there.\n")
    (folder / "package.json").unlink()
    assert "has no package.json" in (await run(suites))[1]
    (folder / "test-suite.js").unlink()
    assert (await run(suites))[1].endswith("there is no test-suite.js for Socket.IO, version 5.\n")


async def test_port_that_is_in_use_is_said(suites: Path, port: int) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
    status, output = await run(suites, "--port", port)
    server.close()
    await server.wait_closed()
    assert status == 2
    assert f"port {port}, which the suites talk to, is in use" in output
