"""What real clients do with a server, each thing written once: see `table.py`."""

import pytest

# Their assertions are to show values, as those of the tests do.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in ("delivery", "endings", "events", "namespaces", "performer", "stage", "waits")
    )
)
