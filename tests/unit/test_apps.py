"""The Django app: what `INSTALLED_APPS` brings."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.apps import apps
from django.core.checks import registry

from sio.apps import SioConfig
from sio.checks import check_runserver, check_settings
from sio.engineio import get_engineio_server
from sio.engineio.process import Process, process
from sio.integration.mounts import check_mounts
from sio.integration.policy import DjangoPolicy
from sio.integration.server import make_server
from sio.socketio.server import get_socketio_server
from tests.conftest import ROOT


def run(code: str) -> str:
    """Runs code in a process of its own. Returns what it prints, to either stream."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


WITH_APPS = """
import django
from django.conf import settings

settings.configure(INSTALLED_APPS={apps})
django.setup()
"""


class TestConfig:
    def test_app_is_known_by_the_name_of_the_package(self) -> None:
        config = apps.get_app_config("sio")
        assert isinstance(config, SioConfig)
        assert (config.name, config.verbose_name) == ("sio", "Socket.IO")

    @pytest.mark.parametrize("check", [check_settings, check_runserver, check_mounts])
    def test_checks_are_registered(self, check: object) -> None:
        assert check in registry.registry.get_checks()

    def test_it_has_no_models(self) -> None:
        assert list(apps.get_app_config("sio").get_models()) == []


class TestServer:
    def test_app_says_how_the_server_is_made(self) -> None:
        assert process.make is make_server
        assert isinstance(get_engineio_server().policy, DjangoPolicy)

    def test_server_is_made_once(self) -> None:
        assert get_socketio_server() is get_socketio_server()
        assert get_socketio_server().engineio is get_engineio_server()

    def test_process_without_a_way_to_make_it_has_none(self) -> None:
        with pytest.raises(RuntimeError, match="add 'sio' to INSTALLED_APPS"):
            _ = Process().server

    def test_process_without_the_app_has_none(self) -> None:
        code = """
from sio.engineio import get_engineio_server

try:
    get_engineio_server()
except RuntimeError as error:
    print(error)
"""
        assert "add 'sio' to INSTALLED_APPS" in run(WITH_APPS.format(apps=[]) + code)


class TestImport:
    """Nothing happens at import: settings are read, and servers made, when they are needed."""

    def test_package_needs_no_settings(self) -> None:
        assert run("import sio, sio.engineio, sio.socketio") == ""

    def test_setup_makes_no_server_and_logs_nothing(self) -> None:
        code = """
from sio.engineio.process import process

print(process._server)
"""
        log = "import logging; logging.basicConfig(level=0)\n"
        assert run(log + WITH_APPS.format(apps=["channels", "sio"]) + code).splitlines()[-1] == "None"
        assert "sio" not in run(log + WITH_APPS.format(apps=["channels", "sio"]))

    @pytest.mark.parametrize("module", ["sio.engineio.protocol.session", "sio.socketio.protocol.parser"])
    def test_app_is_not_needed_for_the_protocols(self, module: str) -> None:
        assert run(f"import {module}") == ""
