"""Runs a command on a machine that is busy with something else: beside an endless loop on each core.

    python -m tests.busy make test

Its exit status is that of the command. The loops end with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

#: It ends when nobody holds the other end of its input any more, however that came.
LOOP = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""


def main(command: Sequence[str]) -> int:
    loops = [subprocess.Popen([sys.executable, "-c", LOOP], stdin=subprocess.PIPE) for _ in os.sched_getaffinity(0)]
    try:
        return subprocess.run(command).returncode
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
