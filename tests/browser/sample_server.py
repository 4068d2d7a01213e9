"""The sample project as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.pace import TIMEOUT

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE_PROJECT = REPOSITORY / "tests" / "sample_project"
CLIENT = REPOSITORY / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"

# Other tests run with settings of their own, in this process.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "PYTHONPATH": str(REPOSITORY),
    "PYTHONUNBUFFERED": "1",
}
#: What the README advises.
UVICORN_OPTIONS = ["--ws-per-message-deflate", "false", "--ws-max-size", "1000000"]


class SampleServer:
    """One server on one port, which can be stopped and started again."""

    def __init__(self, kind: str, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._command = {
            "daphne": ["manage.py", "runserver", "--noreload", f"127.0.0.1:{self.port}"],
            "uvicorn": ["-m", "uvicorn", "config.asgi:application", "--port", str(self.port), *UVICORN_OPTIONS],
        }[kind]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=SAMPLE_PROJECT,
                env=os.environ | ENVIRONMENT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"The sample project does not start:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server as a process manager does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End the server without a chance to say goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def tail(self) -> str:
        """Return the end of what the server has written."""
        return self.log.read_text()[-8_000:]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=TIMEOUT):
                return True
        except OSError:
            return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
