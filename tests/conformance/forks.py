"""ASGI servers that do not begin from nothing: each is forked from a process that has imported the libraries.

That is the fork server of `multiprocessing`, one for each process that runs tests. It has imported nothing of the
project, whose settings each server has its own of, and no reactor of Twisted, which a server makes for itself.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

#: The modules that serve, as `python -m` has them. What starts processes of its own is none of them.
SERVERS = ("uvicorn", "daphne", "hypercorn")
#: What they and the project import. One that is not installed is left out.
LIBRARIES = [
    __name__,
    "autobahn.twisted.websocket",
    "channels.auth",
    "channels.generic.http",
    "channels.generic.websocket",
    "channels.routing",
    "channels_redis.core",
    "channels_redis.pubsub",
    "django.core.asgi",
    "django.db.migrations",
    "hypercorn.asyncio.run",
    "twisted.internet.asyncioreactor",
    "twisted.web.http",
    "uvicorn.loops.uvloop",
    "uvicorn.main",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(LIBRARIES)
#: What starts a single server is not worth a fork server: it is for those that say that they start many.
_is_wanted = False


def want_forks() -> None:
    """Has the servers that this process starts be forked."""
    global _is_wanted
    _is_wanted = True


def end() -> None:
    """Ends the fork server, and waits for it. Without that, it would end by itself a moment after this process."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def can_run(command: Sequence[str]) -> bool:
    """Whether a command is to be forked."""
    return _is_wanted and command[:2] == [sys.executable, "-m"] and command[2] in SERVERS


class Fork:
    """A server that was forked, with what tests use of `asyncio.subprocess.Process`."""

    stdin = None

    def __init__(self, command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        self._output, output = _CONTEXT.Pipe(duplex=False)
        with output:
            # A daemon is one that ends with the tests, should they leave it running.
            arguments = (command[2:], str(directory), dict(environment), output)
            self._process = _CONTEXT.Process(target=_run, args=arguments, daemon=True)
            self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.returncode: int | None = None

    @classmethod
    async def start(cls, command: Sequence[str], directory: Path, environment: Mapping[str, str], limit: int) -> Self:
        """Starts a server. Its lines may be as long as `limit`."""
        fork = cls(command, directory, environment)
        loop = asyncio.get_running_loop()
        fork.stdout = asyncio.StreamReader(limit)
        with fork._output:
            output = open(os.dup(fork._output.fileno()), "rb", buffering=0)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(fork.stdout), output)
        fork._end = loop.create_future()
        loop.add_reader(fork._process.sentinel, fork._ended)
        return fork

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()
        self.returncode = self._process.exitcode
        self._process.close()
        self._end.set_result(self.returncode)

    async def wait(self) -> int:
        """Waits for its end. Returns its exit status."""
        return await asyncio.shield(self._end)

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)


def _run(command: Sequence[str], directory: str, environment: Mapping[str, str], output: Connection) -> None:
    """Does in the forked process what `python -m` does in one of its own."""
    gc.freeze()  # the libraries stay where they are, in memory that is shared
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    with open(os.devnull) as nothing, output:
        for stream, descriptor in enumerate((nothing.fileno(), output.fileno(), output.fileno())):
            os.dup2(descriptor, stream)
    sys.stdout = open(1, "w", buffering=1, closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.path.insert(0, directory)
    sys.argv = list(command)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
