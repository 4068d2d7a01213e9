"""The checks of a request: their order, their errors, and queries that are garbage."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import product
from typing import Any

import pytest

from sio.engineio.protocol.handshake import MAX_QUERY_FIELDS, Action, Query, check_protocol, check_request, parse_query
from sio.engineio.protocol.state import Transport
from sio.exceptions import ERRORS, ErrorCode, HandshakeError

TRANSPORTS = ("polling", "websocket")
#: The live sessions: one on each transport.
SESSIONS = {"P": Transport.POLLING, "W": Transport.WEBSOCKET}

UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_VERSION = ErrorCode


def allow_origin() -> None:
    """The origin may connect."""


def refuse_origin() -> None:
    raise HandshakeError(FORBIDDEN, "not this one")


def check(
    query: bytes,
    method: str = "GET",
    *,
    websocket: bool = False,
    forbidden: bool = False,
    origin: bytes = b"",
    transports: Collection[str] = TRANSPORTS,
) -> Action:
    """Runs all checks of a request."""
    parsed = parse_query(query)
    action = check_request(
        parsed,
        method,
        websocket=websocket,
        transports=transports,
        current_transport=SESSIONS.get,
        check_origin=refuse_origin if forbidden else allow_origin,
        origin=origin,
    )
    if action is Action.OPEN:
        check_protocol(parsed)
    return action


def outcome(query: str, method: str = "GET", **options: Any) -> Action | ErrorCode:
    """Returns what a request is for, or the code of its refusal."""
    try:
        return check(query.encode("latin-1"), method, **options)
    except HandshakeError as error:
        return error.code


POLL = "EIO=4&transport=polling"
WS = "EIO=4&transport=websocket"


class TestPolling:
    """HTTP requests; section 1 and items 1 to 3 of the reference's semantics."""

    @pytest.mark.parametrize(
        ("query", "method", "expected"),
        [
            # Without a session.
            (POLL, "GET", Action.OPEN),
            (POLL + "&t=abc&j=0&b64=1", "GET", Action.OPEN),
            (POLL + "&sid=", "GET", Action.OPEN),
            ("EIO=4", "GET", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=", "GET", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=abc", "GET", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=Polling", "GET", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=constructor", "GET", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=__proto__", "GET", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=webtransport", "GET", UNKNOWN_TRANSPORT),
            ("transport=polling", "GET", UNSUPPORTED_VERSION),
            ("EIO=&transport=polling", "GET", UNSUPPORTED_VERSION),
            ("EIO=3&transport=polling", "GET", UNSUPPORTED_VERSION),
            ("EIO=5&transport=polling", "GET", UNSUPPORTED_VERSION),
            ("EIO=abc&transport=polling", "GET", UNSUPPORTED_VERSION),
            ("EIO=04&transport=polling", "GET", UNSUPPORTED_VERSION),
            ("EIO=%D9%A4&transport=polling", "GET", UNSUPPORTED_VERSION),
            ("eio=4&transport=polling", "GET", UNSUPPORTED_VERSION),
            *[(POLL, method, BAD_METHOD) for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get")],
            (WS, "GET", BAD_REQUEST),
            (WS, "POST", BAD_METHOD),
            # With the session P, which is on polling, W, which is on WebSocket, or one that is not there.
            (POLL + "&sid=P", "GET", Action.POLL),
            (POLL + "&sid=P", "POST", Action.POST),
            *[(POLL + "&sid=P", method, Action.UNSUPPORTED) for method in ("PUT", "DELETE", "OPTIONS", "HEAD")],
            *[(POLL + "&sid=gone", method, UNKNOWN_SID) for method in ("GET", "POST", "PUT")],
            ("EIO=4&transport=abc&sid=P", "GET", UNKNOWN_TRANSPORT),
            (WS + "&sid=P", "GET", BAD_REQUEST),
            (WS + "&sid=P", "POST", BAD_REQUEST),
            (WS + "&sid=W", "GET", BAD_REQUEST),
            (WS + "&sid=W", "POST", BAD_REQUEST),
            (POLL + "&sid=W", "GET", BAD_REQUEST),
            (POLL + "&sid=W", "POST", BAD_REQUEST),
            ("EIO=3&transport=polling&sid=P", "GET", BAD_REQUEST),
            ("transport=polling&sid=P", "POST", BAD_REQUEST),
        ],
    )
    def test_request(self, query: str, method: str, expected: Action | ErrorCode) -> None:
        assert outcome(query, method) is expected


class TestWebSocket:
    """Requests for a WebSocket."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (WS, Action.OPEN),
            (WS + "&sid=", Action.OPEN),
            ("EIO=4", UNKNOWN_TRANSPORT),
            ("EIO=4&transport=abc", UNKNOWN_TRANSPORT),
            (POLL, BAD_REQUEST),
            ("transport=websocket", UNSUPPORTED_VERSION),
            ("EIO=3&transport=websocket", UNSUPPORTED_VERSION),
            (WS + "&sid=P", Action.UPGRADE),
            (WS + "&sid=gone", UNKNOWN_SID),
            (POLL + "&sid=P", BAD_REQUEST),
            ("EIO=3&transport=websocket&sid=P", BAD_REQUEST),
            ("EIO=4&transport=abc&sid=P", UNKNOWN_TRANSPORT),
        ],
    )
    def test_request(self, query: str, expected: Action | ErrorCode) -> None:
        assert outcome(query, websocket=True) is expected

    def test_second_websocket_of_a_session_is_left_to_the_session(self) -> None:
        """It is accepted and closed, while the first one stays (item 29)."""
        assert outcome(WS + "&sid=W", websocket=True) is Action.UPGRADE


class TestOrderOfChecks:
    """Item 1: whatever else is wrong with a request, the first check that fails names its error."""

    BAD_ORIGIN = b"http://a\x00b"

    @pytest.mark.parametrize(
        ("query", "method", "origin", "forbidden", "expected"),
        [
            ("transport=x&sid=gone&EIO=3", "PUT", BAD_ORIGIN, True, UNKNOWN_TRANSPORT),
            ("transport=polling&sid=gone&EIO=3", "PUT", BAD_ORIGIN, True, BAD_REQUEST),
            ("transport=polling&sid=gone&EIO=3", "PUT", b"", True, UNKNOWN_SID),
            ("transport=polling&sid=W&EIO=3", "PUT", b"", True, BAD_REQUEST),
            ("transport=polling&EIO=3", "PUT", BAD_ORIGIN, True, BAD_REQUEST),
            ("transport=polling&EIO=3", "PUT", b"", True, BAD_METHOD),
            ("transport=websocket&EIO=3", "PUT", b"", True, BAD_METHOD),
            ("transport=websocket&EIO=3", "GET", b"", True, BAD_REQUEST),
            ("transport=polling&EIO=3", "GET", b"", True, FORBIDDEN),
            ("transport=polling&EIO=3", "GET", b"", False, UNSUPPORTED_VERSION),
        ],
    )
    def test_first_failure_wins(
        self, query: str, method: str, origin: bytes, forbidden: bool, expected: ErrorCode
    ) -> None:
        assert outcome(query, method, origin=origin, forbidden=forbidden) is expected

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
    def test_forbidden_origin_cannot_use_a_session(self, method: str) -> None:
        assert outcome(POLL + "&sid=P", method, forbidden=True) is FORBIDDEN

    def test_forbidden_origin_cannot_upgrade(self) -> None:
        assert outcome(WS + "&sid=P", websocket=True, forbidden=True) is FORBIDDEN

    def test_check_is_total(self) -> None:
        """Any combination is an action or one of the six errors."""
        parts = (["", "x", "polling", "websocket"], ["", "P", "W", "gone"], ["", "3", "4"], ["GET", "POST", "PUT", ""])
        for transport, sid, eio, method in product(*parts):
            for websocket in (False, True):
                query = f"transport={transport}&sid={sid}&EIO={eio}"
                assert isinstance(outcome(query, method, websocket=websocket), Action | ErrorCode)


class TestTransportsSetting:
    """A transport that is switched off is unknown."""

    def test_polling_is_switched_off(self) -> None:
        assert outcome(POLL, transports=["websocket"]) is UNKNOWN_TRANSPORT
        assert outcome(WS, websocket=True, transports=["websocket"]) is Action.OPEN

    def test_websocket_is_switched_off(self) -> None:
        assert outcome(WS + "&sid=P", websocket=True, transports=["polling"]) is UNKNOWN_TRANSPORT
        assert outcome(POLL, transports=["polling"]) is Action.OPEN


class TestOriginHeader:
    """Bad input 98: control characters are refused before anything reads the header."""

    @pytest.mark.parametrize("character", [0, 1, 8, 10, 11, 12, 13, 28, 29, 30, 31, 127])
    def test_control_character_is_refused(self, character: int) -> None:
        origin = b"http://a" + bytes([character]) + b"b"
        assert outcome(POLL, origin=origin) is BAD_REQUEST
        assert outcome(WS, websocket=True, origin=origin) is BAD_REQUEST

    @pytest.mark.parametrize("origin", [b"", b"null", b"https://example.com:8443", b"\t", b"\x80\xff"])
    def test_characters_that_a_header_may_have_pass(self, origin: bytes) -> None:
        """As in the reference's `checkInvalidHeaderChar`."""
        assert outcome(POLL, origin=origin) is Action.OPEN


class TestErrors:
    """The table of errors: code, status, JSON body."""

    @pytest.mark.parametrize(
        ("code", "status", "body"),
        [
            (0, 400, b'{"code":0,"message":"Transport unknown"}'),
            (1, 400, b'{"code":1,"message":"Session ID unknown"}'),
            (2, 400, b'{"code":2,"message":"Bad handshake method"}'),
            (3, 400, b'{"code":3,"message":"Bad request"}'),
            (4, 403, b'{"code":4,"message":"Forbidden"}'),
            (5, 400, b'{"code":5,"message":"Unsupported protocol version"}'),
        ],
    )
    def test_answer(self, code: int, status: int, body: bytes) -> None:
        error = HandshakeError(ErrorCode(code), "for the log only")
        assert (error.status, error.body) == (status, body)
        assert json.loads(body)["message"] == error.message

    def test_table_is_complete(self) -> None:
        assert ERRORS.keys() == set(ErrorCode)

    def test_log_line_says_what_the_client_is_not_told(self) -> None:
        error = HandshakeError(FORBIDDEN, "origin 'x'")
        assert str(error) == "Forbidden (code 4): origin 'x'"

    @pytest.mark.parametrize(
        "query",
        [
            "transport=" + "x" * 1_000_000,
            POLL + "&sid=" + "x" * 1_000_000,
            "transport=polling&sid=P&EIO=" + "4" * 1_000_000,
            "transport=polling&EIO=" + "4" * 1_000_000,
        ],
        ids=["transport", "sid", "EIO with a sid", "EIO"],
    )
    def test_log_line_is_short_whatever_the_client_sent(self, query: str) -> None:
        """Bad input 5."""
        with pytest.raises(HandshakeError) as caught:
            check(query.encode())
        assert len(str(caught.value)) < 200

    def test_log_line_with_a_long_method_is_short(self) -> None:
        with pytest.raises(HandshakeError) as caught:
            check_request(
                parse_query(POLL.encode()),
                "X" * 10_000,
                websocket=False,
                transports=TRANSPORTS,
                current_transport=SESSIONS.get,
                check_origin=allow_origin,
            )
        assert len(str(caught.value)) < 200


class TestQuery:
    """Bad input 5: no query string raises, and none leads to more than a refusal."""

    @pytest.mark.parametrize(
        ("query_string", "query"),
        [
            (b"", Query()),
            (b"EIO=4&transport=polling&sid=x", Query("polling", "x", "4")),
            (b"transport=websocket&EIO=4", Query("websocket", "", "4")),
            (b"EIO=4&EIO=3&transport=x&transport=polling&sid=a&sid=b", Query("polling", "b", "3")),
            (b"transport=poll%69ng&EIO=%34", Query("polling", "", "4")),
            (b"transport", Query()),
            (b"transport=&EIO&sid", Query()),
            (b"=&&&==&%&;", Query()),
            (b"transport=%&EIO=%zz&sid=%4", Query("%", "%4", "%zz")),
            (b"sid=%ff%fe", Query(sid="\ufffd\ufffd")),
            (b"sid=\xff\xfe", Query(sid="ÿþ")),
            (b"sid=%00", Query(sid="\x00")),
            (b"sid=a+b", Query(sid="a b")),
            (b"TRANSPORT=polling&Sid=x&eio=4", Query()),
            (b"transport=polling&b64=1", Query("polling", b64="1")),
            (b"transport=polling&b64", Query("polling")),
            # An application's own parameters may be many. Those that count are last.
            (b"a=1&" * 100 + b"EIO=4&transport=polling", Query("polling", "", "4")),
            (b"%61=+&" * 100 + b"EIO=4&transport=polling", Query("polling", "", "4")),
            (b"a=1&" * 100_000 + b"EIO=4&transport=polling", Query("polling", "", "4")),
            (b"EIO=4&" + b"a=1&" * (MAX_QUERY_FIELDS - 2) + b"transport=polling", Query("polling", "", "4")),
            (b"EIO=4&" + b"a=1&" * (MAX_QUERY_FIELDS - 1) + b"transport=polling", Query("polling")),
            (b"EIO=4&" + b"%61=1&" * (MAX_QUERY_FIELDS - 1) + b"transport=polling", Query("polling")),
        ],
    )
    def test_query(self, query_string: bytes, query: Query) -> None:
        assert parse_query(query_string) == query

    def test_long_sid_is_an_unknown_one(self) -> None:
        assert outcome(POLL + "&sid=" + "x" * 1_000_000) is UNKNOWN_SID

    def test_every_byte_is_accepted(self) -> None:
        for byte in range(256):
            assert isinstance(parse_query(b"sid=" + bytes([byte])), Query)
            assert isinstance(parse_query(b"sid=%%%02x" % byte), Query)
