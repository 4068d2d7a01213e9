"""What a run was made on: figures are of a machine and of versions."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import check_output

from .processes import ROOT

#: What takes part in a run, beside the ASGI server.
PYTHON_PACKAGES = ("django", "channels", "channels_redis", "redis", "python-socketio", "python-engineio")
UVICORN_PACKAGES = ("uvicorn", "uvloop", "httptools", "websockets")
ASGI_PACKAGES = {
    "uvicorn": UVICORN_PACKAGES,
    "uvicorn-websockets": UVICORN_PACKAGES,
    "daphne": ("daphne", "twisted", "autobahn"),
    "granian": ("granian", "uvloop"),
}
NODE_PACKAGES = ("socket.io", "engine.io", "ws")


def machine() -> dict[str, str]:
    return {"CPU": cpu_model(), "cores": str(os.cpu_count()), "kernel": f"{platform.system()} {platform.release()}"}


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions(asgi_server: str) -> dict[str, str]:
    python = {name: package_version(name) for name in (*ASGI_PACKAGES[asgi_server], *PYTHON_PACKAGES)}
    node = {name: node_package_version(name) for name in NODE_PACKAGES}
    node_version = check_output(["node", "--version"], text=True).strip().removeprefix("v")
    return {"Python": platform.python_version(), **python, "Node.js": node_version, **node}


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def node_package_version(name: str) -> str:
    return str(json.loads((ROOT / "node_modules" / name / "package.json").read_text())["version"])
