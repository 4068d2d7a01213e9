"""The tree of exceptions: it is what its docstring draws, and all of it is exported."""

from __future__ import annotations

import inspect
import json
import pickle
import re
from collections.abc import Iterator

import pytest

import sio
from sio import exceptions
from sio.exceptions import (
    ERRORS,
    BodyTooLarge,
    ClientGone,
    ConnectionRefused,
    ErrorCode,
    HandshakeError,
    LayerTimeout,
    LocalError,
    RemoteError,
    SioError,
    Unavailable,
)

#: A line of the drawing: the branches, the name, what it says, and the builtin base that it names.
LINE = re.compile(r"^(?P<branches>[│├└─ ]*)(?P<name>\w+)(?: {2,}(?P<text>.+?)(?: \(also an? (?P<base>\w+)\))?)?$")


def drawing() -> list[re.Match[str]]:
    """Returns the lines of the tree in the docstring."""
    _, tree = (exceptions.__doc__ or "").split("\n\n", 1)
    matches = [LINE.match(line) for line in tree.strip().splitlines()]
    assert all(matches)
    return [match for match in matches if match]


def drawn(cls: type, indent: str = "") -> Iterator[str]:
    """Yields the lines of the real tree below a class, in the order of the definitions."""
    children = [child for child in cls.__subclasses__() if child.__module__ == exceptions.__name__]
    for child in children:
        is_last = child is children[-1]
        yield f"{indent}{'└── ' if is_last else '├── '}{child.__name__}"
        yield from drawn(child, indent + ("    " if is_last else "│   "))


CLASSES = {
    name: member
    for name, member in vars(exceptions).items()
    if inspect.isclass(member) and issubclass(member, BaseException) and member.__module__ == exceptions.__name__
}
#: Those that have no side: what an application raises, and what is nobody's fault.
NEUTRAL = {"SioError", "ConnectionRefused", "Unavailable", "LayerTimeout"}
BUILTIN_BASES = {
    "EncodingError": ValueError,
    "NotConnected": RuntimeError,
    "WrongEventLoop": RuntimeError,
    "AckTimeout": TimeoutError,
    "Disconnected": ConnectionError,
}


class TestTree:
    def test_docstring_draws_the_real_tree(self) -> None:
        assert [match["branches"] + match["name"] for match in drawing()] == ["SioError", *drawn(SioError)]

    def test_every_exception_is_in_it(self) -> None:
        assert {match["name"] for match in drawing()} == CLASSES.keys()

    def test_docstring_names_the_builtin_bases(self) -> None:
        assert {match["name"]: match["base"] for match in drawing() if match["base"]} == {
            name: base.__name__ for name, base in BUILTIN_BASES.items()
        }

    @pytest.mark.parametrize("name", CLASSES)
    def test_class_has_the_builtin_base_that_callers_expect(self, name: str) -> None:
        """Code that knows nothing of this package catches a TimeoutError."""
        builtin = [base for base in CLASSES[name].__bases__ if base.__module__ == "builtins"]
        expected = {"SioError": Exception, **BUILTIN_BASES}.get(name)
        assert builtin == ([] if expected is None else [expected])

    @pytest.mark.parametrize("name", CLASSES)
    def test_package_exports_it(self, name: str) -> None:
        assert name in sio.__all__
        assert getattr(sio, name) is CLASSES[name]

    @pytest.mark.parametrize("name", CLASSES)
    def test_one_handler_catches_all(self, name: str) -> None:
        assert issubclass(CLASSES[name], SioError)


class TestSides:
    """Misuse by the application and misbehaviour of a client are told apart."""

    @pytest.mark.parametrize("name", CLASSES)
    def test_class_is_on_one_side(self, name: str) -> None:
        sides = {side for side in (LocalError, RemoteError) if issubclass(CLASSES[name], side)}
        assert len(sides) == (0 if name in NEUTRAL else 1)

    @pytest.mark.parametrize(
        "name", ["EncodingError", "NotConnected", "TooManyPendingAcks", "TooManyRooms", "WrongEventLoop"]
    )
    def test_misuse_is_local(self, name: str) -> None:
        assert issubclass(CLASSES[name], LocalError)

    @pytest.mark.parametrize(
        "name",
        [
            "AckTimeout",
            "Disconnected",
            "EngineIOParseError",
            "SocketIOParseError",
            "HandshakeError",
            "BodyTooLarge",
            "ClientGone",
            "InvalidTransition",
        ],
    )
    def test_misbehaviour_is_remote(self, name: str) -> None:
        assert issubclass(CLASSES[name], RemoteError)


class TestRefusal:
    """What a connect hook raises."""

    @pytest.mark.parametrize("data", [None, {"retry": 5}])
    def test_it_carries_a_message_and_data(self, data: object) -> None:
        refusal = ConnectionRefused("too late", data)
        assert (str(refusal), refusal.message, refusal.data) == ("too late", "too late", data)

    def test_data_is_optional(self) -> None:
        assert ConnectionRefused("too late").data is None


class TestHandshakeError:
    @pytest.mark.parametrize(
        ("code", "status", "message", "is_notable"),
        [
            (ErrorCode.UNKNOWN_TRANSPORT, 400, "Transport unknown", False),
            (ErrorCode.UNKNOWN_SID, 400, "Session ID unknown", False),
            (ErrorCode.BAD_HANDSHAKE_METHOD, 400, "Bad handshake method", False),
            (ErrorCode.BAD_REQUEST, 400, "Bad request", False),
            (ErrorCode.FORBIDDEN, 403, "Forbidden", True),
            (ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, 400, "Unsupported protocol version", True),
        ],
    )
    def test_code_decides_what_the_client_gets(
        self, code: ErrorCode, status: int, message: str, is_notable: bool
    ) -> None:
        error = HandshakeError(code, "the reason")
        assert (error.status, error.message, error.is_notable) == (status, message, is_notable)
        assert error.body == json.dumps({"code": int(code), "message": message}, separators=(",", ":")).encode()
        assert str(error) == f"{message} (code {int(code)}): the reason"

    def test_every_code_has_a_message(self) -> None:
        assert list(ERRORS) == list(ErrorCode)

    def test_message_and_notability_can_be_given(self) -> None:
        error = HandshakeError(ErrorCode.FORBIDDEN, "the reason", "banned", is_notable=False)
        assert (error.body, error.is_notable) == (b'{"code":4,"message":"banned"}', False)
        assert HandshakeError(ErrorCode.BAD_REQUEST, "the reason", is_notable=True).is_notable

    def test_client_is_not_told_the_context(self) -> None:
        assert b"secret" not in HandshakeError(ErrorCode.FORBIDDEN, "secret").body


def test_unavailable_says_when_to_try_again() -> None:
    error = Unavailable("the server is full", 5)
    assert (str(error), error.retry_after, error.header) == ("the server is full", 5, (b"retry-after", b"5"))


@pytest.mark.parametrize("error", [BodyTooLarge("x"), ClientGone("x"), LayerTimeout("x")])
def test_message_survives_a_copy(error: SioError) -> None:
    """Other processes of a project get exceptions pickled."""
    assert str(pickle.loads(pickle.dumps(error))) == "x"
