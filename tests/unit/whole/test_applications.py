"""The tests of applications, with Django's runner, on a database that is a file and on one that is a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

#: Seconds that a run may take on a machine with much else to do.
PATIENCE = 240


def run(database: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "django", "test", "tests.applications.cases", "-v2"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.applications.settings",
        "SIO_TEST_DATABASE": json.dumps(database),
    }
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def passed(run: subprocess.CompletedProcess[str]) -> bool:
    assert run.returncode == 0, run.stdout + run.stderr
    return "test_database_error_of_a_handler_takes_nothing_with_it" in run.stderr and "\nOK" in run.stderr


def test_handlers_on_a_file(tmp_path: Path) -> None:
    name = str(tmp_path / "db.sqlite3")
    engine = {"ENGINE": "django.db.backends.sqlite3"}
    assert passed(run({**engine, "NAME": name, "TEST": {"NAME": f"{name}.test"}}))


def test_handlers_on_a_server(postgresql: Mapping[str, Any]) -> None:
    assert passed(run(postgresql))


def test_readme_says_how_users_are_looked_up_in_a_transaction() -> None:
    (decorator,) = re.findall(r"``(@mock\.patch[^`]*)``", (ROOT / "README.rst").read_text())
    assert f"\n{decorator}\nclass WithUsers(TestCase):" in (ROOT / "tests/applications/cases.py").read_text()
