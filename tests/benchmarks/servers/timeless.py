"""uvicorn without its clock, with the arguments of its command line.

It looks ten times a second whether it is to end, and once a second what time it is. Where instructions are
counted, that would be more of them the slower the machine is. And what is there from the start is hidden from the
garbage collector, which would go through all of it once in some hundred connections: whether that falls among those
that are counted is chance.
"""

from __future__ import annotations

import asyncio
import gc
import signal

import uvicorn


async def main_loop(server: uvicorn.Server) -> None:
    await server.on_tick(0)
    gc.freeze()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nobody looks
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvicorn.Server.main_loop = main_loop  # type: ignore[method-assign]
    uvicorn.main()
