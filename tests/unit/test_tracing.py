"""Which tests coverage is measured of."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.tracing import AGAIN, HERE, is_measured


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/unit/test_parser.py::TestA::test_b[x/y]", True),
        ("tests/unit/test_endings.py::test_nothing_is_left[a]", False),
        ("tests/conformance/test_hostile.py::test_hostile_input[a]", False),
        ("tests/conformance/test_vectors.py::test_vector[a]", True),
        ("tests/browser/test_chat.py::test_two_people_talk", False),
    ],
)
def test_measured(test: str, expected: bool) -> None:
    assert is_measured(test) is expected


@pytest.mark.parametrize("name", [*HERE, *AGAIN])
def test_files_are_there(name: str) -> None:
    assert list((ROOT / "tests").rglob(name))
