"""Which tests run beside which, when there are several workers. A pytest plugin.

A worker takes a file, or of a large file the tests of one server: each server is then started by one worker only.
What waits most comes first, so that others run meanwhile, and no long file is left for one worker at the end.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

#: Those that take long, the longest first.
_FIRST = (
    "tests/conformance/test_cluster.py",
    "tests/browser/",
    "tests/conformance/test_transcripts.py",
    "tests/conformance/test_hostile.py",
    "tests/conformance/test_scenarios.py",
    "tests/conformance/test_shutdown.py",
    "tests/benchmarks/",
    "tests/conformance/",
)
_LAST = re.compile(r"-(uvicorn-wsproto|[a-z]+)\]$")
#: Of these, the parameter that says on which server a test runs.
_BY_SERVER = {
    "tests/conformance/test_transcripts.py": _LAST,
    "tests/conformance/test_hostile.py": _LAST,
    "tests/conformance/test_scenarios.py": re.compile(r"\[\w+-(\w+)-"),
}


def group(nodeid: str) -> str:
    """The tests of a group run one after the other, in one worker."""
    path = nodeid.partition("::")[0]
    if path.startswith("tests/browser/"):
        return "tests/browser/"
    server = _BY_SERVER[path].search(nodeid) if path in _BY_SERVER else None
    return f"{path} {server[1]}" if server else path


def _rank(item: pytest.Item) -> tuple[int, str]:
    scope = group(item.nodeid)
    return next((rank for rank, prefix in enumerate(_FIRST) if scope.startswith(prefix)), len(_FIRST)), scope


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return ByGroup(config, log)
