"""Headers of requests."""

from __future__ import annotations

Headers = dict[bytes, bytes]


def request_headers(origin: str | None = None, host: str | None = "testserver", **others: str) -> Headers:
    """Returns the headers of a request. Those in `others` are written with underscores."""
    headers = {"origin": origin, "host": host, **others}
    return {
        name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items() if value is not None
    }
