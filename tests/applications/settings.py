"""A project with a database, whose tests `unit/whole/test_applications.py` runs as its developer would.

`SIO_TEST_DATABASE` holds the settings of the database as JSON.
"""

import json
import os

from tests.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["SIO_TEST_DATABASE"])}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
