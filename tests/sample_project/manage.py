#!/usr/bin/env python
"""Run the sample chat: ``python tests/sample_project/manage.py runserver``."""

import importlib.util
import os
import sys
from pathlib import Path


def main() -> None:
    """Run a management command, from a checkout in which `sio` need not be installed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if importlib.util.find_spec("sio") is None:
        sys.path.append(str(Path(__file__).resolve().parents[2]))

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
