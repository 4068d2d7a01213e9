"""The README's quickstart, followed to the letter from an empty folder to a page in a browser.

Commands and files are taken from the README. Nothing is downloaded: pip and npm find what is installed beside the tests
already, of which there is as much as they are told to install, and no more. The port is a free one.
"""

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.readme import Block, blocks

from .installed import files_of
from .sample_server import REPOSITORY, free_port

PORT = "8000"
#: Names the file that a block is; what is to be added to one that is there says so.
FILE = re.compile(r"(?:# |\{# )(\S+?)(, at its end)?(?: #\})?\n")
#: How a terminal begins that was opened before: the first one activated the environment.
SAME_TERMINAL = "[ ! -e .venv/bin/activate ] || . .venv/bin/activate\n"
#: What runs until it is ended.
SERVERS = ("manage.py runserver", "-m uvicorn")

NPM = """#!/bin/sh -e
# Installs the client that the tests have, and nothing else.
test "$*" = "install socket.io-client@4"
mkdir node_modules
cp -R "$REPOSITORY/node_modules/socket.io-client" node_modules/
"""


class Quickstart:
    """A folder in which somebody follows the README."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "folder"
        self.folder.mkdir()
        (directory / "django-sio").symlink_to(REPOSITORY)
        self.port = str(free_port())
        #: The commands that serve the project, and those for the other terminal, as they come.
        self.servers: list[str] = []
        self.client = ""
        self._environment = environment(directory)

    def follow(self, steps: Sequence[Block]) -> None:
        """Does what the blocks say, up to the servers."""
        for step in steps:
            text = step.text.replace(PORT, self.port) + "\n"
            if step.language != "bash":
                self._write(text)
            elif "client.py" in text:
                self.client = text
            else:
                self._type(text)

    def _write(self, text: str) -> None:
        named = FILE.match(text)
        assert named is not None, text
        path = self.folder / named[1]
        if named[2]:
            assert path.exists(), path
        with path.open("a" if named[2] else "w") as file:
            file.write(text)

    def _type(self, text: str) -> None:
        lines = text.splitlines()
        if any(server in lines[-1] for server in SERVERS):
            self.servers.append(lines.pop())
        self.run("\n".join(lines))

    def run(self, commands: str) -> str:
        """Types commands. Returns what they print."""
        done = subprocess.run(
            ["bash", "-ec", SAME_TERMINAL + commands],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}"
        return done.stdout

    @asynccontextmanager
    async def serving(self, command: str) -> AsyncIterator[Path]:
        """Runs a server. Yields the file of what it prints."""
        log = self.folder.parent / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["bash", "-ec", SAME_TERMINAL + command],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            await self._listening(True, log)
            yield log
        finally:
            # With what it started: the autoreloader has a child, which outlives the shell by a moment.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
            await self._listening(False, log)

    async def _listening(self, expected: bool, log: Path) -> None:
        """Waits until somebody, or nobody, listens on the port."""
        try:
            async with asyncio.timeout(60):
                while await self._is_listening() is not expected:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(log.read_text(), pytrace=False)

    async def _is_listening(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", int(self.port))
        except ConnectionRefusedError:
            return False
        writer.close()
        return True


def environment(directory: Path) -> dict[str, str]:
    """Returns an environment in which pip and npm find what there is, and nothing is of this test run."""
    programs, packages = directory / "programs", directory / "packages"
    programs.mkdir()
    (programs / "npm").write_text(NPM)
    (programs / "npm").chmod(0o755)
    packages.mkdir()
    for installed in files_of(["hatchling", *told_to_install()], but="django-sio"):  # which is what pip is to install
        (packages / installed.name).symlink_to(installed)
    own = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"}
    return {name: value for name, value in os.environ.items() if name not in own} | {
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(packages),
        "PYTHONUNBUFFERED": "1",
        "REPOSITORY": str(REPOSITORY),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # which, as pip reads it, says that there is none
    }


def told_to_install() -> list[str]:
    """Returns what the README has pip install."""
    commands = "\n".join(block.text for block in blocks("quickstart") if block.language == "bash")
    arguments = re.findall(r"^pip install (.*)", commands, re.MULTILINE)
    return [argument.removeprefix("../") for line in arguments for argument in shlex.split(line)]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Quickstart:
    """The project as the README builds it."""
    if shutil.which("bash") is None:
        pytest.fail("bash is missing", pytrace=False)
    quickstart = Quickstart(tmp_path_factory.mktemp("quickstart"))
    quickstart.follow(blocks("quickstart"))
    return quickstart


def test_package_is_that_of_the_checkout(quickstart: Quickstart) -> None:
    """And not the source itself: it was built and installed."""
    (line,) = quickstart.run("python -c 'import sio; print(sio.__file__)'").splitlines()
    assert Path(line).is_relative_to(quickstart.folder / ".venv")


def test_project_has_nothing_to_complain_about(quickstart: Quickstart) -> None:
    assert "System check identified no issues (0 silenced)." in quickstart.run("python manage.py check")


def test_command_that_emits_into_the_void_says_so(quickstart: Quickstart) -> None:
    """The layer of the quickstart reaches one process, and a command is another one."""
    emit = "async_to_sync(get_socketio_server().emit)('chat_message', {}, namespace='/lobby')"
    code = f"from asgiref.sync import async_to_sync; from sio import get_socketio_server; {emit}"
    assert "emit() reached nobody" in quickstart.run(f'python manage.py shell -c "{code}"')


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("number", [0, 1], ids=["runserver", "uvicorn"])
async def test_page_and_client_talk_to_the_server(quickstart: Quickstart, browser: Browser, number: int) -> None:
    command = quickstart.servers[number]
    assert SERVERS[number] in command
    async with quickstart.serving(command) as log:
        context = await browser.new_context()
        page = await context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        await page.goto(f"http://127.0.0.1:{quickstart.port}/")
        lines = page.get_by_role("listitem")
        await expect(lines).to_have_text(["System: Welcome!", "Sum: 5"])
        await page.get_by_role("textbox", name="Message").fill("Hello")
        await page.get_by_role("button", name="Send").click()
        await expect(lines).to_have_text(["System: Welcome!", "Sum: 5", "Chat: Hello", "Ack: ok"])
        assert quickstart.run(quickstart.client).splitlines()[-1] == "Sum: 5"
        await expect(lines).to_have_count(5)
        await expect(lines.last).to_have_text(re.compile(r"Left: \S+"))
        await context.close()
    # The icon that browsers ask for is the one thing that is not there.
    assert [problem for problem in problems if "404" not in problem] == []
    assert re.search(r"Traceback|Warning|WARNING:|ERROR", re.sub(r".*favicon.*", "", log.read_text())) is None
