"""The official parsers, in one long-lived Node process."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from . import tagged
from .layers import Layer, Outcome, Packet, Wire

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
#: Requests in a line: enough that the pipe costs nothing, and few enough that both sides have something to do.
BATCH = 500


def official(package: str) -> str:
    """Returns the name and the version of a package as it is installed."""
    description = json.loads((ROOT / "node_modules" / package / "package.json").read_text())
    return f"{package} {description['version']}"


class Oracle:
    """Asks the official parsers."""

    def __enter__(self) -> Self:
        node = shutil.which("node")
        assert node, "node is missing: 'make test' sets it up"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([node, HERE / "oracle.js"], stdin=pipe, stdout=pipe, encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def decode(self, layer: Layer, wires: Sequence[Wire]) -> list[Outcome]:
        return self._ask("decode", layer, wires)

    def encode(self, layer: Layer, groups: Sequence[list[Packet]]) -> list[Wire]:
        return self._ask("encode", layer, groups)

    def _ask(self, direction: str, layer: Layer, inputs: Sequence[Any]) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(inputs), BATCH):
            requests = [[direction, layer.name, value] for value in inputs[start : start + BATCH]]
            answers += self._exchange(requests)
        return answers

    def _exchange(self, requests: list[Any]) -> list[Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(tagged.dumps(requests) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the official parsers are gone: see standard error"
        return list(tagged.loads(answer))
