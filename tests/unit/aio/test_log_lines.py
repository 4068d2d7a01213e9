"""Tables of log lines."""

from __future__ import annotations

import logging

import pytest

from sio.aio.log_lines import LogLines


class Lines(LogLines, logger=logging.getLogger("sio.tests")):
    OPENED = logging.DEBUG, "%s opened by %s"
    FAILED = logging.ERROR, "It failed"


class OtherLines(LogLines, logger=logging.getLogger("sio.tests.others")):
    OPENED = logging.DEBUG, "%s opened by %s"


@pytest.fixture(autouse=True)
def at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sio.tests")


def test_line_is_logged_with_its_level_and_arguments(caplog: pytest.LogCaptureFixture) -> None:
    Lines.OPENED.log("door", 5)
    assert caplog.record_tuples == [("sio.tests", logging.DEBUG, "door opened by 5")]


def test_line_is_logged_as_if_by_its_caller(caplog: pytest.LogCaptureFixture) -> None:
    Lines.FAILED.log()
    (record,) = caplog.records
    assert (record.pathname, record.funcName) == (__file__, "test_line_is_logged_as_if_by_its_caller")
    assert record.exc_info is None


def test_line_has_the_traceback_of_its_error(caplog: pytest.LogCaptureFixture) -> None:
    error = LookupError()
    Lines.FAILED.log(error=error)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_line_is_logged_by_the_logger_of_its_table(caplog: pytest.LogCaptureFixture) -> None:
    OtherLines.OPENED.log("window", 6)
    assert caplog.record_tuples == [("sio.tests.others", logging.DEBUG, "window opened by 6")]


def test_table_has_to_say_which_logger_it_is_of() -> None:
    with pytest.raises(TypeError, match="logger"):

        class Nowhere(LogLines):
            LINE = logging.INFO, "nobody logs it"
