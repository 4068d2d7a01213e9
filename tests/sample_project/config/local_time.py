"""The time zone of this machine. Django has every process live in that of the settings, its log included."""

import os
import zoneinfo
from pathlib import Path


def local_time_zone() -> str:
    """Return the name of the zone, which ``TZ`` or the system's clock has; UTC if it has none."""
    name = os.environ.get("TZ") or str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    try:
        return zoneinfo.ZoneInfo(name.removeprefix(":")).key
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return "UTC"
