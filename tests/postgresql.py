"""A PostgreSQL server of a test run's own: a new cluster, which is gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.ensure_services import find

#: Who runs it where the tests run as root, which PostgreSQL refuses: the first of these that the system has.
USERS = ("postgres", "nobody")
#: Nothing in it has to outlast the machine, and its only clients are on 127.0.0.1.
OPTIONS = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "unix_socket_directories=", "-h", "127.0.0.1"]
#: What `initdb` takes, in seconds, on a machine with much else to do.
PATIENCE = 120


def user() -> pwd.struct_passwd | None:
    """Returns who is to run the server; None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError(f"PostgreSQL does not run as root, and there is none of the users {USERS}")


class Cluster(contextlib.AbstractContextManager[dict[str, Any]]):
    """Makes the cluster and starts its server. Gives Django's settings of it."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> dict[str, Any]:
        self._stack = contextlib.ExitStack()
        try:
            return self._start()
        except BaseException:
            self._stack.close()
            raise

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start(self) -> dict[str, Any]:
        server = find("postgresql")
        assert server, "PostgreSQL is missing: 'make test' sets it up"
        # Not pytest's directory for temporary files, which no other user may enter.
        directory = tempfile.mkdtemp(prefix="postgresql-")
        self._stack.callback(shutil.rmtree, directory, ignore_errors=True)
        who = user()
        if who is not None:
            os.chown(directory, who.pw_uid, who.pw_gid)
        data = str(Path(directory, "data"))
        initdb = str(Path(os.path.realpath(server)).with_name("initdb"))
        options = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([initdb, *options], check=True, capture_output=True, timeout=PATIENCE, cwd=directory, **_as(who))
        self._stack.enter_context(_serving([server, "-D", data, "-p", str(self._port), *OPTIONS], directory, who))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": "127.0.0.1",
            "PORT": self._port,
        }


@contextlib.contextmanager
def _serving(command: Sequence[str], directory: str, who: pwd.struct_passwd | None) -> Iterator[None]:
    log = Path(directory, "log")
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=directory, **_as(who))
    try:
        # Its log goes to a file: nobody reads a pipe while tests run.
        while "ready to accept connections" not in (text := log.read_text()):
            if process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{text}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # its "fast" shutdown, which does not wait for clients
        process.wait(PATIENCE)


def _as(who: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
