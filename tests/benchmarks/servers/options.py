"""What a measurement asks of a server, from the environment."""

from __future__ import annotations

import os

#: In milliseconds. The default is that of Engine.IO.
PING_INTERVAL_MS = int(os.environ.get("BENCHMARK_PING_INTERVAL_MS", "25000"))
#: The Redis server through which rooms reach the other process. Empty: there is no other process.
REDIS_URL = os.environ.get("BENCHMARK_REDIS_URL", "")
