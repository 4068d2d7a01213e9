"""What the test asks of its server behind the clients' backs: `GET /control/stats` answers JSON."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import functools
import gc
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conformance.project import control as conformance

_KIB = 1024


async def stats() -> dict[str, Any]:
    """What there is of all that clients leave behind, and how much memory the process has."""
    gc.collect()
    objects = gc.get_objects()
    return {
        "left": {**await conformance.stats(), "timers": sum(map(_is_timer_of_ours, objects))},
        "all tasks": Counter(_name(task) for task in asyncio.all_tasks()),
        "objects": Counter(type(item).__name__ for item in objects if _is_ours(type(item))),
        "memory": _memory(),
    }


def _name(task: asyncio.Task[Any]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", task.get_coro()))


def _is_ours(kind: type) -> bool:
    return str(getattr(kind, "__module__", "")).split(".")[0] == "sio"


def _is_timer_of_ours(item: Any) -> bool:
    """Whether something is a timer of an event loop, of asyncio or of uvloop, that will call into `sio`.

    A timer that was cancelled is no longer one, although asyncio forgets it only when its time comes.
    """
    if type(item).__name__ != "TimerHandle" or item.cancelled():
        return False
    # The one thing that both say of a callback is its name: `<TimerHandle EngineIOConnection._on_timer>`.
    return not _names_of_ours().isdisjoint(re.findall(r"\w+", repr(item)))


@functools.cache
def _names_of_ours() -> frozenset[str]:
    """The names of all classes of `sio`."""
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "sio"]
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    return frozenset(kind.__name__ for kind in kinds if _is_ours(kind))


def _memory() -> dict[str, int]:
    """Resident kB, once what is free was given back to the system, where it can be; and the blocks that Python has."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(ctypes.util.find_library("c"))
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"rss": pages * os.sysconf("SC_PAGE_SIZE") // _KIB, "blocks": sys.getallocatedblocks()}


async def control(scope: Any, receive: Any, send: Any) -> None:
    assert scope["url_route"]["kwargs"]["command"] == "stats"
    body = json.dumps(await stats()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
